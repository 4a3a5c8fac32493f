"""A report handed on: what is written for a reader who isn't to get all of it, and where."""

import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from typing import Protocol

from cnnvis_report.errors import BadRequest
from cnnvis_report.progress import Progress
from cnnvis_report.report.site.site_writer import DEFAULT, SiteOptions
from cnnvis_report.report.write import fill
from cnnvis_report.sharing.anonymous_run import write_anonymous
from cnnvis_report.sharing.zip_file import check_zip, write_zip
from cnnvis_report.store.files.atomic import (
    files_below,
    is_regular,
    is_temporary,
    read_json,
    remove,
    sweep,
    unlink,
    within,
    write_json,
)
from cnnvis_report.store.files.lock import writing
from cnnvis_report.store.files.names import ARRAYS, BUILDING, COMPARISON, INSPECTION, LOCK, MANIFEST, PAGES, is_ours
from cnnvis_report.store.files.output_file import aside, check_output_folder, left_aside
from cnnvis_report.store.own_files import is_strangers, list_pages, pages_of
from cnnvis_report.store.run_folder import StoredRun

FULL, MINIMAL = "full", "minimal"
ANONYMOUS, ANONYMOUS_COMPARISON = "anonymous-report", "anonymous-comparison"  # a folder's own name may be the network's
LISTING = "share.json"  # what a copy holds, by which an earlier copy is known
LISTED = re.compile(re.escape(LISTING))
FORMAT = "cnnvis-report-share/1"
MOST = 64 << 20  # bytes of the listing


@dataclass(frozen=True)
class Share:
    """How a report is handed on.

    zip: whether what is handed on is packed. anonymous: whether names become numbers. extent: "full", or "minimal" for
    pages without the arrays and the record behind them. copy: the folder that an anonymous or minimal copy is written
    into; None for one beside the report, `anonymous_name` or the report's name with "-share". options: of the pages,
    those of the report itself. title: of an anonymous copy. anonymous_name: of its folder.
    """

    zip: bool = False
    anonymous: bool = False
    extent: str = FULL
    copy: Path | None = None
    options: SiteOptions = DEFAULT
    title: str | None = None
    anonymous_name: str = ANONYMOUS

    @property
    def copies(self) -> bool:
        """Whether a copy is written."""
        return self.anonymous or self.extent == MINIMAL

    def folder(self, run: Path) -> Path:
        """The folder that is handed on."""
        if not self.copies:
            return run
        name = self.anonymous_name if self.anonymous else f"{run.resolve().name}-share"
        return self.copy or run.resolve().with_name(name)

    def zip_path(self, run: Path) -> Path:
        """The zip file, beside the folder that is handed on."""
        folder = self.folder(run)
        return folder.resolve().with_name(f"{folder.resolve().name}.zip")

    def check(self, run: Path) -> None:
        """Refuse what can't be written, before any work.

        Raises:
            BadRequest: the copy or the zip file would take the place of something else.
        """
        if self.copy is not None and not self.copies:
            raise BadRequest("--copy: nothing is copied without --anonymous or --share minimal.")
        if self.copies:
            folder = self.folder(run)
            if folder.resolve() == run.resolve() or run.resolve() in folder.resolve().parents:
                raise BadRequest(f"--copy {folder}: is within the report itself. Give another folder.")
            _check_copy(folder)
        if self.zip:
            check_zip(self.zip_path(run))


class Pages(Protocol):
    """A run or a comparison whose pages are written, to be handed on."""

    @property
    def folder(self) -> Path:
        """Where it is."""
        ...

    def files(self) -> list[str]:
        """Names of the files in the folder that this program has written."""
        ...

    def fill(self, folder: Path, options: SiteOptions) -> None:
        """Write the pages into an empty folder."""
        ...

    def anonymous(self, folder: Path, title: str | None) -> AbstractContextManager["Pages"]:
        """Write the record behind the pages without names into an empty folder; what its pages are made from."""
        ...


