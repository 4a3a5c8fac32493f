"""Runs that can't rank anything: page, Markdown and run.json say why, and nowhere stands what is no number."""

import json
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest
from PIL import Image

from cnnvis_report.pipeline.planning.metrics_budget import BUDGETS
from cnnvis_report.records.evidence import Evidence, Standing
from cnnvis_report.store import StoredRun, load_run
from cnnvis_report.synthetic.shapes import draw
from tests.conftest import command, forget_methods
from tests.exhaustive import represented
from tests.narrow import present
from tests.pipeline.few_passes import FEW_PASSES

RANKED = {Standing.BEST, Standing.COMPARABLE, Standing.BETTER, Standing.CHANCE, Standing.WORSE}
METHODS = "gradient,grad_cam,random"
FLAT = "tests.evidence.planted:flat"


def pictures(folder: Path, count: int) -> tuple[str | Path, ...]:
    """Images without labels."""
    folder.mkdir()
    for number in range(count):
        draw(number, 0, 40).picture.save(folder / f"{number}.png")
    return ()


def one(folder: Path) -> tuple[str | Path, ...]:
    return pictures(folder, 1)


def five(folder: Path) -> tuple[str | Path, ...]:
    return pictures(folder, 5)


def five_with_masks(folder: Path) -> tuple[str | Path, ...]:
    """Masks that are larger than their images; one image has none."""
    pictures(folder, 5)
    masks = folder.with_name("masks")
    masks.mkdir()
    for number in range(1, 5):
        Image.new("L", (90, 41), 255).save(masks / f"{number}.png")
    return ("--masks", masks)


CASES: dict[str, tuple[Callable[[Path], tuple[str | Path, ...]], str, str, str]] = {
    "one image": (one, "tiny", METHODS, "Nothing is ranked: 1 image is too few for an interval, 5 are needed."),
    "no labels": (five, "tiny", METHODS, "Localization isn't known: no image has a ground-truth mask"),
    "masks of another size": (
        five_with_masks,
        "tiny",
        METHODS,
        "Nothing is ranked: 1 image is too few for an interval, 5 are needed.",
    ),
    "equal maps": (five, "tiny", FLAT, "Nothing is ranked: fewer than 5 of the 5 images tell good maps from bad ones."),
    "everything alike": (
        five,
        "indifferent",
        METHODS,
        "Nothing is ranked: fewer than 5 of the 5 images tell good maps from bad ones.",
    ),
    "probability of 1": (
        five,
        "certain",
        METHODS,
        "Nothing is ranked: fewer than 5 of the 5 images tell good maps from bad ones.",
    ),
}


@pytest.fixture(scope="module", params=represented(CASES, by=[name for name in CASES if name != "probability of 1"]))
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, StoredRun]:
    """A run, and what it has to say."""
    make, factory, methods, reason = CASES[request.param]
    top = tmp_path_factory.mktemp("bad")
    options = make(top / "images")
    budget = "full" if factory in ("indifferent", "certain") else "quick"  # every measure has to say it can't tell
    words = (f"tests.factories:{factory}", top / "images", "-o", top / "r", "-m", methods, "--metrics", budget, "-q")
    with pytest.MonkeyPatch.context() as patch:
        forget_methods(patch)
        patch.setitem(BUDGETS, "full", FEW_PASSES)
        command("run", *words, *options)
    return reason, load_run(top / "r")


def evidence_of(run: StoredRun) -> Evidence:
    return present(run.record.evidence)


def text(html: str) -> str:
    return " ".join(unescape(re.sub(r"<script.*?</script>|<[^>]*>", " ", html, flags=re.DOTALL)).split())


def test_nothing_is_ranked(case: tuple[str, StoredRun]) -> None:
    reason, run = case
    evidence = evidence_of(run)
    if not reason.startswith("Localization"):
        assert evidence.faithfulness == "" and evidence.recommended == ()
        assert not RANKED & {method.standing for method in evidence.methods}


def test_the_reason_stands_in_the_record_in_markdown_and_on_the_page(case: tuple[str, StoredRun]) -> None:
    reason, run = case
    assert any(limit.startswith(reason) for limit in evidence_of(run).limits), evidence_of(run).limits
    assert reason in command("evidence", run.folder).output.replace("\\", "")
    assert reason in text((run.folder / "index.html").read_text("utf-8"))


def test_nowhere_stands_what_is_no_number(case: tuple[str, StoredRun]) -> None:
    _, run = case
    said = [command("evidence", run.folder).output, command("evidence", run.folder, "--json").output]
    said += [text(path.read_text("utf-8")) for path in run.folder.rglob("*.html")]
    for part in said:
        assert not re.search(r"\b(nan|inf|infinity)\b", part, re.IGNORECASE), part
    json.loads(said[1])
    assert not re.search(r"\b(NaN|Infinity)\b", (run.folder / "run.json").read_text("utf-8"))
