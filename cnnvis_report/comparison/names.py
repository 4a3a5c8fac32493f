"""What each of several runs is called, so that no two are called the same."""

from collections.abc import Sequence

from cnnvis_report.store.run_folder import StoredRun


def run_names(runs: Sequence[StoredRun]) -> list[str]:
    """The names of their folders; a number tells those apart that are called the same."""
    names: list[str] = []
    for run in runs:
        folder = run.folder.resolve().name or "run"
        name, number = folder, 1
        while name in names:
            number += 1
            name = f"{folder} ({number})"
        names.append(name)
    return names
