"""How the network was trained, as the performance page shows it."""

from dataclasses import dataclass
from itertools import chain
from math import isfinite

from markupsafe import Markup

from cnnvis_report.records.training import Frame, SnapshotSeries, TrainingRecord
from cnnvis_report.report.charts.axes import amounts_axis, counting_axis, shares_axis
from cnnvis_report.report.charts.lines import Line, Moment, lines
from cnnvis_report.report.charts.svg import Words
from cnnvis_report.report.pictures.network import snapshot_name
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.links import Links
from cnnvis_report.report.views.report import Report


@dataclass(frozen=True)
class SnapshotFrame:
    """An image after an epoch: its maps by method, with their addresses."""

    frame: Frame
    is_result: bool
    maps: list[tuple[str, str]]


@dataclass(frozen=True)
class Snapshots:
    """An image over the epochs."""

    name: str
    address: str
    picture: str
    series: SnapshotSeries
    frames: list[SnapshotFrame]


@dataclass(frozen=True)
class Training:
    """How the network was trained.

    sentences: its outcome. charts: title and lines over the epochs, of loss and of accuracy.
    weighted: whether classes have weights in the loss.
    snapshots: images over the epochs. methods: names and titles of those whose maps the snapshots show.
    """

    record: TrainingRecord
    sentences: list[str]
    charts: list[tuple[str, Markup]]
    weighted: bool
    snapshots: list[Snapshots]
    methods: list[tuple[str, str]]


def training(report: Report, links: Links) -> Training | None:
    """Gather how the network was trained; None where that isn't known."""
    run, record = report.run, report.run.training
    if record is None:
        return None
    shown = [(number, series) for number, series in enumerate(run.snapshots) if series.image in report.names]
    names = dict.fromkeys(name for series in run.snapshots for name in series.methods)
    return Training(
        record=record,
        sentences=_sentences(record),
        charts=_charts(record),
        weighted=any(count.weight != 1.0 for count in record.counts),
        snapshots=[_snapshots(report, links, record.best_epoch, number, series) for number, series in shown],
        methods=[(name, run.method(name).title) for name in names],
    )


def _sentences(record: TrainingRecord) -> list[str]:
    stopped = f"; {record.stopped}" if record.stopped else ""
    sentences = [
        f"Validation accuracy {fmt.percent(record.validation.accuracy)} on "
        f"{fmt.count(record.validation.images, 'image')} after epoch {record.best_epoch} of {len(record.history)}, "
        f"which was kept{stopped}."
    ]
    if record.test:
        sentences.append(
            f"Test accuracy {fmt.percent(record.test.accuracy)} on {fmt.count(record.test.images, 'image')}, held out "
            f"and not used for selection."
        )
    if record.skipped:
        sentences.append(f"{fmt.count(record.skipped, 'file')} could not be read.")
    return sentences


def _charts(record: TrainingRecord) -> list[tuple[str, Markup]]:
    """Loss and accuracy over the epochs, for training and for validation; the epoch that was kept is marked."""
    history = record.history
    epochs = [epoch.number for epoch in history]
    losses = [epoch.loss for epoch in history], [epoch.validation_loss for epoch in history]
    accuracies = [epoch.accuracy for epoch in history], [epoch.validation_accuracy for epoch in history]
    x_axis = counting_axis("epoch", epochs[0], epochs[-1]) if epochs else counting_axis("epoch", 1, 1)
    highest = max(filter(isfinite, chain(*losses)), default=0.0)
    axes = amounts_axis("", highest), shares_axis("")
    best = [Moment(record.best_epoch, "kept")]
    charts = []
    for title, axis, (of_training, of_validation) in zip(("Loss", "Accuracy"), axes, (losses, accuracies), strict=True):
        words = Words(f"{title} by epoch", f"Epoch {record.best_epoch} was kept; the table below has the figures.")
        series = [Line("training", "training", of_training), Line("validation", "validation", of_validation)]
        charts.append((title, lines(words, series, epochs, (x_axis, axis), best)))
    return charts


def _snapshots(report: Report, links: Links, best: int, number: int, series: SnapshotSeries) -> Snapshots:
    return Snapshots(
        name=report.names[series.image],
        address=links.image(series.image),
        picture=links.picture(f"snapshot-{number}"),
        series=series,
        frames=[
            SnapshotFrame(
                frame,
                is_result=best == frame.epoch,
                maps=[(name, links.picture(snapshot_name(number, name, frame.epoch))) for name in series.methods],
            )
            for frame in series.frames
        ],
    )
