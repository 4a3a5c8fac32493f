"""Stage: explain every image that isn't in the run folder yet, batch by batch."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from cnnvis_report.data.image_set import ImageSet
from cnnvis_report.errors import RunFailed
from cnnvis_report.pipeline.explaining.explain_batch import BatchSettings
from cnnvis_report.pipeline.explaining.map_making import ExplainedBatch, MapMaking
from cnnvis_report.pipeline.explaining.results import Result
from cnnvis_report.pipeline.planning.forecast import Forecast, Forecaster
from cnnvis_report.pipeline.stats import RunStats
from cnnvis_report.progress import Progress
from cnnvis_report.records.run import Skipped
from cnnvis_report.store.writer import RunWriter

MOST_SKIPPED = 10  # files that are named one by one


def explain_images(
    making: MapMaking,
    settings: BatchSettings,
    writer: RunWriter,
    stats: RunStats,
    forecaster: Forecaster,
    progress: Progress,
) -> None:
    """Write the maps of all images that the writer hasn't got yet, a batch at a time.

    Writing goes on in another thread, one batch behind.

    Raises:
        RunFailed: a single image doesn't fit into memory, or the network fails on every one.
        OSError: the disk is full, say; what was written stays whole.
    """
    images, subject = making.setup.images, making.setup.network.subject
    warned = 0
    with subject.in_eval_mode(), ThreadPoolExecutor(max_workers=1) as worker:
        writing: Future[None] | None = None
        shard: int | None = None
        for batch in making.batches(images, settings, stats, progress, writer.done):
            warned = warn_of_skipped(stats.skipped, warned, progress)
            if writing is not None:
                writing.result()
            before, shard = shard, writer.shard_of(batch.images[0].item.id)
            writing = worker.submit(_go_on, writer, None if before == shard else before, batch.new)
            forecast = forecaster.after(batch.results, batch.images[-1].item.id, stats.metrics_seconds, stats.passes)
            _tell(progress, forecast, batch)
        if writing is not None:
            writing.result()
    warn_of_skipped(stats.skipped, warned, progress)
    sum_up(images, writer, stats, progress)


def _tell(progress: Progress, forecast: Forecast | None, batch: ExplainedBatch) -> None:
    """Say that a batch is done, and what is still to come where that is news."""
    if forecast is not None:
        progress.expect(forecast.left, forecast.an_image)
    for image in batch.images:
        progress.done(image.item.name, in_steps=image.item.id in batch.missing)


def sum_up(images: ImageSet, writer: RunWriter, stats: RunStats, progress: Progress) -> None:
    """Warn of what was skipped or read in a way of its own.

    Raises:
        RunFailed: there isn't a single result.
    """
    if len(images) and not writer.done:
        raise _none_left(images, stats.skipped)
    if len(stats.skipped) > MOST_SKIPPED:
        progress.warn(f"{len(stats.skipped) - MOST_SKIPPED} more images are skipped; the report lists them all.")
    for notice in stats.notices:
        progress.warn(notice)


def warn_of_skipped(skipped: Sequence[Skipped], warned: int, progress: Progress) -> int:
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
