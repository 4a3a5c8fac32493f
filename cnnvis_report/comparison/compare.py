"""Runs of the same images to the record of what changed."""

from collections.abc import Sequence

from cnnvis_report.comparison.align import image_keys, match_images, side_by_side
from cnnvis_report.comparison.predictions import flip, prediction
from cnnvis_report.records.compared_images import ComparedImage, TargetSource
from cnnvis_report.records.comparison import ComparedRun, Comparison, PairedAccuracy
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.store.run_folder import StoredRun


def compare_runs(runs: Sequence[StoredRun], title: str | None = None) -> Comparison:
    """Compare later runs with the first one, image by image.

    Raises:
        BadRequest: the runs can't be compared: another task, no common image, another order of the classes.
    """
    ids = match_images([image_keys(run) for run in runs])
    images = tuple(_image(records) for records in side_by_side(runs, ids))
    names = [run.folder.resolve().name for run in runs]
    return Comparison(
        title=title or "What changed",
        runs=tuple(
            ComparedRun(
                name=name,
                title=str(run.record.settings.get("title") or ""),
                network=run.record.network.name,
                images=run.record.images,
                fingerprint=run.record.fingerprint,
                kind=run.record.network.kind,
            )
            for name, run in zip(names, runs, strict=True)
        ),
        paired=tuple(PairedAccuracy(0, None, 0, 0, None, 0) for _ in runs[1:]),
        images=images,
        movement=tuple(None for _ in runs[1:]),
    )


def _image(records: Sequence[ImageRecord]) -> ComparedImage:
    predictions = tuple(map(prediction, records))
    return ComparedImage(
        id=records[0].id,
        ids=tuple(record.id for record in records),
        name=records[0].name,
        label=", ".join(label.name for label in records[0].named),
        predictions=predictions,
        flips=tuple(flip(predictions[0], later) for later in predictions[1:]),
        target_source=TargetSource.FIRST_PREDICTION,
        targets=tuple(record.targets[0].name if record.targets else "" for record in records),
    )
