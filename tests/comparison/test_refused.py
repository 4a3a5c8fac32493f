"""Runs that can't be compared: one line each, exit status 2, and nothing written."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cnnvis_report.records.scores import ScoreKind
from cnnvis_report.store.comparison.comparison_file import load_comparison
from tests.comparison.runs import CLASSES, Planted, planted_run
from tests.conftest import command
from tests.evidence.records import NETWORK

Make = Callable[[Path], list[Path]]


def old(top: Path) -> Path:
    return planted_run(top / "old", [Planted("a.png", 0), Planted("b.png", 1)]).folder


def other_classes(top: Path) -> list[Path]:
    names = ("dog", "cat", "owl")
    return [old(top), planted_run(top / "new", [Planted("a.png", 1), Planted("b.png", 0)], classes=names).folder]


def renamed_classes(top: Path) -> list[Path]:
    names = ("katze", "hund", "eule")
    return [old(top), planted_run(top / "new", [Planted("a.png", 1)], classes=names).folder]


def other_task(top: Path) -> list[Path]:
    network = replace(NETWORK, kind=ScoreKind.VALUE)
    return [old(top), planted_run(top / "new", [Planted("a.png")], network=network).folder]


def no_common_image(top: Path) -> list[Path]:
    return [old(top), planted_run(top / "new", [Planted("z.png")]).folder]


def other_format(top: Path) -> list[Path]:
    runs = [old(top), planted_run(top / "new", [Planted("a.png")]).folder]
    path = runs[1] / "run.json"
    path.write_text(path.read_text("utf-8").replace("cnnvis-report/2", "cnnvis-report/1"), "utf-8")
    return runs


def unfinished(top: Path) -> list[Path]:
    runs = [old(top), planted_run(top / "new", [Planted("a.png")]).folder]
    path = runs[1] / "run.json"
    path.with_name("journal.jsonl").write_text('{"format": "cnnvis-report/2"}\n', "utf-8")
    path.unlink()
    return runs


def a_comparison(top: Path) -> list[Path]:
    runs = [old(top), planted_run(top / "new", [Planted("a.png")]).folder]
    command("compare", *runs, "-o", top / "done")
    return [runs[0], top / "done"]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (other_classes, "class 'dog' is number 0 there and 1 in"),
        (renamed_classes, "no class is called as in"),
        (other_task, "is a run of regression, and"),
        (no_common_image, "have no image in common, neither by content nor by name"),
        (other_format, "is of format 'cnnvis-report/1'"),
        (unfinished, "holds a run that hasn't finished"),
        (a_comparison, "holds a comparison, and runs are compared"),
        (lambda top: [old(top)], "A comparison takes 2 to 6 runs, not 1."),
        (lambda top: [old(top), top / "old" / "."], "is given twice"),
        (lambda top: [old(top), top / "nothing"], "holds no run"),
        (lambda top: [old(top), *(top / str(number) for number in range(6))], "takes 2 to 6 runs, not 7"),
    ],
    ids=lambda value: getattr(value, "__name__", "") if callable(value) else None,
)
def test_what_is_no_pair_of_runs_is_refused(make: Make, says: str, tmp_path: Path) -> None:
    folders = make(tmp_path)
    result = command("compare", *folders, "-o", tmp_path / "diff", code=2)
    assert says in result.stderr and result.stderr.count("\n") == 1, result.stderr
    assert not (tmp_path / "diff" / "index.html").exists()


def test_only_a_folder_of_its_own_is_written_to(tmp_path: Path) -> None:
    runs = [old(tmp_path), planted_run(tmp_path / "new", [Planted("a.png")]).folder]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine", "utf-8")
    for folder in (*runs, tmp_path / "mine"):
        before = sorted(path.name for path in folder.rglob("*"))
        assert "not of a comparison" in command("compare", *runs, "-o", folder, code=2).stderr
        assert sorted(path.name for path in folder.rglob("*")) == before


def test_what_was_changed_in_the_record_is_refused(tmp_path: Path) -> None:
    from cnnvis_report.comparison.compare import compare_runs
    from cnnvis_report.comparison.read import write_compared
    from cnnvis_report.errors import BadRequest

    runs = [planted_run(tmp_path / name, [Planted("a.png")], classes=CLASSES) for name in ("old", "new")]
    assert write_compared(runs, tmp_path) == load_comparison(tmp_path) == compare_runs(runs)
    path = tmp_path / "comparison.json"
    written = path.read_text("utf-8")
    for change, says in (
        (("a.png", "b.png"), "was changed after"),
        (("from old", "from odd"), "was changed after"),
        (("\n],", ""), "was changed after"),
        (("comparison/2", "comparison/9"), "isn't of format"),
    ):
        path.write_text(written.replace(*change), "utf-8")
        with pytest.raises(BadRequest, match=says):
            load_comparison(tmp_path)
