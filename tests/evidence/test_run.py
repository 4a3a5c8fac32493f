"""A real run: what the pipeline stores, and what the command, Python and Markdown say of it."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import asdict, replace
from html import unescape
from pathlib import Path

import pytest

from cnnvis_report.evaluation.curve_measures import RANKING
from cnnvis_report.evidence import evidence_of, words
from cnnvis_report.records.evidence import Evidence, Interval, MethodEvidence, Standing
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.run import RunRecord
from cnnvis_report.store import StoredRun, load_run
from cnnvis_report.store.repair import repair
from tests.conftest import command, forget_methods, rewritten
from tests.evidence.striped import picture

PLANTED = ",".join(f"tests.evidence.planted:{name}" for name in ("sobel", "flat", "chance"))
IMAGES = 10


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A run of a trained network with an edge detector, a constant map and a random one among its methods."""
    top = tmp_path_factory.mktemp("evidence")
    for number in range(100, 100 + IMAGES):
        image, mask, name = picture(number)
        for kind, drawn in (("images", image), ("masks", mask)):
            (top / kind / name).mkdir(parents=True, exist_ok=True)
            drawn.save(top / kind / name / f"{number}.png")
    with pytest.MonkeyPatch.context() as patch:
        forget_methods(patch)
        methods = f"cam,grad_cam,hires_cam,xgrad_cam,gradient,random,{PLANTED}"
        options = ("-m", methods, "--metrics", "quick", "--masks", top / "masks", "--device", "cpu", "-q")
        command("run", "tests.evidence.striped:trained", top / "images", "-o", top / "r", *options)
        yield top / "r"


@pytest.fixture(scope="module")
def run(folder: Path) -> StoredRun:
    return load_run(folder)


@pytest.fixture(scope="module")
def evidence(run: StoredRun) -> Evidence:
    assert run.record.evidence is not None
    return run.record.evidence


def of(evidence: Evidence, method: str) -> MethodEvidence:
    return next(entry for entry in evidence.methods if entry.method == method)


def test_an_edge_detector_fails_the_randomization_test(evidence: Evidence) -> None:
    (check,) = [check for check in of(evidence, "sobel").checks if check.name == "randomization"]
    assert check.passed is False and check.value == Interval(1.0, 1.0, 1.0, 8)
    assert of(evidence, "sobel").standing is Standing.FAILED and "sobel" in evidence.avoid
    assert any("Avoid Sobel: barely changes when all weights are randomized" in line for line in evidence.text)


def test_a_constant_map_is_named(evidence: Evidence) -> None:
    assert of(evidence, "flat").standing is Standing.FAILED and "flat" in evidence.avoid
    assert any("Avoid Flat" in line and "constant map" in line for line in evidence.text)


def test_a_random_map_is_not_better_than_random_maps(evidence: Evidence) -> None:
    chance = of(evidence, "chance")
    assert chance.standing is Standing.FAILED, "what it draws doesn't depend on the weights either"
    difference = chance.measures[evidence.faithfulness].difference
    assert difference is not None and difference.low is not None and difference.low < 0
    assert of(evidence, "random").standing is Standing.REFERENCE
    assert not {"chance", "random"} & set(evidence.recommended)


def test_equal_maps_behind_average_pooling_are_one_row_and_theory_says_why(evidence: Evidence) -> None:
    pairs = {(method.method, method.same_as) for method in evidence.methods if method.same_as}
    assert {frozenset(pair) for pair in pairs} >= {
        frozenset(("cam", "hires_cam")),
        frozenset(("grad_cam", "xgrad_cam")),
    }
    for method in evidence.methods:
        if method.same_as:
            assert "behind global average pooling and one linear layer" in method.same_because


def test_the_stored_record_is_that_of_its_images(run: StoredRun, evidence: Evidence) -> None:
    assert evidence_of(run.record, run.images()) == evidence == run.evidence
    assert run.record.evaluation is not None
    assert evidence.images == IMAGES and evidence.random_maps == run.record.evaluation.random_maps == 2


def test_a_run_from_before_has_its_evidence_from_its_images(run: StoredRun) -> None:
    older = StoredRun(run.folder, replace(run.record, evidence=None))
    assert older.evidence == run.record.evidence


def test_json_is_the_stored_record(folder: Path, evidence: Evidence, tmp_path: Path) -> None:
    printed = command("evidence", folder, "--json").output
    assert json.loads(printed) == json.loads(json.dumps(asdict(evidence)))
    command("evidence", folder, "--json", "-o", tmp_path / "deep" / "e.json")
    assert (tmp_path / "deep" / "e.json").read_text("utf-8") == printed
    head = next(line for line in (folder / "run.json").read_text("utf-8").splitlines() if line.startswith('"run"'))
    assert json.loads("{" + head.rstrip(",") + "}")["run"]["evidence"] == json.loads(printed)


