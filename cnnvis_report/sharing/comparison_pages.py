"""The pages of a comparison, to be handed on."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from cnnvis_report.comparison.read import write_compared
from cnnvis_report.progress import Progress
from cnnvis_report.records.comparison import Comparison
from cnnvis_report.report.comparison.write import fill_comparison
from cnnvis_report.report.site.site_writer import SiteOptions
from cnnvis_report.sharing.aliases import Aliases
from cnnvis_report.sharing.anonymous_run import write_anonymous
from cnnvis_report.store.files.atomic import is_regular
from cnnvis_report.store.files.names import COMPARISON, PAGES
from cnnvis_report.store.own_files import pages_of
from cnnvis_report.store.run_folder import StoredRun


@dataclass(frozen=True)
class ComparisonPages:
    """A comparison in its folder, with the runs that it is of."""

    comparison: Comparison
    runs: Sequence[StoredRun]
    folder: Path

    def files(self) -> list[str]:
        """The files of the folder that the program has written."""
        names = {COMPARISON, PAGES, *pages_of(self.folder)}
        return [name for name in sorted(names) if is_regular(self.folder / name)]

    def fill(self, folder: Path, options: SiteOptions) -> None:
        """Write the pages into an empty folder."""
        fill_comparison(self.comparison, self.runs, folder, options, Progress())

    @contextmanager
    def anonymous(self, folder: Path, title: str | None) -> Iterator["ComparisonPages"]:
        """Compare the runs without names, an image called the same in all of them, into an empty folder."""
        with TemporaryDirectory() as top:
            runs = list(self._anonymous_runs(Path(top)))
            yield ComparisonPages(write_compared(runs, folder, title), runs, folder)

    def _anonymous_runs(self, top: Path) -> Iterator[StoredRun]:
        contents: dict[str, str] = {}
        numbers: list[dict[str, int]] = [{} for _ in self.runs]
        of_first = {image.id: number for number, image in enumerate(self.runs[0].images(), start=1)}
        for image in self.comparison.images:
            for of_run, id in zip(numbers, image.ids, strict=True):
                of_run[id] = of_first[image.id]
        numbers[0] = of_first
        for position, (run, of_run) in enumerate(zip(self.runs, numbers, strict=True), start=1):
            folder = top / f"run {position}"
            folder.mkdir()
            yield write_anonymous(run, folder, None, Aliases(run.record, run.images(), of_run, contents))
