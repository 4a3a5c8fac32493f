"""Which runs can't be compared, and why, in one line."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from cnnvis_report.errors import BadRequest, shown
from cnnvis_report.store.run_folder import StoredRun

FEWEST, MOST = 2, 6

Classes = Mapping[int, str]  # names of the classes that a run mentions, by index


def check_folders(folders: Sequence[Path]) -> None:
    """Refuse too few or too many runs, and one that is given twice.

    Raises:
        BadRequest: saying which.
    """
    if not FEWEST <= len(folders) <= MOST:
        raise BadRequest(f"A comparison takes {FEWEST} to {MOST} runs, not {len(folders)}.")
    resolved = [folder.resolve() for folder in folders]
    for index, folder in enumerate(resolved):
        if folder in resolved[:index]:
            raise BadRequest(f"{folders[index]}: is given twice; a run isn't compared with itself.")


def check_runs(runs: Sequence[StoredRun]) -> None:
    """Refuse runs that can't be compared whatever their images are.

    Raises:
        BadRequest: too few or too many, the same folder twice, or another task.
    """
    check_folders([run.folder for run in runs])
    first = runs[0].record.network.kind
    for run in runs[1:]:
        kind = run.record.network.kind
        if kind is not first:
            raise BadRequest(
                f"{run.folder}: is a run of {kind.task}, and {runs[0].folder} one of {first.task}; "
                "runs of one task are compared."
            )


def check_classes(runs: Sequence[StoredRun], classes: Sequence[Classes]) -> None:
    """Refuse runs of as many classes whose names stand in another order, which a mixed-up list of names gives too.

    Raises:
        BadRequest: naming the first class that has two numbers.
    """
    for run, of_run in zip(runs[1:], classes[1:], strict=True):
        if run.record.network.classes != runs[0].record.network.classes:
            continue  # other classes altogether, which are compared by their names
        numbers = {name: index for index, name in sorted(classes[0].items(), reverse=True)}
        known = set(classes[0].values())
        for index, name in sorted(of_run.items()):
            same = classes[0].get(index)
            if name in known and same is not None and same != name:
                raise BadRequest(
                    f"{run.folder}: class {shown(name)} is number {index} there and {numbers[name]} in "
                    f"{runs[0].folder}; give both runs the class names in one order."
                )
        if classes[0] and of_run and not known & set(of_run.values()):
            raise BadRequest(
                f"{run.folder}: no class is called as in {runs[0].folder} ({shown(next(iter(of_run.values())))}, "
                f"{shown(next(iter(known)))}, …); give both runs the same class names."
            )


def check_images(runs: Sequence[StoredRun], common: int) -> None:
    """Refuse runs without a common image.

    Raises:
        BadRequest: there is none.
    """
    if not common:
        folders = " and ".join(str(run.folder) for run in runs)
        raise BadRequest(f"{folders} have no image in common, neither by content nor by name.")
