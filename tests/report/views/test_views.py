"""What views gather of a small stored run, and of records that are changed by hand."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from cnnvis_report.evidence import words
from cnnvis_report.records.images import ClassScore
from cnnvis_report.report.pictures.encode import QUALITIES
from cnnvis_report.report.site import pages
from cnnvis_report.report.site.pages import Page
from cnnvis_report.report.site.site_writer import SiteOptions
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.features.page import Maximized, features
from cnnvis_report.report.views.links import Links, SingleFileLinks, SiteLinks
from cnnvis_report.report.views.report import Report
from cnnvis_report.report.views.verdict import verdict
from cnnvis_report.report.write import write_site
from cnnvis_report.store import load_run
from cnnvis_report.store.run_folder import StoredRun
from tests.fixtures.make_run import FOLDER
from tests.narrow import present


@pytest.fixture(scope="module")
def stored() -> StoredRun:
    return load_run(FOLDER)


def shown(stored: StoredRun, **changes: Any) -> Any:
    """The first feature visualization of the run, after changes to its record."""
    return next(each for each in visualizations(stored, **changes) if each.picture.endswith("maximized-0.webp"))


def visualizations(stored: StoredRun, **changes: Any) -> list[Maximized]:
    """All of them, in the order of the page, the first of the record changed."""
    inspection = present(stored.record.inspection)
    first, *others = inspection.maximized
    inspection = replace(inspection, maximized=(replace(first, **changes), *others))
    changed = StoredRun(stored.folder, replace(stored.record, inspection=inspection))
    return features(Report(changed, QUALITIES[0]), SiteLinks("pages/features")).maximized


@pytest.mark.parametrize("converged", [True, False])
def test_an_optimization_that_an_image_beats_is_marked(stored: StoredRun, converged: Any) -> None:
    assert shown(stored, converged=converged).converged is converged
    numbers = [int(re.findall(r"-(\d+)\.", each.picture)[0]) for each in visualizations(stored, converged=converged)]
    assert numbers == sorted(numbers, key=lambda number: number == 0 and not converged), "none of them comes first"


def test_only_the_score_of_a_class_is_called_a_logit(stored: StoredRun) -> None:
    assert shown(stored, layer="", activation=2.0).activation == "logit 2"
    unit = shown(stored, layer="features.3", activation=2.0)
    assert unit.activation == "activation 2" and unit.climb.startswith("activation over the optimization")


def test_where_an_optimization_started_is_said_as_it_was(stored: StoredRun) -> None:
    assert shown(stored, init="noise").init == "random initialization"
    assert shown(stored, init="image").init == "initialized from the strongest image"


@pytest.mark.parametrize(
    ("rank", "words"),
    [(1, "✓ correct"), (2, "✗ label ranked 2nd"), (5, "✗ label ranked 5th"), (None, "✗ misclassified")],
)
def test_a_verdict_says_where_the_label_is_ranked(stored: StoredRun, rank: int | None, words: Any) -> None:
    image = next(stored.images())
    label = replace(present(image.label), index=image.top[rank - 1].index if rank else 9)
    assert verdict(replace(image, label=label)).words == words


@pytest.mark.parametrize(
    ("value", "text"),
    [(1944, "1,944"), (1944.4, "1,944"), (0.523, "0.523"), (-0.145, "−0.145"), (6.1e-5, "6.1e−5"), (0, "0")],
)
def test_numbers_have_one_form(value: Any, text: str) -> None:
    assert fmt.number(value) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.944, "94.4%"), (1, "100%"), (0.9998, "100%"), (0.4, "40.0%"), (0, "0%"), (0.0004, "<0.1%"), (-0.02, "−2.0%")],
)
def test_shares_have_one_form(share: Any, text: str) -> None:
    assert fmt.percent(share) == text


def test_what_somebody_has_set_is_as_it_was_set() -> None:
    assert [fmt.level(share) for share in (0.5, 0.995, 1)] == ["50%", "99.5%", "100%"]


def test_a_value_and_its_interval_break_between_them_alone() -> None:
    assert fmt.interval("0.2 [0.1, 0.3]") == '0.2 <span class="ends">[0.1, 0.3]</span>'
    assert fmt.interval("–") == "–" and fmt.interval("<b>") == "&lt;b&gt;"


def test_values_below_each_other_have_the_same_decimals() -> None:
    assert words.column([0.621, -0.00053, None, 0.02]) == ["0.621", "−0.001", "", "0.020"]
    assert words.column([12.34, 1.0]) == ["12.3", "1.0"] and words.column([]) == []
    assert words.column([0.4, None], percent=True) == ["40.0%", ""]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.0004, "<0.001 s"),
        (0.0123, "0.012 s"),
        (0.0301, "0.030 s"),
        (0.8, "0.8 s"),
        (9.97, "10 s"),
        (112, "1 min 52 s"),
    ],
)
def test_times_are_seconds_and_minutes(seconds: Any, text: str) -> None:
    assert fmt.duration(seconds) == text


def test_a_class_with_a_number_for_a_name_is_told_from_its_score() -> None:
    assert fmt.named_score(ClassScore(2, "2", 2.43, 0.667)) == "2 (66.7%)"
    assert fmt.named_score(ClassScore(0, "age", 41.2, None)) == "age = 41.2"


@dataclass(frozen=True)
class Sizes:
    """What a page that a test adds shows."""

    network: str
    sizes: list[str]


def sizes(report: Report, _links: Links) -> Sizes:
    """Gather the sizes of the pictures."""
    return Sizes(report.network.name, [fmt.sides(image.size) for image in report.images()])


@pytest.mark.parametrize("single_file", [False, True], ids=["site", "single file"])
def test_a_page_is_a_row_a_view_and_a_template(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, single_file: bool
) -> None:
    """Navigation, file and part of the single file come from the row alone."""
    import shutil

    from cnnvis_report.report.site import assets, renderer

    templates = shutil.copytree(assets.folder("templates"), tmp_path / "templates")
    (templates / "sizes.html").write_text("<h1>Sizes</h1><p>{{ view.network }}: {{ view.sizes|join(', ') }}</p>")
    monkeypatch.setattr(renderer, "folder", lambda name: tmp_path / name)
    monkeypatch.setattr(pages, "PAGES", (*pages.PAGES, Page("sizes", "Sizes", sizes, "sizes.html")))
    folder = shutil.copytree(FOLDER, tmp_path / "run")
    write_site(load_run(folder), SiteOptions(single_file=single_file))
    text = (folder / ("index.html" if single_file else "sizes.html")).read_text(encoding="utf-8")
    assert "<p>tiny: 16×16, 16×16</p>" in text
    link = SingleFileLinks().page("sizes") if single_file else SiteLinks().page("sizes")
    assert f'href="{link}" data-nav="sizes"' in (folder / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted((FOLDER.parents[2] / "templates").rglob("*.html")), ids=lambda path: path.name)
def test_lines_of_templates_are_short_enough_to_read(path: Path) -> None:
    assert max(map(len, path.read_text(encoding="utf-8").splitlines())) <= 120


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("features.3.squeeze_activation", ["features.", "3.", "squeeze_", "activation"]),
        ("AdaptiveAvgPool2d", ["Adaptive", "Avg", "Pool2d"]),
        ("<b>.x", ["&lt;b&gt;.", "x"]),
        ("", [""]),
    ],
)
def test_names_break_where_their_parts_end(name: str, parts: list[str]) -> None:
    assert fmt.breakable(name) == "<wbr>".join(parts)