@dataclass(frozen=True)
class RunPages:
    """The pages of a run."""

    run: StoredRun

    @property
    def folder(self) -> Path:
        """That of the run."""
        return self.run.folder

    def files(self) -> list[str]:
        """The files of the run folder that the program has written."""
        names = {MANIFEST, PAGES, *self.run.record.files, *pages_of(self.run.folder)}
        return [name for name in sorted(names) if is_regular(self.run.folder / name)]

    def fill(self, folder: Path, options: SiteOptions) -> None:
        """Write the pages into an empty folder."""
        fill(self.run, folder, options, Progress())

    def anonymous(self, folder: Path, title: str | None) -> AbstractContextManager["RunPages"]:
        """Write the run without names into an empty folder."""
        return nullcontext(RunPages(write_anonymous(self.run, folder, title)))


def hand_on(pages: Pages, how: Share) -> list[Path]:
    """Write what is handed on of a run or a comparison, if anything is; the first page of a copy, and the zip file.

    Raises:
        BadRequest: it can't be written there, or the single file can't be made so small.
    """
    how.check(pages.folder)
    written = []
    folder = how.folder(pages.folder)
    if how.copies:
        _write_copy(pages, folder, how)
        written.append(folder / "index.html")
    if how.zip:
        path = how.zip_path(pages.folder)
        write_zip(path, folder, _copied(folder) if how.copies else pages.files())
        written.append(path)
    return written


def _write_copy(shared: Pages, folder: Path, how: Share) -> None:
    """Write a copy aside, and put it into its place when all of it is there."""
    with writing(folder):
        _check_copy(folder)
        with _swept(folder) as building:
            pages = building / "pages"
            with shared.anonymous(building, how.title) if how.anonymous else nullcontext(shared) as shown:
                pages.mkdir()
                shown.fill(pages, how.options)
            names = files_below(pages)
            for name in names:
                (pages / name).replace(within(building, name))
            rmtree(pages)
            if how.extent == MINIMAL:
                for inner in (ARRAYS, INSPECTION):
                    rmtree(building / inner, ignore_errors=True)
                for name in (MANIFEST, COMPARISON):
                    unlink(building / name)
            else:
                list_pages(building, names)
            _move(building, folder)


def _move(building: Path, folder: Path) -> None:
    """Put all files into the folder, in place of those of an earlier copy."""
    names = files_below(building)
    old = [name for name in _copied(folder) if name not in (LISTING, *names)]
    _list(folder, [*names, *old])  # so that a copy that is cut short is known for ours
    remove(folder, old)
    for name in names:
        (building / name).replace(within(folder, name))
    if old:
        _list(folder, names)


def _list(folder: Path, names: Sequence[str]) -> None:
    """Note what the copy holds."""
    write_json(folder / LISTING, {"format": FORMAT, "files": [LISTING, *names]}, parents=False)


@contextmanager
def _swept(folder: Path) -> Iterator[Path]:
    """A new folder within the folder, removed afterwards, as are those that a killed program has left."""
    for left in left_aside(folder):
        rmtree(left, ignore_errors=True)
    sweep(folder, LISTED)
    with aside(folder) as building:
        yield building


def _check_copy(folder: Path) -> None:
    """Refuse a folder that holds anything but an earlier copy.

    Raises:
        BadRequest: naming what is there.
    """
    check_output_folder(folder, "--copy")
    if not folder.is_dir():
        return
    ours = {*_copied(folder), LOCK}
    names = (name for name in files_below(folder) if not BUILDING.fullmatch(name.partition("/")[0]))
    other = next((name for name in names if name not in ours and not is_temporary(folder / name, LISTED)), None)
    if other is not None:
        raise BadRequest(f"--copy {folder}: holds {other}, which isn't of an earlier copy. Give another folder.")


def _copied(folder: Path) -> list[str]:
    """The files of a copy, by its own list as far as it may be believed; nothing where there is none.

    Like a report's folder it may be a stranger's: what isn't called as our files are isn't one of them.
    """
    path = folder / LISTING
    content = read_json(path, MOST) if is_regular(path) else None
    names = content.get("files") if isinstance(content, dict) and content.get("format") == FORMAT else None
    plain = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
    return [name for name in plain if name == LISTING or (is_ours(name) and not is_strangers(folder, name))]
