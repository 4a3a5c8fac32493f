"""Pages show the numbers of the record of the evidence, and judge no method themselves."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cnnvis_report.evidence import words
from cnnvis_report.evidence.markdown import markdown
from cnnvis_report.records.evidence import (
    Check,
    Evidence,
    Interval,
    MeasureEvidence,
    MeasureOfMethod,
    MethodEvidence,
    Standing,
)
from cnnvis_report.records.metrics import MetricInfo
from cnnvis_report.report.site.site_writer import SiteOptions
from cnnvis_report.report.views.image.map_metrics import curve_names
from cnnvis_report.report.views.overview.effects import axis_of
from cnnvis_report.report.write import write_site
from cnnvis_report.store import load_run
from cnnvis_report.store.manifest import write_manifest
from tests.fixtures.make_run import FOLDER
from tests.narrow import present
from tests.report.page_text import page_text

FAITHFUL = MetricInfo("gain", "Gain", "Area between curves", True, ranks=True)
LOCAL = MetricInfo("inside", "Inside <b>", "Share in the mask", True, percent=True, needs_mask=True)
HOSTILE = "<script>alert(1)</script>"


def interval(mean: float, half: float, images: int = 16) -> Interval:
    return Interval(mean, mean - half, mean + half, images)


def measured(method: str, standing: Standing, mean: float, images: int = 16, **more: Any) -> MethodEvidence:
    """A method that scored so much more than a random map, of 0.2 itself."""
    measures = {
        "gain": MeasureOfMethod(interval(mean + 0.2, 0.1234, images), interval(mean, 0.0567, images)),
        "inside": MeasureOfMethod(interval(0.5, 0.111, 9), interval(mean / 2, 0.0432, 9)),
    }
    return MethodEvidence(method, "", standing, measures, forward=1, backward=2, **more)


RANDOMIZED = Check("randomization", False, interval(0.83, 0.031), f"barely changes {HOSTILE}")
EVIDENCE = Evidence(
    images=16,
    faithfulness="gain",
    localization="inside",
    measures=(MeasureEvidence("gain", 16, {"a flat image": 2}), MeasureEvidence("inside", 9)),
    methods=(
        measured("cam", Standing.BEST, 0.4123),
        measured("twin", Standing.COMPARABLE, 0.4123, same_as="cam", same_because=f"as theory says {HOSTILE}"),
        measured("second", Standing.COMPARABLE, 0.3987, images=14),
        measured("gradient", Standing.FAILED, 0.2345, checks=(RANDOMIZED,)),
        measured("random", Standing.REFERENCE, -0.0012),
        MethodEvidence("absent", "", Standing.NOT_APPLICABLE, not_applicable="no layer"),
    ),
    recommended=("cam", "second"),
    avoid=("gradient",),
    text=("Use CAM.", f"Avoid Gradient {HOSTILE}."),
    limits=("One.", "Two.", "Three.", "Four.", "Five."),
    random_maps=5,
    resamples=4000,
)


def site(folder: Path, evidence: Evidence | None, *, single_file: bool = False) -> Path:
    """The stored run with another verdict, in pages."""
    shutil.copytree(FOLDER, folder)
    stored = load_run(folder)
    run, images = stored.record, list(stored.images())
    more = tuple(replace(run.methods[0], name=name, title=f"{name} {HOSTILE}") for name in ("twin", "second", "absent"))
    evaluation = replace(present(run.evaluation), metrics=(FAITHFUL, LOCAL))
    run = replace(run, methods=(*run.methods, *more), evaluation=evaluation, evidence=evidence)
    write_manifest(folder, run, images)
    write_site(load_run(folder), SiteOptions(single_file=single_file))
    return folder


@pytest.fixture(scope="module")
def ranked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return site(tmp_path_factory.mktemp("ranked") / "run", EVIDENCE)


def section(folder: Path, page: str = "index.html", name: str = "faithful") -> str:
    return (folder / page).read_text(encoding="utf-8").partition(f'id="{name}"')[2].partition("</section>")[0]


def row_of(html: str, title: str) -> str:
    table = page_text(html.replace("<small", " <span").replace("</small>", "</span>"))
    return next(line for line in table.splitlines() if re.match(rf"\| {title}\b", line))


def test_the_numbers_on_the_overview_are_those_of_run_json(ranked: Path) -> None:
    stored = json.loads((ranked / "run.json").read_text(encoding="utf-8"))["run"]["evidence"]
    html = section(ranked)
    for method in stored["methods"]:
        if method["same_as"] or not method["measures"]:
            continue
        title = {"cam": "CAM", "gradient": "Gradient", "random": "Random"}.get(method["method"], method["method"])
        row = row_of(html, title)
        for name, percent in (("gain", False), ("inside", True)):
            values = {key: Interval(**method["measures"][name][key]) for key in ("value", "difference")}
            assert f" {words.interval(values['value'], percent=percent)}" in row
            assert f" {words.difference(values['difference'], percent=percent)}" in row


@pytest.mark.parametrize("page", ["index.html", "methods.html"])
def test_pages_and_markdown_say_the_same_numbers(ranked: Path, page: str) -> None:
    record = load_run(ranked).record
    text = markdown(EVIDENCE, record).replace("\\", "")
    shown = page_text((ranked / page).read_text(encoding="utf-8"))
    cam = EVIDENCE.methods[0].measures
    for number in (
        words.interval(cam["gain"].value),
        words.difference(present(cam["gain"].difference)),
        words.interval(cam["inside"].value, percent=True),
        words.difference(present(cam["inside"].difference), percent=True),
    ):
        assert number in text and number in shown, number


def test_methods_stand_in_the_order_of_the_record_with_their_standing_and_equal_maps_in_one_row(ranked: Path) -> None:
    html = section(ranked)
    rows = [row_of(html, title) for title in ("CAM", "second", "Gradient", "Random")]
    assert [line for line in page_text(html.replace("<small", " <span")).splitlines() if line in rows] == rows
    for row, standing in zip(rows, ("best", "not distinguishable from the best", "✗", "reference"), strict=True):
        assert f" {standing} " in row
    assert re.search(r"CAM \[Same map: as theory says .*\] = twin", row_of(html, "CAM"))
    assert "n = 14" in row_of(html, "second") and "n = " not in row_of(html, "CAM")
    assert "absent" not in html and "1 method of the run" in " ".join(page_text(html).split())


def test_only_a_method_with_a_failed_check_is_struck_and_says_why(ranked: Path) -> None:
    html = section(ranked)
    assert re.findall("<s>(.*?)</s>", html) == ["Gradient"]
    assert "✗ barely changes" in row_of(html, "Gradient") and "0.830 [0.799, 0.861] failed" in row_of(html, "Gradient")


def test_sentences_and_limits_stand_below_the_table(ranked: Path) -> None:
    html = section(ranked)
    places = [html.index(text) for text in ("<table", "Use CAM.", "Avoid Gradient", "One.", "Four.", "1 more", "Five.")]
    assert places == sorted(places)
    assert "n = 16 images" in page_text(html) and "n = 9" in page_text(html)


def test_text_of_strangers_stays_text(ranked: Path) -> None:
    for page in ("index.html", "methods.html"):
        html = (ranked / page).read_text(encoding="utf-8")
        assert HOSTILE not in html and "&lt;script&gt;alert(1)" in html


def test_methods_page_has_verdict_checks_and_measures(ranked: Path) -> None:
    text = page_text((ranked / "methods.html").read_text(encoding="utf-8"))
    assert "✗ randomization: barely changes" in text and "Same map as\nCAM: as theory says" in text
    measures = page_text(section(ranked, "methods.html", "all-measures"))
    assert measures.index("Faithfulness") < measures.index("Localization")
    assert "61% [" not in measures and "50% [39, 61]" in measures


@pytest.mark.parametrize("images", [1, 4])
def test_few_images_give_no_ranking_and_no_bars(tmp_path: Path, images: int) -> None:
    few = replace(EVIDENCE, images=images, faithfulness="", text=(), limits=(f"{images} are too few.",))
    html = section(site(tmp_path / "run", few))
    assert f'<p class="finding">{images} are too few.</p>' in html
    assert "<table" not in html and "<svg" not in html


def test_an_image_is_no_evidence_and_ranks_nothing(ranked: Path) -> None:
    html = next((ranked / "images").iterdir()).read_text(encoding="utf-8")
    text = page_text(html)
    assert "One image says little about a method" in text and "★" not in text and "best" not in text.lower()
    assert 'href="../index.html#faithful"' in html


def test_the_single_file_has_the_section(tmp_path: Path) -> None:
    folder = site(tmp_path / "run", EVIDENCE, single_file=True)
    assert "Use CAM." in section(folder) and 'href="#page=methods&amp;at=cam"' in section(folder)


def test_zero_and_all_intervals_lie_on_the_axis() -> None:
    intervals = [interval(0.3, 0.1), interval(-0.02, 0.03), Interval(0.1, None, None, 2)]
    axis = present(axis_of(intervals))
    assert 0 < axis.zero < 100 and axis.position(0.0) == axis.zero
    for one in intervals:
        bar = axis.bar(one)
        assert 0 < bar.low <= bar.mean <= bar.high < 100
    assert (axis.zero, "0.0") in axis.ticks
    positions = [position for position, _ in axis.ticks]
    assert len(positions) <= 6 and all(0 <= position <= 100 for position in positions)


@pytest.mark.parametrize("intervals", [[], [Interval(0.0, 0.0, 0.0, 9)]], ids=["none", "all zero"])
def test_nothing_to_draw_has_no_axis(intervals: list[Interval]) -> None:
    assert axis_of(intervals) is None


@pytest.mark.parametrize(
    ("ranking", "drawn"),
    [
        ("relevance_gain_blur_log_odds", "_blur_log_odds"),
        ("relevance_gain_mean", "_mean"),
        ("insertion_mean", "_mean"),
        ("road", "_blur"),
        ("", "_blur"),
    ],
)
def test_curves_are_those_of_the_measure_that_ranks(ranking: str, drawn: str) -> None:
    endings = ("_blur", "_blur_log_odds", "_mean")
    curves: dict[str, tuple[float, ...]] = {
        f"{kind}{ending}": (0.0, 1.0) for ending in endings for kind in ("insertion", "deletion")
    }
    image = next(load_run(FOLDER).images())
    scored = replace(present(image.metrics).maps[0], curves=curves)
    assert curve_names(ranking, [scored]) == {f"insertion{drawn}": "insertion", f"deletion{drawn}": "deletion"}


def test_a_method_with_the_same_maps_is_struck_alone(tmp_path: Path) -> None:
    """One of two may fail a check that the other wasn't put to."""
    failing = replace(EVIDENCE.methods[1], standing=Standing.FAILED, checks=(RANDOMIZED,))
    methods = (EVIDENCE.methods[0], failing, *EVIDENCE.methods[2:])
    html = section(site(tmp_path / "run", replace(EVIDENCE, methods=methods)))
    struck = re.findall("<s>(.*?)</s>", html)
    assert [title.split()[0] for title in struck] == ["twin", "Gradient"]


