"""Which runs can't be compared, and why, in one line."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from cnnvis_report.errors import BadRequest, shown
from cnnvis_report.records.scores import ScoreKind
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
    for run in runs[1:]:
        check_kinds(str(run.folder), run.record.network.kind, str(runs[0].folder), runs[0].record.network.kind)


def check_kinds(later: str, of_later: ScoreKind, earlier: str, of_earlier: ScoreKind) -> None:
    """Refuse another task.

    Raises:
        BadRequest: naming both tasks.
    """
    if of_later is not of_earlier:
        raise BadRequest(
            f"{later}: is a run of {of_later.task}, and {earlier} one of {of_earlier.task}; "
            "runs of one task are compared."
        )


def check_classes(runs: Sequence[StoredRun], classes: Sequence[Classes]) -> None:
    """Refuse runs of as many classes whose names stand in another order, which a mixed-up list of names gives too.

    Raises:
        BadRequest: naming the first class that has two numbers.
    """
    for run, of_run in zip(runs[1:], classes[1:], strict=True):
        if run.record.network.classes == runs[0].record.network.classes:  # others are compared by their names
            check_class_names(str(run.folder), of_run, str(runs[0].folder), classes[0])


def check_class_names(later: str, of_later: Classes, earlier: str, of_earlier: Classes) -> None:
    """Refuse two lists of as many classes whose names stand in another order, or have none in common.

    Runs know the classes that they saw: where they saw no class alike, nothing says that they call one differently.

    Args:
        later, earlier: what messages call the two. of_later, of_earlier: the names, or those of them that are known.

    Raises:
        BadRequest: naming the first class that has two numbers.
    """
    numbers = {name: index for index, name in sorted(of_earlier.items(), reverse=True)}
    for index, name in sorted(of_later.items()):
        same = of_earlier.get(index)
        if name in numbers and same is not None and same != name:
            raise BadRequest(
                f"{later}: class {shown(name)} is number {index} there and {numbers[name]} in {earlier}; "
                "give both runs the class names in one order."
            )
    if of_earlier.keys() & of_later.keys() and not numbers.keys() & set(of_later.values()):
        raise BadRequest(
            f"{later}: no class is called as in {earlier} ({shown(next(iter(of_later.values())))}, "
            f"{shown(next(iter(of_earlier.values())))}, …); give both runs the same class names."
        )


def check_images(runs: Sequence[StoredRun], common: int) -> None:
    """Refuse runs without a common image.

    Raises:
        BadRequest: there is none.
    """
    if not common:
        folders = " and ".join(str(run.folder) for run in runs)
        raise BadRequest(f"{folders} have no image in common, neither by content nor by name.")
