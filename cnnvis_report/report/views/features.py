"""The features page: what the layers of the network compute."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from cnnvis_report.records.inspection import (
    ImageInspection,
    InspectionRecord,
    KernelRecord,
    MaximizedRecord,
    TopImagesRecord,
)
from cnnvis_report.records.network import LayerRecord, NetworkRecord
from cnnvis_report.records.scores import ScoreKind
from cnnvis_report.report.pictures.kernels import SLICES, kernel_sheet_size
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.channel_stats import ChannelStats, channel_stats, findings, stats_chart
from cnnvis_report.report.views.links import Links
from cnnvis_report.report.views.report import Report

CURVE_WIDTH, CURVE_HEIGHT = 100, 30
CLASSES = 3  # that a channel is said to be strongest for


@dataclass(frozen=True)
class ImageLink:
    """An image of the run: its name, and the address of its page."""

    name: str
    address: str


@dataclass(frozen=True)
class Kernels:
    """The kernels of a layer: what is shown, in words, and addresses of their pictures on one scale and on one each."""

    words: str
    size: tuple[int, int]
    shared: str
    per_kernel: str


@dataclass(frozen=True)
class TopImages:
    """The images that a channel is strongest in: a picture of them all, and a link for each that is there.

    images: position in the picture, link, and what the link says. classes: of the highest mean activation, in words.
    """

    channel: int
    picture: str
    count: int
    images: list[tuple[int, ImageLink, str]]
    classes: str


@dataclass(frozen=True)
class LayerRow:
    """A layer of the network: its receptive field, its kernels, and the channels that are shown of it.

    address: of its section, or of its feature maps; empty where it has neither. feature_maps: of each image that has
    them.
    """

    layer: LayerRecord
    anchor: str
    field: str
    address: str
    kernels: Kernels | None
    top_images: tuple[TopImages, ...]
    feature_maps: tuple[ImageLink, ...]

    @property
    def shown(self) -> bool:
        """Whether there is a section about it."""
        return self.kernels is not None or bool(self.top_images)


@dataclass(frozen=True)
class Maximized:
    """Feature visualization of a unit: the optimized image, and how it came about.

    activation: what the image excites the unit to, in words. strongest: the same of the strongest image of the set;
    "" without images. strongest_image: that image, where it is there. init: what the optimization started from.
    converged: whether no image of the set excites the unit more. curve: points of a line. climb: the curve in words.
    """

    record: MaximizedRecord
    picture: str
    frames: str
    activation: str
    strongest: str
    strongest_image: ImageLink | None
    init: str
    converged: bool
    curve: str
    climb: str


@dataclass(frozen=True)
class Features:
    """What the features page shows.

    nouns: "classes", "labels" or "outputs". images: how many the set had. inspected: images with projections.
    with_maps: images with feature maps. gaps: views that there aren't, a sentence each. layers: in the order in which
    they run. findings: what the channel statistics say. stats_chart: their chart.
    """

    network: NetworkRecord
    noun: str
    images: int
    inspected: list[ImageLink]
    with_maps: list[ImageLink]
    gaps: list[str]
    layers: list[LayerRow]
    maximized: list[Maximized]
    stats: list[ChannelStats]
    findings: list[str]
    stats_chart: Markup


def features(report: Report, links: Links) -> Features:
    """Gather what the features page shows, of a run that was inspected."""
    inspection, network = report.run.inspection, report.network
    if inspection is None:
        raise ValueError("the run wasn't inspected")
    records = [record for record in inspection.images if record.image in report.names]
    with_maps = [record for record in records if record.side]
    rows = layer_rows(report, links, inspection, with_maps)
    addresses = {row.layer.name: row.address for row in rows}
    return Features(
        network=network,
        noun=fmt.column(network.kind),
        images=inspection.image_count,
        inspected=[_image(report, links, record.image) for record in records],
        with_maps=[_image(report, links, record.image) for record in with_maps],
        gaps=[f"No {view}: {reason}." for view, reason in inspection.not_applicable],
        layers=rows,
        maximized=[_maximized(report, links, number, record) for number, record in enumerate(inspection.maximized)],
        stats=[channel_stats(record, addresses) for record in inspection.channel_stats],
        findings=findings(inspection),
        stats_chart=stats_chart(inspection),
    )


def layer_rows(
    report: Report, links: Links, inspection: InspectionRecord, with_maps: Sequence[ImageInspection]
) -> list[LayerRow]:
    """Every layer, in the order in which they run."""
    fields = {record.layer: record.size for record in inspection.receptive_fields}
    kernels = {record.layer: _kernels(links, number, record) for number, record in enumerate(inspection.kernels)}
    tops: dict[str, list[TopImages]] = {}
    for number, top in enumerate(inspection.top_images):
        tops.setdefault(top.layer, []).append(_top_images(report, links, number, top))
    order = with_maps[0].layers if with_maps else ()
    rows = []
    for number, layer in enumerate(report.network.layers):
        state = {"feature_layer": str(order.index(layer.name))} if layer.name in order else None
        maps = [_image(report, links, record.image, **state) for record in with_maps] if state else []
        shown = layer.name in kernels or layer.name in tops
        anchor, field = f"layer-{number}", fields.get(layer.name)
        rows.append(
            LayerRow(
                layer=layer,
                anchor=anchor,
                field=f"{field[1]}×{field[0]}" if field else "",
                address=links.page("features", anchor) if shown else maps[0].address if maps else "",
                kernels=kernels.get(layer.name),
                top_images=tuple(tops.get(layer.name, ())),
                feature_maps=tuple(maps),
            )
        )
    return rows


def curve(maximized: MaximizedRecord) -> str:
    """The optimization's curve as points of a line in a box of 100×30."""
    values = maximized.curve
    low, high = min(values), max(values)
    step = CURVE_WIDTH / max(len(values) - 1, 1)
    spread = (high - low) or 1.0
    points = ((index * step, CURVE_HEIGHT * (1 - (value - low) / spread)) for index, value in enumerate(values))
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _image(report: Report, links: Links, id: str, **state: str) -> ImageLink:
    return ImageLink(report.names[id], links.image(id, **state))


