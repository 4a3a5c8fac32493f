"""A single file within a size: the steps in their order, the methods that stay, and what the page says of the cost."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from cnnvis_report.errors import BadRequest
from cnnvis_report.progress import Progress
from cnnvis_report.records.methods import Sign
from cnnvis_report.report.pictures.encode import QUALITIES, Quality, as_shown
from cnnvis_report.report.single_file import single_file_writer, size_limit
from cnnvis_report.report.single_file import size_limit as errors
from cnnvis_report.report.single_file.single_file_writer import RunWithFewerMaps, most_useful_first, write_single
from cnnvis_report.report.single_file.size_limit import LimitedPage, SizeNotices, fit, map_error
from cnnvis_report.settings.text_kinds import Size
from cnnvis_report.store import load_run
from cnnvis_report.store.run_folder import StoredRun
from tests.conftest import command
from tests.fixtures.make_run import FOLDER

FIXED = 1000  # bytes of a page without maps
WEIGHTS = {"cam": 100, "gradient": 400, "random": 300}


def share_of(quality: Quality) -> float:
    """What the maps take, of what they take in full quality."""
    return 1 - 0.1 * [(known.steps, known.halved) for known in QUALITIES].index((quality.steps, quality.halved))


class Pages:
    """Stands for a page: its size by the quality, and what was written."""

    def __init__(self, run: StoredRun, *, known_shares: bool = False) -> None:
        self.run, self.known_shares = run, known_shares
        self.written: list[tuple[SizeNotices, Quality]] = []

    def write(self, quality: Quality, notices: SizeNotices) -> tuple[int, Mapping[str, int]]:
        self.written.append((notices, quality))
        share = share_of(quality)
        weights = {name: round(size * share) for name, size in WEIGHTS.items() if name not in quality.left_out}
        return FIXED + sum(weights.values()), weights

    def sampled_bytes(self, quality: Quality) -> int:
        return round(1000 * share_of(quality)) if self.known_shares else 1000

    def error(self, quality: Quality) -> errors.MapError | None:
        return map_error(self.run, quality)

    @property
    def methods(self) -> dict[str, str]:
        return {name: name.title() for name in ("cam", "gradient", "random")}


@pytest.fixture
def run() -> StoredRun:
    return load_run(FOLDER)


@pytest.mark.parametrize(
    ("most", "quality"),
    [
        pytest.param(1800, QUALITIES[0], id="all of it"),
        pytest.param(1720, QUALITIES[1], id="fewer steps"),
        pytest.param(1640, QUALITIES[2], id="fewer steps still"),
        pytest.param(1560, QUALITIES[3], id="half the size"),
        pytest.param(1480, QUALITIES[4], id="half the size, fewer steps"),
        pytest.param(1479, replace(QUALITIES[4], left_out=("random",)), id="two methods"),
        pytest.param(1100, replace(QUALITIES[4], left_out=("gradient", "random")), id="one method"),
    ],
)
def test_the_first_step_that_fits_is_taken(run: StoredRun, most: int, quality: Quality) -> None:
    assert fit(Pages(run, known_shares=True), most) == quality


def test_a_size_that_nothing_fits_is_refused_with_the_one_that_would(
    run: StoredRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(
        BadRequest, match=r"--max-size .*: the smallest page, with the maps of one method, has 1\.06 kB"
    ):
        fit(Pages(run), 1001)
    monkeypatch.setattr(size_limit, "LIMIT", 1001)
    assert fit(Pages(run), None) == QUALITIES[-1], "25 MB are kept where possible"


def test_what_is_left_out_is_said() -> None:
    pages = Pages(load_run(FOLDER))
    quality = fit(pages, 1300)
    notices, last = pages.written[-1]
    assert last == quality and "left out" in notices.around(["another"])[0]
    run = RunWithFewerMaps(FOLDER, load_run(FOLDER).record, frozenset(quality.left_out))
    for image in run.images():
        assert not {record.method for record in image.maps} & set(quality.left_out)
        assert not {key.partition("/")[0] for key in run.maps(image)} & set(quality.left_out)


def test_methods_that_the_evidence_puts_last_go_first(run: StoredRun) -> None:
    evidence = run.evidence
    assert evidence is not None and most_useful_first(run) == [row.method for row in evidence.methods]


@pytest.mark.parametrize("quality", QUALITIES, ids=str)
def test_the_stated_error_is_that_of_the_drawn_values(quality: Quality) -> None:
    values = np.random.default_rng(0).standard_normal((33, 40)).astype(np.float32)
    difference = np.abs(as_shown(values, Sign.SIGNED, quality) - values).max() / np.abs(values).max()
    assert difference <= quality.error + 1e-6
    flat = np.full((8, 8), 2.0, np.float32)
    np.testing.assert_allclose(as_shown(flat, Sign.POSITIVE, quality), flat, rtol=1e-6)


def test_averaging_is_measured(run: StoredRun, monkeypatch: pytest.MonkeyPatch) -> None:
    assert map_error(run, QUALITIES[3]) is None, "small maps are kept exactly"
    monkeypatch.setattr(errors, "EXACT_PIXELS_UP_TO", 0)
    monkeypatch.setattr(errors, "EXACT_UP_TO", 0)
    plain, halved = map_error(run, QUALITIES[0]), map_error(run, QUALITIES[3])
    assert plain is not None and halved is not None
    assert plain.largest <= QUALITIES[0].error and plain.mean < halved.mean < halved.largest <= 2


def test_a_page_that_is_kept_small_says_so(tmp_path: Path, small_report: Path) -> None:
    command("render", small_report, "--single-file")
    whole = (small_report / "index.html").stat().st_size
    result = command("render", small_report, "--max-size", whole - 3000)
    text = (small_report / "index.html").read_text(encoding="utf-8")
    assert len(text.encode()) <= whole - 3000, result.output
    assert "left out, so that this file stays small" in text and "This file is kept within" in text


@pytest.fixture
def small_report(tmp_path: Path) -> Path:
    import shutil

    return Path(shutil.copytree(FOLDER, tmp_path / "report"))


@pytest.mark.parametrize(
    ("text", "size"),
    [("25MB", 25_000_000), ("1.5 GiB", 1_610_612_736), ("800kb", 800_000), ("12", 12), (7, 7), ("0.5MB", 500_000)],
)
def test_sizes(text: object, size: int) -> None:
    assert Size().parse(text) == size


@pytest.mark.parametrize("text", ["", "MB", "-1MB", "0", "1e9", "1.5.2MB", "5XB", True, None, "9" * 40])
def test_what_is_no_size(text: object) -> None:
    with pytest.raises(BadRequest, match="isn't a size such as 25MB"):
        Size().parse(text)


def test_an_image_counts_once_however_often_the_page_is_written(
    run: StoredRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def twice(page: LimitedPage, most: int | None) -> Quality:
        for quality in QUALITIES[:2]:
            page.write(quality, SizeNotices())
        return QUALITIES[1]

    class Listener(Progress):
        names: ClassVar[list[str]] = []
        again: ClassVar[list[str]] = []

        def step(self, what: str, items: float = 0.0) -> None:
            self.again.append(what)
            assert not items

        def done(self, item: str, *, in_steps: bool = False) -> None:
            self.names.append(item)

    monkeypatch.setattr(single_file_writer, "fit", twice)
    write_single(run, tmp_path, Listener())
    assert len(Listener.names) == len(set(Listener.names)) == run.record.images
    assert Listener.again == [f"{name}, again to keep the file small" for name in Listener.names]
