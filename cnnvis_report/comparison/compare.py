"""Runs of the same images to the record of what changed."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from cnnvis_report.comparison.align import compared_methods, match_images, side_by_side, survey
from cnnvis_report.comparison.checks import check_classes, check_images, check_runs
from cnnvis_report.comparison.findings import FindingWriter
from cnnvis_report.comparison.maps import map_keys, mask_energy, moved, movement, shown_maps
from cnnvis_report.comparison.measures import measures_of
from cnnvis_report.comparison.notices import file_notices, notices, unshared
from cnnvis_report.comparison.predictions import choose_targets, flip, prediction
from cnnvis_report.comparison.tally import RunAccuracy, Tally
from cnnvis_report.data.prefetch import ahead
from cnnvis_report.progress import Progress
from cnnvis_report.records.compared_images import ComparedImage
from cnnvis_report.records.comparison import ComparedMethod, ComparedRun, Comparison
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.store.comparison.compared_images import NewImages
from cnnvis_report.store.run_folder import StoredRun

WORKERS = 2  # threads that compare maps: reading, digests and matrix products leave Python to others
Records = tuple[ImageRecord, ...]


def compare_runs(
    runs: Sequence[StoredRun],
    title: str | None = None,
    *,
    images: NewImages | list[ComparedImage] | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Compare later runs with the first one, image by image; one image's maps of each run are held by each thread.

    Args:
        images: takes the images one by one; a list if it isn't given.
        progress: told of each image when its maps are compared.

    Raises:
        BadRequest: the runs can't be compared: another task, no common image, another order of the classes.
    """
    watcher = progress or Progress()
    check_runs(runs)
    surveys = [survey(run) for run in runs]
    check_classes(runs, [of_run.classes for of_run in surveys])
    ids = match_images([of_run.keys for of_run in surveys])
    check_images(runs, len(ids))
    methods = compared_methods(runs, [of_run.layers for of_run in surveys])
    rows: NewImages | list[ComparedImage] = [] if images is None else images
    tally = Tally(runs, methods)
    compare = partial(_image, runs, methods)
    for records, image in ahead(compare, side_by_side(runs, ids), workers=WORKERS, waiting=WORKERS):
        rows.append(image)
        tally.add(image, records)
        watcher.done(image.name)
    names = run_names(runs)
    only = unshared(runs, surveys, ids, methods)
    of_files = file_notices(tally.by_name, tally.other_masks)
    comparison = Comparison(
        title=title or _title(names),
        runs=tuple(
            _run(accuracy, name, methods, index)
            for index, (accuracy, name) in enumerate(zip(tally.accuracies, names, strict=True))
        ),
        paired=tally.paired,
        images=rows,
        classes=tally.classes,
        methods=tally.methods,
        movement=tally.movement,
        metrics=tally.metrics,
        only=only,
        notices=(*of_files, *notices(runs, names, tally.own_targets, methods, only)),
    )
    return replace(comparison, findings=tuple(FindingWriter(comparison).findings()))


def _image(
    runs: Sequence[StoredRun], methods: Sequence[ComparedMethod], records: Records
) -> tuple[Records, ComparedImage]:
    """One image in all runs, beside its records."""
    predictions = tuple(map(prediction, records))
    source, targets = choose_targets(records)
    keys = map_keys(records, targets, methods)
    image = ComparedImage(
        id=records[0].id,
        ids=tuple(record.id for record in records),
        name=records[0].name,
        label=", ".join(label.name for label in records[0].named),
        predictions=predictions,
        flips=tuple(flip(predictions[0], later) for later in predictions[1:]),
        target_source=source,
        targets=tuple(target.name if target else "" for target in targets),
        keys=keys,
        movement=(None,) * (len(runs) - 1),
    )
    return records, _with_maps(image, runs, records, methods) if keys else image


def _with_maps(
    image: ComparedImage, runs: Sequence[StoredRun], records: Records, methods: Sequence[ComparedMethod]
) -> ComparedImage:
    """The same image with what became of its maps."""
    arrays = [run.maps(record) for run, record in zip(runs, records, strict=True)]
    masks = [of_run.get("mask") for of_run in arrays]
    masks = [mask.astype(bool) if mask is not None else None for mask in masks]
    distances: dict[str, tuple[float | None, ...]] = {}
    energies: dict[str, tuple[float | None, ...]] = {}
    for method in methods:
        if method.key in image.keys:
            maps = shown_maps(runs, arrays, method, image.keys[method.key])
            distances[method.key] = moved(maps)
            energy = tuple(mask_energy(values, mask) for values, mask in zip(maps, masks, strict=True))
            if any(share is not None for share in energy):
                energies[method.key] = energy
    return replace(image, moved=distances, mask_energy=energies, movement=tuple(movement(distances, methods)))


def _run(accuracy: RunAccuracy, name: str, methods: Sequence[ComparedMethod], index: int) -> ComparedRun:
    """One of the runs, with what is known of it alone."""
    record, evidence = accuracy.run.record, accuracy.run.evidence
    return ComparedRun(
        name=name,
        title=str(record.settings.get("title") or ""),
        network=record.network.name,
        images=record.images,
        fingerprint=record.fingerprint,
        kind=record.network.kind,
        accuracy=accuracy.accuracy,
        top5=accuracy.top5,
        calibration_error=accuracy.calibration_error,
        brier_score=accuracy.brier_score,
        faithfulness=evidence.faithfulness if evidence else "",
        localization=evidence.localization if evidence else "",
        measures=measures_of(evidence, methods, index),
    )


def _title(names: Sequence[str]) -> str:
    return f"What changed from {names[0]} to {names[1]}" if len(names) == 2 else f"What changed over {len(names)} runs"


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
