"""The first page of a report that is being made: what it says, when it is written, and that it is replaced."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cnnvis_report.errors import WentAway
from cnnvis_report.records.identity import Identity
from cnnvis_report.report.unfinished import BEAT, PAUSE, SHOWN, UnfinishedReport
from cnnvis_report.report.write import write_site
from cnnvis_report.store import load_run
from cnnvis_report.store.files.names import JOURNAL, LOCK
from cnnvis_report.store.journal import JournalTail
from cnnvis_report.store.own_files import clear, is_run_folder, pages_of
from cnnvis_report.store.run_folder import StoredRun
from cnnvis_report.store.writer import RunWriter
from tests.fixtures.make_run import FOLDER
from tests.pages.many_images import many


class Clock:
    """Seconds that pass as the test says."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def stored() -> StoredRun:
    return load_run(FOLDER)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def writer(tmp_path: Path, stored: StoredRun) -> Iterator[RunWriter]:
    """A run whose images are done one by one."""
    names = {image.id: image.name for image in many(SHOWN + 6).images()}
    yield RunWriter(tmp_path, stored.record.identity or Identity({}), names, resume=False)


def page_of(writer: RunWriter, stored: StoredRun, clock: Clock) -> UnfinishedReport:
    return UnfinishedReport(writer.folder, "<b>What it sees</b>", SHOWN + 6, stored.record.methods, clock)


def add(writer: RunWriter, stored: StoredRun, number: int, count: int = 1) -> None:
    """Images of the fixture under many names are done."""
    run = many(SHOWN + 6)
    for image in list(run.images())[number : number + count]:
        writer.add(image, run.stored_arrays(image), {})


def text(folder: Path) -> str:
    return " ".join((folder / "index.html").read_text(encoding="utf-8").split())


def test_the_page_grows_with_the_run(writer: RunWriter, stored: StoredRun, clock: Clock) -> None:
    page = page_of(writer, stored, clock)
    page.update()
    assert not (writer.folder / "index.html").exists(), "nothing to show yet"
    add(writer, stored, 0)
    page.update()
    first = text(writer.folder)
    assert f"1 of {SHOWN + 6} images so far" in first and "This report isn't complete" in first
    assert "&lt;b&gt;What it sees" in first and "<b>What it" not in first
    assert first.count("data:image/webp;base64,") == 1 and first.count("data:image/jpeg;base64,") == 1
    add(writer, stored, 1, SHOWN + 1)
    page.update()
    assert text(writer.folder) == first, "not due"
    clock.now += PAUSE
    page.update()
    assert f"{SHOWN + 2} of {SHOWN + 6} images so far" in text(writer.folder)
    names = re.findall(r'<span class="name">([^<]+)</span>', text(writer.folder))
    newest = [image.name for image in many(SHOWN + 2).images()][::-1]
    assert names == newest[:SHOWN]


def test_names_on_it_are_text(writer: RunWriter, stored: StoredRun, clock: Clock) -> None:
    page = page_of(writer, stored, clock)
    run, evil = many(SHOWN + 6), "<script>alert(1)</script>\"'{{7*7}}"
    image = next(iter(run.images()))
    scores = tuple(replace(score, name=evil) for score in image.top)
    writer.add(replace(image, name=evil, top=scores), run.stored_arrays(image), {})
    page.update()
    shown = text(writer.folder)
    assert shown.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 3 and "<script>alert" not in shown
    assert "{{7*7}}" in shown


def test_it_is_written_again_while_the_run_works_without_new_images(
    writer: RunWriter, stored: StoredRun, clock: Clock
) -> None:
    page = page_of(writer, stored, clock)
    add(writer, stored, 0)
    page.update()
    (writer.folder / "index.html").unlink()
    clock.now += BEAT - 1
    page.update()
    assert not (writer.folder / "index.html").exists()
    clock.now += 300
    page.update()
    patience = re.search(r'data-patience="(\d+)"', text(writer.folder))
    assert patience and int(patience[1]) == 5 * 300, "five times the longest silence"


def test_a_run_that_stops_says_so_where_there_is_a_page(writer: RunWriter, stored: StoredRun, clock: Clock) -> None:
    page = page_of(writer, stored, clock)
    page.stop("with an error")
    assert not (writer.folder / "index.html").exists()
    add(writer, stored, 0)
    page.update()
    add(writer, stored, 1)
    page.stop("because it was interrupted")
    html = text(writer.folder)
    assert f"The run stopped because it was interrupted</b> after 2 of {SHOWN + 6} images" in html
    assert "so far" not in html and "goes on from there" in html


def test_of_a_folder_that_is_deleted_meanwhile_nothing_is_left_that_nobody_knows(
    writer: RunWriter, stored: StoredRun, clock: Clock
) -> None:
    """Whoever deletes it comes to the journal first, say, and is overtaken by what the run still writes."""
    page = page_of(writer, stored, clock)
    add(writer, stored, 0)
    page.update()
    (writer.folder / "notes.txt").write_text("mine")
    (writer.folder / JOURNAL).unlink()
    with pytest.raises(WentAway):
        add(writer, stored, 1)
    page.stop("with an error")
    left = [path for path in writer.folder.rglob("*") if path.is_file()]
    assert [path.name for path in left if path.name != LOCK] == ["notes.txt"]


def test_the_page_is_one_of_ours(writer: RunWriter, stored: StoredRun, clock: Clock) -> None:
    page = page_of(writer, stored, clock)
    add(writer, stored, 0)
    page.update()
    assert pages_of(writer.folder) == ["index.html"] and is_run_folder(writer.folder)
    clear(writer.folder)
    assert not (writer.folder / "index.html").exists()


def test_the_complete_report_takes_its_place(tmp_path: Path, stored: StoredRun, clock: Clock) -> None:
    images = list(stored.images())
    folder = tmp_path / "run"
    names = {image.id: image.name for image in images}
    writer = RunWriter(folder, stored.record.identity or Identity({}), names, resume=False)
    page = UnfinishedReport(folder, "title", len(images), stored.record.methods, clock)
    for image in images:
        writer.add(image, stored.stored_arrays(image), {})
    page.update()
    assert "2 of 2 images so far" in text(folder) and "may still follow" in text(folder)
    for name in stored.record.files:
        if name.startswith("inspection/"):
            writer.add_inspection(Path(name).stem, stored.inspection_arrays(Path(name).stem))
    writer.finish(stored.record)
    write_site(load_run(folder))
    assert "so far" not in text(folder) and "isn't complete" not in text(folder)


def test_half_a_line_waits_and_a_broken_one_is_passed_over(
    tmp_path: Path, writer: RunWriter, stored: StoredRun
) -> None:
    tail = JournalTail(tmp_path, 5)
    assert not tail.grown()
    add(writer, stored, 0, 2)
    whole = (tmp_path / JOURNAL).read_bytes()
    (tmp_path / JOURNAL).write_bytes(whole[:-20])
    assert tail.grown() and (tail.count, len(tail.newest())) == (1, 1)
    (tmp_path / JOURNAL).write_bytes(whole + b'{"image": {"id": 3}}\n')
    assert tail.grown() and (tail.count, len(tail.newest())) == (3, 2)
    (tmp_path / JOURNAL).unlink()
    assert not tail.grown()


def test_a_picture_that_is_gone_leaves_the_name(writer: RunWriter, stored: StoredRun, clock: Clock) -> None:
    page = page_of(writer, stored, clock)
    add(writer, stored, 0)
    for path in (writer.folder / "arrays").iterdir():
        path.unlink()
    page.update()
    assert "data:image/jpeg" not in text(writer.folder) and 'class="name"' in text(writer.folder)
