"""The files of a report, whole or not there."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cnnvis_report.errors import BadRequest, WentAway
from cnnvis_report.progress import Progress
from cnnvis_report.report.pictures.encode import QUALITIES, Quality
from cnnvis_report.report.single_file.single_file_writer import write_single
from cnnvis_report.report.site.rendered import RenderedSite, digest, program, read_rendered, signature, write_rendered
from cnnvis_report.report.site.site_writer import DEFAULT, SiteOptions, write_pages
from cnnvis_report.store.files import names as named
from cnnvis_report.store.files.atomic import blocked_by, files_below, remove, within
from cnnvis_report.store.files.lock import writing
from cnnvis_report.store.files.output_file import aside
from cnnvis_report.store.own_files import check_pages, list_pages, pages_of
from cnnvis_report.store.remains import clear_pages
from cnnvis_report.store.run_folder import StoredRun


@dataclass(frozen=True)
class Written:
    """The first page, the size of all pages with what they need, and how finely they keep the maps.

    sample: how many images have a page, where not all have one, in words; empty elsewhere.
    """

    first_page: Path
    bytes: int
    quality: Quality
    sample: str = ""


def write_site(run: StoredRun, options: SiteOptions = DEFAULT, progress: Progress | None = None) -> Written:
    """Write the pages of a run into its folder, in place of those that an earlier call has written.

    The pages are made aside and moved when all are there, so that no half page stays behind. Pages of images stay where
    nothing of what they were made from has changed. No link in the folder is followed.

    Args:
        progress: told of each image when its page is made.

    Raises:
        BadRequest: the run is damaged or keeps no arrays, the page can't be made so small, or somebody else is writing
        there.
        WentAway: the folder is gone.
    """
    run.need_arrays()
    listener = progress or Progress()
    try:
        if options.in_one_file:
            return replace_pages(run.folder, lambda building: fill(run, building, options, listener))
        return _replace_site(run, listener, options)
    finally:
        clear_pages(run.folder)


def _replace_site(run: StoredRun, listener: Progress, options: SiteOptions) -> Written:
    folder = run.folder
    before, key = read_rendered(folder), digest(program(), options.pages, run.record.settings.get("title"))
    if before is not None and set(before.files) != set(pages_of(folder)):  # the list of pages was lost, say
        before = None
    if before is not None and before.key == key and before.signature == _signature(run, before.files) != "":
        sample = _sample(len(before.images), run.record.images, options)
        return Written(folder / "index.html", _size(folder, before.files), QUALITIES[0], sample)
    with _aside(folder) as building:
        pages = write_pages(run, building, listener, options, before)
        files = _move(building, folder, pages.unchanged)
        images = {page.id: page.placed(folder) for page in pages.images.values()}
        write_rendered(folder, RenderedSite(key, tuple(files), _signature(run, files), images))
    sample = _sample(len(images), run.record.images, options)
    return Written(folder / "index.html", _size(folder, files), pages.quality, sample)


def _sample(with_page: int, images: int, options: SiteOptions) -> str:
    """Such as "74 of 100 images have a page, more than --pages 12, as other pages lead to them"."""
    if with_page >= images:
        return ""
    more = f", more than --pages {options.pages:,}, as other pages lead to them" if with_page > options.pages else ""
    return f"{with_page:,} of {images:,} images have a page{more}"


def _signature(run: StoredRun, files: Iterable[str]) -> str:
    """What the system says of the files of a site, and of those of its run."""
    return signature(run.folder, [named.MANIFEST, *run.record.files, *files])


def _size(folder: Path, files: Iterable[str]) -> int:
    return sum((folder / name).stat().st_size for name in files)


def replace_pages(folder: Path, write: Callable[[Path], Quality]) -> Written:
    """Make pages aside, and put them into a folder in place of those that an earlier call has written there.

    Args:
        write: writes them into an empty folder.

    Raises:
        BadRequest: somebody else is writing there, or something else is in the place of a page. WentAway: the folder is
        gone.
    """
    with _aside(folder) as building:
        quality = write(building)
        files = _move(building, folder)
    return Written(folder / "index.html", _size(folder, files), quality)


@contextmanager
def _aside(folder: Path) -> Iterator[Path]:
    """An empty folder within the folder, for pages that aren't all there yet."""
    with writing(folder), aside(folder) as building:
        try:
            yield building
        except (FileNotFoundError, BadRequest) as error:
            if building.is_dir():
                raise
            raise WentAway(f"{folder}: went away while its pages were written. Start it again.") from error


def fill(run: StoredRun, folder: Path, options: SiteOptions, progress: Progress) -> Quality:
    """Write the pages of a run into an empty folder; arguments as of `write_site`."""
    if options.in_one_file:
        return write_single(run, folder, progress, options.max_size)
    return write_pages(run, folder, progress, options).quality


def _move(building: Path, folder: Path, unchanged: frozenset[str] = frozenset()) -> list[str]:
    """Put the pages into their places, and take those away that an earlier call has written; the names of all pages.

    Args:
        unchanged: pages that are in their places, and stay there.
    """
    names = files_below(building)
    targets = {name: named.place(folder, name) for name in names}
    old = pages_of(folder)
    _check_room([folder / named.PAGES, *targets.values()])
    check_pages({name: building / name for name in names}, old, folder)
    list_pages(folder, {*old, *names})
    remove(folder, [name for name in old if name not in targets and name not in unchanged])
    for name in targets:
        (building / name).replace(within(folder, name))
    pages = sorted({*names, *unchanged})
    list_pages(folder, pages)
    return pages


def _check_room(paths: Sequence[Path]) -> None:
    """Refuse to write pages where something else is, before the first of them is written.

    Raises:
        BadRequest: a folder is in the place of a page, or a file in that of a folder.
    """
    above = {path.parent: path for path in paths}
    for blocked in filter(None, map(blocked_by, above.values())):
        raise BadRequest(f"{blocked}: is a file, where a folder with pages has to be. Move it away.")
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            raise BadRequest(f"{path}: is a folder, where a page has to be. Move it away.")
