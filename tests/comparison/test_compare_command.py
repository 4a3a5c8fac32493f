"""`compare` and `run --against`: what the terminal says, what is written, and without torch."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cnnvis_report import compare_reports
from cnnvis_report.records.scores import ScoreKind
from cnnvis_report.store.comparison.comparison_file import load_comparison
from tests.comparison.runs import Planted, planted_run
from tests.conftest import command
from tests.evaluation.replicas import drawn_map
from tests.evidence.records import NETWORK

RUN = ("run", "tests.factories:tiny", "--device", "cpu", "--methods", "grad_cam,saliency", "--limit", "3")
HOSTILE = "<img src=x onerror=alert(1)>.png"


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    """Two runs of six images, of which one is broken."""
    images = [
        [Planted(name, int(new and not number), 0, maps={("cam", "", 0): drawn_map(4, 4, seed=number + 9 * new)})]
        for new in (0, 1)
        for number, name in enumerate([HOSTILE, *(f"{number}.png" for number in range(1, 6))])
    ]
    folders = [tmp_path / "old", tmp_path / "new"]
    for folder, part in zip(folders, (images[:6], images[6:]), strict=True):
        planted_run(folder, [image for (image,) in part])
    return folders


def test_what_changed_is_said_and_written(runs: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "diff"
    before = {path: path.read_bytes() for run in runs for path in run.rglob("*") if path.is_file()}
    result = command("compare", *runs, "-o", folder, "--fail-if", "broken>1", "--summary", tmp_path / "summary.md")
    assert f"Wrote {folder / 'index.html'}" in result.stdout
    assert "Predictions: 0 images fixed, 1 broken." in result.stderr and "Attention: Maps moved by" in result.stderr
    assert load_comparison(folder).paired[0].broken == 1
    assert "<img src=x" not in (folder / "index.html").read_text("utf-8")
    assert {path: path.read_bytes() for path in before} == before and "broken" in (tmp_path / "summary.md").read_text(
        "utf-8"
    )
    result = command("compare", *runs, "-o", folder, "--fail-if", "broken>0", "-q", code=4)
    assert result.stderr == 'Error: --fail-if "broken>0": broken is 1\n'


def test_the_same_comparison_has_the_same_bytes(runs: list[Path], tmp_path: Path) -> None:
    texts = []
    for name in ("a", "b"):
        compare_reports(*runs, output=tmp_path / name)
        texts.append((tmp_path / name / "comparison.json").read_bytes())
    assert texts[0] == texts[1] and str(tmp_path).encode() not in texts[0]


def test_comparing_needs_no_torch(runs: list[Path], tmp_path: Path) -> None:
    code = "import sys; sys.modules['torch'] = None; from cnnvis_report.cli.main import cli; cli(sys.argv[1:])"
    arguments = ["compare", *map(str, runs), "-o", str(tmp_path / "diff")]
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True)
    assert (tmp_path / "diff" / "index.html").is_file()


def test_python_gives_the_record_and_the_sentences(runs: list[Path], tmp_path: Path) -> None:
    comparison = compare_reports(runs[0], str(runs[1]), output=tmp_path / "diff", title="Before and after")
    assert comparison.page.is_file() and comparison.record.title == "Before and after"
    assert comparison.findings[1] == "Predictions: 0 images fixed, 1 broken."
    assert comparison.record == load_comparison(tmp_path / "diff")
    assert "Before" not in comparison.save_figure(tmp_path / "figure.png") and (tmp_path / "figure.png").is_file()


def test_a_run_is_compared_with_an_earlier_one(drawn: Path, class_names: Path, tmp_path: Path) -> None:
    words = (*RUN, drawn, "--class-names", class_names)
    command(*words, "-o", tmp_path / "old", "--seed", "1")
    again = ("-o", tmp_path / "new", "--against", tmp_path / "old")
    result = command(*words, *again, "--fail-if", "broken>0", "--fail-if", "images<9", code=4)
    assert 'Error: --fail-if "images<9": images is 3' in result.stderr and "broken>0" not in result.stderr
    assert load_comparison(tmp_path / "new-comparison").movement[0] is not None
    assert (tmp_path / "new-comparison" / "index.html").is_file()


@pytest.mark.parametrize(
    ("against", "says"), [("new", "is the folder that this run is written to"), ("nothing", "holds no run")]
)
def test_an_earlier_run_is_looked_at_before_the_run_starts(
    against: str, says: str, drawn: Path, tmp_path: Path
) -> None:
    words = (*RUN, drawn, "-o", tmp_path / "new", "--against", tmp_path / against)
    assert says in command(*words, code=2).stderr and not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("names", "kind", "says"),
    [
        (lambda names: [*names[1:], names[0]], ScoreKind.SOFTMAX, "give both runs the class names in one order"),
        (lambda names: names, ScoreKind.VALUE, "runs of one task are compared"),
    ],
    ids=["other order", "other task"],
)
def test_another_order_of_classes_is_refused_before_the_run_starts(
    names: Callable[[list[str]], list[str]], kind: ScoreKind, says: str, drawn: Path, class_names: Path, tmp_path: Path
) -> None:
    classes = class_names.read_text("utf-8").split("\n")
    classes = names([name for name in classes if name])
    network = replace(NETWORK, classes=len(classes), kind=kind)
    planted_run(tmp_path / "old", [Planted("a.png", 0), Planted("b.png", 1)], classes=classes, network=network)
    words = (*RUN, drawn, "--class-names", class_names, "-o", tmp_path / "new", "--against", tmp_path / "old")
    assert says in command(*words, code=2).stderr and not list(tmp_path.glob("new*/arrays/*"))
