"""The layers on the features page: kernels, and the images that channels are strongest in."""

from collections.abc import Sequence
from dataclasses import dataclass

from cnnvis_report.records.inspection import (
    ImageInspection,
    InspectionRecord,
    KernelRecord,
    TopImagesRecord,
    longer_side,
)
from cnnvis_report.records.network import LayerRecord, blocks
from cnnvis_report.report.pictures.kernels import SLICES, kernel_sheet_size, shown_kernels
from cnnvis_report.report.pictures.sheet import cell_of, sheet_size
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.links import Links
from cnnvis_report.report.views.report import Report

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

    size: (width, height) of the picture, which has a column an image. images: position in the picture, link, and what
    the link says. classes: of the highest mean activation, in words.
    """

    channel: int
    picture: str
    size: tuple[int, int]
    count: int
    images: list[tuple[int, ImageLink, str]]
    classes: str


@dataclass(frozen=True)
class LayerRow:
    """A layer of the network: its receptive field, its kernels, and the channels that are shown of it.

    address: of its section, or of its feature maps; empty where it has neither. feature_maps: of each image that has
    them. block: whether it is listed among the blocks, as those that have a section are.
    """

    layer: LayerRecord
    anchor: str
    field: str
    address: str
    kernels: Kernels | None
    top_images: tuple[TopImages, ...]
    feature_maps: tuple[ImageLink, ...]
    block: bool

    @property
    def shown(self) -> bool:
        """Whether there is a section about it."""
        return self.kernels is not None or bool(self.top_images)


def layer_rows(
    report: Report, links: Links, inspection: InspectionRecord, with_maps: Sequence[ImageInspection]
) -> list[LayerRow]:
    """Every layer, in the order in which they run."""
    fields = {record.layer: record.size for record in inspection.receptive_fields}
    kernels = {record.layer: _kernels(links, number, record) for number, record in shown_kernels(inspection)}
    tops: dict[str, list[TopImages]] = {}
    for number, top in enumerate(inspection.top_images):
        tops.setdefault(top.layer, []).append(_top_images(report, links, number, top, inspection.picture_side))
    main_steps = blocks(report.network.layers)
    order = with_maps[0].layers if with_maps else ()
    rows = []
    for number, layer in enumerate(report.network.layers):
        state = {"feature_layer": str(order.index(layer.name))} if layer.name in order else None
        maps = [image_link(report, links, record.image, **state) for record in with_maps] if state else []
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
                block=shown or layer.name in main_steps,
            )
        )
    return rows


def image_link(report: Report, links: Links, id: str, **state: str) -> ImageLink:
    """An image of the run, and its page in some state."""
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


def _top_images(report: Report, links: Links, number: int, top: TopImagesRecord, side: int) -> TopImages:
    cell = cell_of(min(side, max(longer_side(unit.box) for unit in top.units)))
    images = []
    for index, unit in enumerate(top.units):
        if unit.image in report.names:
            link = image_link(report, links, unit.image)
            caption = f"{link.name}: {fmt.number(unit.value)} at row {unit.row}, column {unit.column}"
            images.append((index, link, caption))
    judged = report.network.kind.judged
    named = [f"{name} ({fmt.number(value)})" for name, value in top.classes[:CLASSES]] if judged else []
    size = sheet_size(len(top.units), 2, cell)
    return TopImages(top.channel, links.picture(f"top-{number}"), size, len(top.units), images, ", ".join(named))
