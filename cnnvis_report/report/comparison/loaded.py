"""A comparison of reports, for Python: its sentences, its record, its figure, its pages."""

import webbrowser
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cnnvis_report.comparison.read import load_runs, write_compared
from cnnvis_report.records.comparison import Comparison
from cnnvis_report.report.comparison.figure import save_comparison_figure
from cnnvis_report.report.comparison.report import ComparedReport
from cnnvis_report.report.comparison.write import write_comparison
from cnnvis_report.store.comparison.comparison_file import comparison_output
from cnnvis_report.store.run_folder import StoredRun


@dataclass(frozen=True)
class LoadedComparison:
    """A comparison in its folder, with the runs that it is of.

    record: what changed: accuracies, flips, and how far the maps of each image moved; images are read when asked for.
    """

    folder: Path
    record: Comparison
    runs: Sequence[StoredRun]

    @property
    def findings(self) -> tuple[str, ...]:
        """What the comparison opens with: whether accuracy changed, which images did, and whether attention moved."""
        return tuple(f"{finding.topic}: {finding.text}" for finding in self.record.findings)

    @property
    def page(self) -> Path:
        """The first page."""
        return self.folder / "index.html"

    def open(self) -> None:
        """Show the comparison in the browser."""
        webbrowser.open(self.page.resolve().as_uri())

    def save_figure(self, path: str | Path) -> str:
        """Write the headline figure, a column per run, as PNG, SVG or PDF, as the path's suffix says.

        Returns:
            The caption, in words.

        Raises:
            BadRequest: it can't be drawn, or the file is somebody else's; nothing is written then.
        """
        return save_comparison_figure(ComparedReport(self.record, self.runs), Path(path))


def compare_reports(
    old: str | Path, new: str | Path, *later: str | Path, output: str | Path = "comparison", title: str | None = None
) -> LoadedComparison:
    """Compare reports of the same images, and write what changed into a folder; torch isn't needed.

    Args:
        old: the folder of the report that others are compared with. new, later: of one to five others.
        output: the folder of the comparison. title: of its pages.

    Raises:
        BadRequest: a folder holds no complete run, the runs can't be compared, or the output holds something else.
    """
    runs, folder = load_runs([Path(report) for report in (old, new, *later)]), Path(output)
    with comparison_output(folder):
        comparison = write_compared(runs, folder, title)
        write_comparison(comparison, runs, folder)
    return LoadedComparison(folder, comparison, runs)
