"""Images of a comparison are read one at a time, whatever is made of them."""

import pickle
import weakref
from pathlib import Path
from typing import Any

import pytest

from cnnvis_report.comparison.compare import compare_runs
from cnnvis_report.comparison.read import write_compared
from cnnvis_report.errors import BadRequest
from cnnvis_report.records.compared_images import ComparedImage
from cnnvis_report.report.comparison.report import ComparedReport
from cnnvis_report.report.comparison.write import write_comparison
from cnnvis_report.report.markdown.comparison import comparison_document
from cnnvis_report.report.site.site_writer import SiteOptions
from cnnvis_report.store.run_folder import StoredRun
from tests.comparison.runs import Planted, planted_run
from tests.evaluation.replicas import drawn_map

IMAGES, PAGES, AT_ONCE = 60, 10, 25


class Alive:
    """Counts the compared images that are in memory."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.refs: dict[int, weakref.ref[ComparedImage]] = {}
        self.most = 0
        self._begin = ComparedImage.__init__
        monkeypatch.setattr(ComparedImage, "__init__", lambda image, *values, **named: self._add(image, values, named))

    def _add(self, image: ComparedImage, values: tuple[Any, ...], named: dict[str, Any]) -> None:
        self._begin(image, *values, **named)
        number = id(image)
        self.refs[number] = weakref.ref(image, lambda _: self.refs.pop(number, None))
        self.most = max(self.most, len(self.refs))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[StoredRun]:
    top = tmp_path_factory.mktemp("runs")
    return [
        planted_run(
            top / name,
            [
                Planted(f"{number}.png", number % 3 * new, 0, maps={("cam", "", 0): drawn_map(4, 4, seed=number + new)})
                for number in range(IMAGES)
            ],
        )
        for new, name in enumerate(("old", "new"))
    ]


def test_a_comparison_holds_few_images_whatever_their_number(
    runs: list[StoredRun], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alive = Alive(monkeypatch)
    comparison = write_compared(runs, tmp_path)
    assert len(comparison.images) == IMAGES and 0 < alive.most <= AT_ONCE
    write_comparison(comparison, runs, tmp_path, options=SiteOptions(PAGES, 1))
    assert len(list((tmp_path / "images").glob("*.html"))) == PAGES and alive.most <= AT_ONCE
    comparison_document(comparison, ())
    assert alive.most <= AT_ONCE


def test_what_is_read_is_what_was_compared(runs: list[StoredRun], tmp_path: Path) -> None:
    stored, compared = write_compared(runs, tmp_path), compare_runs(runs)
    assert stored == compared and pickle.loads(pickle.dumps(stored)) == stored
    assert stored.images[3] == compared.images[3] and stored.images[2:4] == tuple(compared.images[2:4])
    report = ComparedReport(stored, runs, 5)
    assert [image.id for image in report.images] == report.ids and len(report.images[1:]) == 4


def test_a_record_that_was_written_again_is_noticed(runs: list[StoredRun], tmp_path: Path) -> None:
    stored = write_compared(runs, tmp_path)
    (tmp_path / "comparison.json").write_text("x" * 100_000, encoding="utf-8")
    with pytest.raises(BadRequest, match="Compare the runs again"):
        list(stored.images)
