"""Pages are the same bytes by any number of processes, and fail in the same words."""

from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copytree

import pytest

from cnnvis_report.data import processes
from cnnvis_report.errors import RunFailed
from cnnvis_report.progress import Progress
from cnnvis_report.report.comparison.write import write_comparison
from cnnvis_report.report.site import image_pages
from cnnvis_report.report.site.image_pages import page_processes
from cnnvis_report.report.site.site_writer import SiteOptions, write_pages
from cnnvis_report.report.write import write_site
from cnnvis_report.store import load_run
from cnnvis_report.store.array_files.arrays import Damaged
from tests.figures import full_figures
from tests.fixtures.make_run import FOLDER
from tests.report.comparison.planted import compared


class Names(Progress):
    """Remembers what is done."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def done(self, item: str, *, in_steps: bool = False) -> None:
        """One more page."""
        self.names.append(item)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """Processes that a small run is shared among, too; they pack pictures as users get them, and so does this one."""
    started: list[object] = []
    start = processes._Process.__init__

    def counted(process: processes._Process, work: object) -> None:
        started.append(process)
        start(process, work)  # type: ignore[arg-type] # whatever it is

    monkeypatch.setattr(image_pages, "MAPS_EACH", 1)
    monkeypatch.setattr(processes._Process, "__init__", counted)
    with full_figures():
        yield started


def test_a_site_is_the_same_by_any_number_of_processes(tmp_path: Path, shared: list[object]) -> None:
    run, sites = load_run(FOLDER), {}
    for count in (1, 2):
        folder, progress = tmp_path / str(count), Names()
        folder.mkdir()
        write_pages(run, folder, progress, SiteOptions(processes=count))
        assert progress.names == [image.name for image in run.images()]
        sites[count] = contents(folder)
    assert len(shared) == 2, "a process each, and none where one was asked for"
    assert sites[1] == sites[2]


def test_so_is_a_comparison(tmp_path: Path, shared: list[object]) -> None:
    report = compared(tmp_path / "runs")
    for count in (1, 2):
        options = SiteOptions(processes=count)
        write_comparison(report.comparison, report.runs, tmp_path / str(count), options=options)
    assert len(shared) == 2 and contents(tmp_path / "1") == contents(tmp_path / "2")


@pytest.mark.usefixtures("shared")
def test_what_is_damaged_is_named_from_another_process(tmp_path: Path) -> None:
    folder = Path(copytree(FOLDER, tmp_path / "run"))
    run = load_run(folder)
    arrays = sorted((folder / "arrays").iterdir())[1]
    arrays.write_bytes(bytes(arrays.stat().st_size))
    (tmp_path / "site").mkdir()
    with pytest.raises(Damaged, match=f"{arrays.name}: isn't what the run has written there"):
        write_pages(run, tmp_path / "site", Progress(), SiteOptions(processes=2))


def test_a_process_that_is_killed_leaves_the_report_as_it_was(
    tmp_path: Path, shared: list[processes._Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(copytree(FOLDER, tmp_path / "run"))
    before = contents(folder)
    counted = processes._Process.__init__

    def killed(process: processes._Process, work: Callable[[object], object]) -> None:
        counted(process, work)
        process._process.kill()

    monkeypatch.setattr(processes._Process, "__init__", killed)
    with pytest.raises(RunFailed, match="ended with signal 9: memory may have run out"):
        write_site(load_run(folder), options=SiteOptions(processes=2))
    assert len(shared) == 2 and contents(folder) == before
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize(
    ("maps", "wanted", "count"),
    [(0, None, 1), (299, 8, 1), (301, 8, 2), (10_000, 8, 8), (10_000, 1, 1)],
    ids=["none", "few", "two", "many", "one-asked-for"],
)
def test_a_process_is_started_where_it_has_enough_to_do(maps: int, wanted: int | None, count: int) -> None:
    assert page_processes(maps, wanted) == count
