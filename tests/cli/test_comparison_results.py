"""What a job takes from a comparison."""

import json
from pathlib import Path

import numpy as np
import pytest

from cnnvis_report.report.markdown.document import MARK
from tests.comparison.runs import Planted, Values, planted_run
from tests.conftest import command

RAMP: Values = np.arange(16, dtype=np.float32).reshape(4, 4)
BACKWARD: Values = RAMP[::-1, ::-1].copy()


def run(folder: Path, predicted: list[int], values: Values) -> Path:
    maps = {("cam", "", 0): values}
    return planted_run(folder, [Planted(f"{n}.png", p, 0, maps=maps) for n, p in enumerate(predicted)]).folder


@pytest.fixture
def words(tmp_path: Path) -> tuple[object, ...]:
    """Of two images, one is broken; the maps of both are upside down."""
    old, new = run(tmp_path / "old", [0, 0], RAMP), run(tmp_path / "new", [0, 1], BACKWARD)
    return "compare", old, new, "-o", tmp_path / "diff", "--quiet"


def test_a_comparison_is_judged_and_summed_up(words: tuple[object, ...], tmp_path: Path) -> None:
    more = ("--summary", tmp_path / "diff.md", "--json", tmp_path / "diff.json")
    rules = ("--fail-if", "broken>0", "--fail-if", "moved[cam] > 1.5", "--fail-if", "broken[cat]>1")
    result = command(*words, *more, *rules, code=4)
    assert [line for line in result.stderr.splitlines() if line.startswith("Error")] == [
        'Error: --fail-if "broken>0": broken is 1',
        'Error: --fail-if "moved[cam] > 1.5": moved[cam] is 2',
    ]
    text = (tmp_path / "diff.md").read_text("utf-8")
    assert text.startswith(MARK) and "- ✅ Passes: broken[cat]\\>1, as broken[cat] is 1\n" in text
    assert "| 1.png | cat | ✓ cat (75.0%) | ✗ dog (75.0%) |" in text
    assert ("](diff.png)" in text) is (tmp_path / "diff.png").is_file()
    (later,) = json.loads((tmp_path / "diff.json").read_text("utf-8"))["runs"]
    assert later["values"]["accuracy"]["value"] == 0.5 and later["values"]["broken[cat]"]["value"] == 1


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("brokn>1", "Did you mean 'broken'?"),
        ("moved[cma]>1", "Did you mean 'cam'?"),
        ("macro_f1<1", "it is a number of one run, not of a comparison"),
    ],
)
def test_a_rule_that_names_nothing_is_refused_before_a_comparison(
    words: tuple[object, ...], rule: str, says: str, tmp_path: Path
) -> None:
    result = command(*words, "--fail-if", rule, code=2)
    assert says in result.stderr and result.stderr.count("\n") == 1
    assert not (tmp_path / "diff").exists()


def test_of_several_later_runs_the_numbers_are_told_apart(words: tuple[object, ...], tmp_path: Path) -> None:
    third = run(tmp_path / "third", [1, 1], RAMP)
    result = command(*words, third, "--json", "-", "--fail-if", "broken>1", code=4)
    numbers = json.loads(result.stdout)
    assert {later["name"]: later["values"]["broken"]["value"] for later in numbers["runs"]} == {"new": 1, "third": 2}
    assert 'Error: --fail-if "broken>1": broken is 2 in third\n' in result.stderr
