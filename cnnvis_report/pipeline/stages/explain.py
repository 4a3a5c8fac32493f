"""Stage: explain every image that isn't in the run folder yet, batch by batch."""

from collections.abc import Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from cnnvis_report.data.batches import DecodedImage, batches
from cnnvis_report.data.image_set import ImageSet
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import RunFailed
from cnnvis_report.pipeline.batch_explainer import BatchExplainer
from cnnvis_report.pipeline.forecast import Forecast, Forecaster
from cnnvis_report.pipeline.results import Result
from cnnvis_report.pipeline.stats import RunStats
from cnnvis_report.progress import Progress
from cnnvis_report.records.run import Skipped
from cnnvis_report.store.writer import RunWriter

MOST_SKIPPED = 10  # files that are named one by one


def explain_images(
    subject: Subject,
    images: ImageSet,
    size: int,
    explainer: BatchExplainer,
    writer: RunWriter,
    stats: RunStats,
    forecaster: Forecaster,
    progress: Progress,
) -> None:
    """Write the maps of all images that the writer hasn't got yet, `size` images at a time.

    Writing goes on in another thread, one batch behind.

    Raises:
        RunFailed: a single image doesn't fit into memory, or the network fails on every one.
        OSError: the disk is full, say; what was written stays whole.
    """
    warned = 0
    with subject.in_eval_mode(), ThreadPoolExecutor(max_workers=1) as worker:
        writing: Future[None] | None = None
        shard: int | None = None
        for batch in batches(images, subject.preprocessing, size, stats.skipped, writer.layout.shard_size):
            warned = _warn(stats.skipped, warned, progress)
            decoded = batch.ready
            stats.image_notices += [
                f"{image.item.name}: {image.picture.note}." for image in decoded if image.picture.note
            ]
            missing = {image.item.id for image in decoded} - writer.done
            results = list(explainer.explain(decoded)) if missing else []
            if writing is not None:
                writing.result()
            new = [result for result in results if result.image.id in missing]
            stats.missing_maps += sum(len(result.image.not_applicable) for result in new)
            before, shard = shard, writer.shard_of(decoded[0].item.id)
            writing = worker.submit(_go_on, writer, None if before == shard else before, new)
            forecast = forecaster.after(results, decoded[-1].item.id, stats.metrics_seconds, stats.passes)
            _tell(progress, forecast, decoded, missing)
        if writing is not None:
            writing.result()
    _warn(stats.skipped, warned, progress)
    if len(images) and not writer.done:
        raise _none_left(images, stats.skipped)
    _sum_up(stats, progress)


def _tell(
    progress: Progress, forecast: Forecast | None, images: Sequence[DecodedImage], missing: Collection[str]
) -> None:
    """Say that a batch is done, and what is still to come where that is news."""
    if forecast is not None:
        progress.expect(forecast.left, forecast.an_image)
    for image in images:
        progress.done(image.item.name, in_steps=image.item.id in missing)


def _sum_up(stats: RunStats, progress: Progress) -> None:
    """Warn of what was skipped or read in a way of its own."""
    if len(stats.skipped) > MOST_SKIPPED:
        progress.warn(f"{len(stats.skipped) - MOST_SKIPPED} more images are skipped; the report lists them all.")
    for notice in stats.notices:
        progress.warn(notice)


def _warn(skipped: Sequence[Skipped], warned: int, progress: Progress) -> int:
    """Name the files that are skipped beyond those that were named, a few in all; how many have been met."""
    for file in skipped[warned:MOST_SKIPPED]:
        progress.warn(f"{file.name}: {file.reason}. Skipped.")
    return len(skipped)


def _go_on(writer: RunWriter, finished: int | None, results: Sequence[Result]) -> None:
    """Close the shard that is finished, if one is, and write results; the writer closes the last shard itself."""
    if finished is not None:
        writer.close_shard(finished)
    _write(writer, results)


def _write(writer: RunWriter, results: Sequence[Result]) -> None:
    for result in results:
        writer.add(result.image, result.arrays, result.seconds, result.files)


def _none_left(images: ImageSet, skipped: Sequence[Skipped]) -> RunFailed:
    """The end of a run without a single result."""
    count = f"None of the {len(images)} images" if len(images) > 1 else "The image"
    verb = "could" if len(images) > 1 else "couldn't"
    first = f" {skipped[0].name}: {skipped[0].reason}." if skipped else ""
    return RunFailed(f"{count} {verb} be explained.{first}")