def test_numbers_that_are_the_same_stand_once(ranked: Path, tmp_path: Path) -> None:
    """A random map has a relevance gain of 0, so that the gain and its difference to that of one are one number."""
    named = EVIDENCE.faithfulness
    same = tuple(
        replace(
            method,
            measures={
                name: replace(scored, difference=scored.value) if name == named else scored
                for name, scored in method.measures.items()
            },
        )
        for method in EVIDENCE.methods
    )
    html = section(site(tmp_path / "run", replace(EVIDENCE, methods=same)))
    value = words.interval(EVIDENCE.methods[0].measures[named].value)
    assert page_text(html).count(value) == 1 and "0 for a random map" in html and "Difference <" not in html
    assert "Difference <" in section(ranked) and "0 for a random map" not in section(ranked)


def test_a_page_opens_with_why_nothing_is_ranked(tmp_path: Path) -> None:
    """And the sentences folded away are called what they are."""
    measured_ones = [row for row in EVIDENCE.methods if row.standing in (Standing.BEST, Standing.COMPARABLE)]
    unranked = (*(replace(row, standing=Standing.UNKNOWN) for row in measured_ones), *EVIDENCE.methods[3:])
    few = replace(EVIDENCE, faithfulness="", methods=unranked, recommended=(), text=("Avoid Gradient.",))
    folder = site(tmp_path / "run", few)
    page = (folder / "methods.html").read_text(encoding="utf-8")
    assert '<p class="lead">One.</p>' in page
    for html in (page, section(folder)):
        assert "<summary>What to avoid, and which maps are the same</summary>" in html
    assert "| not ranked |" in page_text(page) and "not measured" not in page
