"""A run folder that got damaged, made whole again without what is lost."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cnnvis_report.errors import BadRequest
from cnnvis_report.evidence import evidence_of
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.inspection import InspectionRecord
from cnnvis_report.records.run import Keep, RunRecord
from cnnvis_report.records.training import SnapshotSeries
from cnnvis_report.store.files.names import INSPECTION, MANIFEST, NETWORK, SNAPSHOTS, file_of, inspection_name
from cnnvis_report.store.intact_parts import inspection_is_whole, whole_images
from cnnvis_report.store.manifest import ImagesLeft, read_head, write_manifest
from cnnvis_report.store.own_files import check_writable

NAMED = 5  # images that a notice names


def repair(folder: Path) -> list[str]:
    """Leave out of the manifest whatever isn't as the run wrote it; the caller holds the lock of the folder.

    Files that are damaged stay where they are. The command that made the run makes them again.

    Returns:
        What was left out, a sentence each; empty where everything was whole.

    Raises:
        BadRequest: the folder holds no run that has finished, or the beginning of its manifest is damaged.
    """
    check_writable(folder, "")
    path = folder / MANIFEST
    if not path.is_file():
        raise BadRequest(f"{folder}: holds no run that has finished; start it again with the command that made it.")
    run, true = read_head(path)
    left = ImagesLeft(folder)
    images = list(left)
    intact = list(whole_images(folder, run, images))
    ids = {image.id for image in intact}
    inside, looked = _inspection_left(folder, run, ids)
    lost = run.images - len(intact)
    has_snapshots = not run.snapshots or inspection_is_whole(folder, SNAPSHOTS, run)
    snapshots = tuple(series for series in run.snapshots if series.image in ids) if has_snapshots else ()
    files = _files_of(intact, inside, snapshots) if run.keep is not Keep.NONE else set()
    as_written = true and left.all_there and not lost and not looked
    if as_written and snapshots == run.snapshots and files == run.files.keys():
        return []
    if not intact and inside is None:
        what = f"not one of its {run.images} images" if run.images else "nothing of it"
        raise BadRequest(f"{folder}: {what} is whole. Start the run again with its command.")
    notices = list(looked)
    if not has_snapshots:
        notices.append("The snapshots over the epochs of the training got damaged and are left out.")
    if lost:
        known = [image.name for image in images if image.id not in ids][:NAMED]
        named = f" ({', '.join(known)}{' and more' if len(known) < lost else ''})" if known else ""
        notices.append(
            f"The results of {lost} of {run.images + run.left_out} images got damaged and are left out{named}."
        )
    if not true:
        notices.append("The beginning of run.json isn't as the run wrote it, so what it says of the run may be wrong.")
    mended = replace(
        run,
        images=len(intact),
        left_out=run.left_out + lost,
        in_training_set=min(run.in_training_set, len(intact)),
        inspection=inside,
        snapshots=snapshots,
        files={name: stored for name, stored in run.files.items() if name in files},
        notices=(*run.notices, *notices),
    )
    write_manifest(folder, replace(mended, evidence=evidence_of(mended, intact)), intact)
    return notices


def _files_of(
    images: Sequence[ImageRecord], inside: InspectionRecord | None, snapshots: Sequence[SnapshotSeries]
) -> set[str]:
    """The files of arrays that these are kept in."""
    looked = (NETWORK, *(inspected.image for inspected in inside.images)) if inside is not None else ()
    within = (*looked, *([SNAPSHOTS] if snapshots else []))
    return {*map(file_of, images), *map(inspection_name, within)}


def _inspection_left(folder: Path, run: RunRecord, images: set[str]) -> tuple[InspectionRecord | None, list[str]]:
    """What is whole of the inside of the network, and what isn't, in words."""
    if run.inspection is None:
        return None, []
    if not inspection_is_whole(folder, NETWORK, run):
        return None, [f"What was found inside the network ({INSPECTION}/) got damaged and is left out."]
    looked = tuple(
        inspected
        for inspected in run.inspection.images
        if inspected.image in images and inspection_is_whole(folder, inspected.image, run)
    )
    lost = sum(inspected.image in images for inspected in run.inspection.images) - len(looked)
    notices = (
        [f"The feature maps of {lost} image{'s' if lost > 1 else ''} got damaged and are left out."] if lost else []
    )
    return replace(run.inspection, images=looked), notices