def _kernels(links: Links, number: int, record: KernelRecord) -> Kernels:
    rows, columns = record.stride
    stride = str(rows) if rows == columns else f"{rows}×{columns}"
    outputs, inputs, height, width = record.shape
    if record.first:
        which = f"all {outputs}{' in color' if inputs == 3 else ''}"
    else:
        channels_shown = (
            f"all {outputs}"
            if len(record.channels) == outputs
            else f"the {len(record.channels)} strongest of {outputs}"
        )
        slices = f"all {inputs}" if inputs <= SLICES else f"the {SLICES} strongest of {inputs}"
        which = f"{channels_shown}; of each, {slices} input channels"
    return Kernels(
        f"{height}×{width} kernels, stride {stride}: {which}. Gray is zero.",
        kernel_sheet_size(record),
        links.picture(f"kernels-{number}"),
        links.picture(f"kernels-{number}-each"),
    )


def _top_images(report: Report, links: Links, number: int, top: TopImagesRecord) -> TopImages:
    images = []
    for index, unit in enumerate(top.units):
        if unit.image in report.names:
            link = _image(report, links, unit.image)
            caption = f"{link.name}: {fmt.number(unit.value)} at row {unit.row}, column {unit.column}"
            images.append((index, link, caption))
    judged = report.network.kind is not ScoreKind.VALUE
    named = [f"{name} ({fmt.number(value)})" for name, value in top.classes[:CLASSES]] if judged else []
    return TopImages(top.channel, links.picture(f"top-{number}"), len(top.units), images, ", ".join(named))


def _maximized(report: Report, links: Links, number: int, record: MaximizedRecord) -> Maximized:
    quantity = "activation" if record.layer else report.network.quantity.value
    top = record.top_activation
    image = _image(report, links, record.top_image) if record.top_image in report.names else None
    begin, end = fmt.number(record.curve[0]), fmt.number(record.curve[-1])
    return Maximized(
        record=record,
        picture=links.picture(f"maximized-{number}"),
        frames=links.picture(f"frames-{number}"),
        activation=f"{quantity} {fmt.number(record.activation)}",
        strongest="" if top is None else fmt.number(top),
        strongest_image=image,
        init="initialized from the strongest image" if record.init == "image" else "random initialization",
        converged=record.converged,
        curve=curve(record),
        climb=f"{quantity} over the optimization, from {begin} to {end}",
    )
