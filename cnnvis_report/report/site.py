"""The files of a report, whole or not there."""

from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

from cnnvis_report.files import remove
from cnnvis_report.report.encode import Quality
from cnnvis_report.report.pages import write_pages
from cnnvis_report.report.progress import Advance
from cnnvis_report.report.single import write_single
from cnnvis_report.store import StoredRun, list_pages, pages_of

BUILDING = ".pages"


@dataclass(frozen=True)
class Written:
    """The first page, the size of all pages with what they need, and how finely they keep the maps."""

    first_page: Path
    bytes: int
    quality: Quality


def write_site(run: StoredRun, *, single_file: bool = False, advance: Advance = lambda _: None) -> Written:
    """Write the pages of a run into its folder, in place of those that an earlier call has written.

    The pages are made aside and moved when all are there, so that no half page stays behind.

    Args:
        single_file: one page that holds everything, with maps kept as finely as 25 MB allow.
        advance: called with each image's name when its page is made.

    Raises:
        BadRequest: the run is damaged.
    """
    building = run.folder / BUILDING
    rmtree(building, ignore_errors=True)
    building.mkdir()
    try:
        quality = (write_single if single_file else write_pages)(run, building, advance)
        names = sorted(path.relative_to(building).as_posix() for path in building.rglob("*") if path.is_file())
        size = sum((building / name).stat().st_size for name in names)
        old = pages_of(run.folder)
        list_pages(run.folder, {*old, *names})
        remove(run.folder, [name for name in old if name not in names])
        for name in names:
            (run.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (building / name).replace(run.folder / name)
        list_pages(run.folder, names)
    finally:
        rmtree(building, ignore_errors=True)
    return Written(run.folder / "index.html", size, quality)
