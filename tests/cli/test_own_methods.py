"""Methods of a user's own in a run, and what becomes of one that fails."""

from pathlib import Path
from typing import Any

import pytest

from cnnvis_report.store import load_run
from tests.cli.words import TINY, one_line
from tests.conftest import command

OWN_METHOD = '''
from cnnvis_report.plugin import Kind, Sign, method


@method(title="Mine", family="own", source="no source", sign=Sign.POSITIVE, kind=Kind.AREA)
def mine(tape, targets, *, {option}):
    """What I wanted to see."""
    {body}
'''


def own_method(folder: Path, name: str, body: str, option: str = "power: int = 2") -> str:
    (folder / f"{name}.py").write_text(OWN_METHOD.format(body=body, option=option))
    return f"{name}:mine"


def test_a_method_of_ones_own(drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    path = own_method(tmp_path, "own_one", "return tape.gradients(targets).pixels.abs().pow(power).sum(1)")
    command(*TINY, drawn, "-o", tmp_path / "r", "-m", f"grad_cam,{path}", "-O", "mine.power=1", "-q")
    run = load_run(tmp_path / "r")
    assert run.record.method("mine").options == {"power": 1}
    page = (tmp_path / "r" / "methods.html").read_text(encoding="utf-8")
    assert "What I wanted to see." in page and "power = 1" in page


@pytest.mark.parametrize(
    ("body", "says"),
    [
        pytest.param("return 1 / (tape.images.mean() * 0).item()", "ZeroDivisionError", id="raises"),
        pytest.param("return tape.gradients(targets).pixels.sum(1) / 0", "aren't finite", id="not-finite"),
    ],
)
def test_a_method_that_fails_leaves_a_gap_and_the_others_go_on(
    drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: Any, says: str
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    name = f"own_{'two' if 'images' in body else 'three'}"  # modules stay imported, so each needs a name
    words = (*TINY, drawn, "-o", tmp_path / name, "-m", f"grad_cam,{own_method(tmp_path, name, body)}")
    told = command(*words).stderr
    assert (says in told) is (says == "ZeroDivisionError")
    gaps = [gap for image in load_run(tmp_path / name).images() for gap in image.not_applicable]
    assert gaps and all(says in gap.reason and gap.method == "mine" for gap in gaps)
    command(*words, "--strict", code=3)


def test_a_method_that_gives_maps_of_another_kind_is_refused(
    drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    path = own_method(tmp_path, "own_four", "return tape.images")
    words = (*TINY, drawn, "-o", tmp_path / "r", "-m", f"grad_cam,{path}")
    assert "gives maps of" in one_line(command(*words, code=2))


def test_traceback_of_a_failed_method_on_request(drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    path = own_method(tmp_path, "own_five", "return [][len(tape.images)]")
    words = (*TINY, drawn, "-m", f"saliency,{path}")
    assert "Traceback" not in command(*words, "-o", tmp_path / "a").stderr
    assert "Traceback" in command(*words, "-o", tmp_path / "b", "-v").stderr