@pytest.mark.parametrize("words", [(), ("--json",)], ids=["markdown", "json"])
def test_only_evidence_is_overwritten(folder: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    path = tmp_path / "notes"
    for _ in range(2):
        command("evidence", folder, *words, "-o", path)
    path.write_text("what I have seen")
    result = command("evidence", folder, *words, "-o", path, code=2)
    assert "isn't evidence of a run that this program has written" in result.stderr
    assert path.read_text() == "what I have seen"


def table_of(text: str) -> dict[str, dict[str, str]]:
    """The cells of the first table, by method and column; columns of one name have their number."""
    rows = [line.strip("| \n").split(" | ") for line in text.splitlines() if line.startswith("|")]
    return {row[0]: dict(zip(rows[0], row, strict=False)) for row in rows[2:]}


def test_markdown_says_the_same_numbers(folder: Path, run: StoredRun, evidence: Evidence) -> None:
    text = command("evidence", folder).output
    table = table_of(text)
    titles = {method.method: words.title(run.record, method.method) for method in evidence.methods}
    for method in evidence.methods:
        if method.same_as:
            continue
        twins = [other.method for other in evidence.methods if other.same_as == method.method]
        row = table[" = ".join(titles[name] for name in (method.method, *twins))]
        assert row["Verdict"] == method.standing
        measured = method.measures.get(evidence.faithfulness)
        if measured is not None and measured.difference is not None:
            cell = row[f"{RANKING.info.title}, above a random map"]
            numbers = [float(word.replace("−", "-")) for word in re.findall(r"−?[\d.]+", cell)]
            difference = measured.difference
            assert numbers == pytest.approx([difference.mean, difference.low, difference.high], abs=0.06)
            assert cell.replace("\\", "") == words.difference(difference)
    for sentence in (*evidence.text, *evidence.limits):
        assert sentence in text.replace("\\", "")


def test_the_page_says_the_same_numbers_and_sentences(folder: Path, run: StoredRun, evidence: Evidence) -> None:
    page = (folder / "index.html").read_text("utf-8")
    rows = re.findall(r"<tr[^>]*>\s*<th scope=.row.>.*?</tr>", page, re.DOTALL)
    for method in evidence.methods:
        measured = method.measures.get(evidence.faithfulness)
        if method.same_as or measured is None or measured.difference is None or measured.difference.low is None:
            continue
        (row,) = [row for row in rows if f'methods.html#{method.method}"' in row and 'class="effect"' in row]
        text = " ".join(re.sub(r"<[^>]*>", " ", row).split())
        plain = words.interval(measured.difference)
        mean, ends = plain.split(" ", 1)
        assert mean in text and ends in text, (text, plain)
    text = " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())
    for sentence in (*evidence.text, *evidence.limits):
        assert sentence in text


def test_a_folder_without_measurements_says_what_to_do(run: StoredRun, tmp_path: Path) -> None:
    shutil.copytree(run.folder, tmp_path / "r")
    rewritten(
        tmp_path / "r",
        lambda record, images: (
            replace(record, evidence=None, evaluation=None),
            [replace(image, metrics=None) for image in images],
        ),
    )
    result = command("evidence", tmp_path / "r", code=2)
    assert "no map was measured" in result.output and "--metrics" in result.output


def test_a_strangers_words_stay_text(run: StoredRun, tmp_path: Path) -> None:
    shutil.copytree(run.folder, tmp_path / "r")
    hostile = "[x](javascript:alert(1)) <script>|\x1b[2J `code` *b*"

    def change(record: RunRecord, images: list[ImageRecord]) -> tuple[RunRecord, list[ImageRecord]]:
        assert record == run.record
        methods = tuple(replace(info, title=hostile) for info in run.record.methods)
        return replace(run.record, methods=methods), images

    rewritten(tmp_path / "r", change)
    text = command("evidence", tmp_path / "r").output
    assert "\x1b" not in text and "<script>" not in text and not re.search(r"(?<!\\)\]\(", text)
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table}) == 1, "no cell breaks the table"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"faithfulness": "nothing"}, "run.evidence.faithfulness isn't among its measures"),
        ({"recommended": ("nobody",)}, "run.evidence lists methods that it doesn't judge"),
        (
            {"methods": (MethodEvidence("nobody", "", Standing.BEST),)},
            "run.evidence.methods[0] isn't among the methods",
        ),
        (
            {"methods": (MethodEvidence("gradient", "", Standing.BEST, same_as="gradient"),)},
            "run.evidence.methods[0].same_as isn't the method that it follows",
        ),
    ],
    ids=["measure", "recommended", "method", "same maps as nobody before"],
)
def test_evidence_that_names_what_is_not_there_is_refused_in_a_line(
    run: StoredRun, tmp_path: Path, change: dict[str, object], said: str
) -> None:
    shutil.copytree(run.folder, tmp_path / "r")
    assert run.record.evidence is not None
    wrong = replace(run.record.evidence, **change)  # type: ignore[arg-type] # fields of it
    rewritten(tmp_path / "r", lambda record, images: (replace(record, evidence=wrong), images))
    result = command("evidence", tmp_path / "r", code=2)
    assert said in result.output and "Traceback" not in result.output


def test_a_repair_judges_by_what_is_left(run: StoredRun, evidence: Evidence, tmp_path: Path) -> None:
    shutil.copytree(run.folder, tmp_path / "r")
    for path in sorted((tmp_path / "r" / "arrays").iterdir())[:3]:
        path.write_bytes(b"damaged")
    repair(tmp_path / "r")
    mended = load_run(tmp_path / "r")
    assert mended.record.evidence is not None and mended.record.evidence.images == IMAGES - 3
    assert mended.record.evidence == evidence_of(mended.record, mended.images()) != evidence
