"""What the page about the inside of the network, and an image's part of it, get."""

from collections.abc import Sequence
from dataclasses import dataclass

from cnnvis_report.records.inspection import (
    ChannelStatsRecord,
    ImageInspection,
    InspectionRecord,
    KernelRecord,
    MaximizedRecord,
    TopImagesRecord,
)
from cnnvis_report.records.network import LayerRecord
from cnnvis_report.records.run import RunRecord
from cnnvis_report.report.views import formatting as fmt

CURVE_WIDTH, CURVE_HEIGHT = 100, 30


@dataclass(frozen=True)
class LayerRow:
    """A layer in the list: what it is, what it sees, and what is shown of it.

    kernels, tops: numbers of their pictures. stage: its place among the layers whose feature maps are kept.
    """

    layer: LayerRecord
    anchor: str
    field: str
    health: ChannelStatsRecord | None
    kernels: tuple[int, KernelRecord] | None
    tops: tuple[tuple[int, TopImagesRecord], ...]
    stage: int | None

    @property
    def shown(self) -> bool:
        """Whether there is a section about it."""
        return self.kernels is not None or bool(self.tops)


def layer_rows(run: RunRecord, inside: InspectionRecord) -> list[LayerRow]:
    """Every layer in the order in which they run."""
    fields = {each.layer: each.size for each in inside.receptive_fields}
    health = {each.layer: each for each in inside.channel_stats}
    kernels = {each.layer: (number, each) for number, each in enumerate(inside.kernels)}
    stages = inside.images[0].layers if inside.images else ()
    rows = []
    for number, layer in enumerate(run.network.layers):
        size = fields.get(layer.name)
        rows.append(
            LayerRow(
                layer=layer,
                anchor=f"layer-{number}",
                field=f"{size[1]}×{size[0]}" if size else "",
                health=health.get(layer.name),
                kernels=kernels.get(layer.name),
                tops=tuple((place, top) for place, top in enumerate(inside.top_images) if top.layer == layer.name),
                stage=stages.index(layer.name) if layer.name in stages else None,
            )
        )
    return rows


def findings(inside: InspectionRecord) -> list[str]:
    """What the health of the channels says, in sentences: the layers with most to mend first."""
    said = []
    for count, text in (
        ("dead", "{} of {} channels never above zero on these images"),
        ("duplicates", "{} of {} channels like another one (correlation of 0.99 or more)"),
        ("saturated", "{} of {} channels above zero nearly everywhere"),
    ):
        found = [
            each for each in inside.channel_stats if getattr(each, count) and (count != "saturated" or _floored(each))
        ]
        for each in sorted(found, key=lambda each: -getattr(each, count) / each.channels)[:3]:
            amounts = fmt.number(getattr(each, count)), fmt.number(each.channels)
            said.append(f"{each.layer}: {text.format(*amounts)}.")
    return said


def health_data(inside: InspectionRecord) -> dict[str, list[str] | list[float]]:
    """Columns for the chart: layers, and shares of their channels or values."""
    return {
        "layers": [each.layer for each in inside.channel_stats],
        "dead": [round(each.dead / each.channels, 5) for each in inside.channel_stats],
        "saturated": [round(each.saturated / each.channels, 5) for each in inside.channel_stats],
        "duplicates": [round(each.duplicates / each.channels, 5) for each in inside.channel_stats],
        "active": [each.active_fraction for each in inside.channel_stats],
    }


def curve(preferred: MaximizedRecord) -> str:
    """The optimization's curve as points of a line in a box of 100×30."""
    values = preferred.curve
    low, high = min(values), max(values)
    step = CURVE_WIDTH / max(len(values) - 1, 1)
    spread = (high - low) or 1.0
    points = ((place * step, CURVE_HEIGHT * (1 - (value - low) / spread)) for place, value in enumerate(values))
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def stage_names(run: RunRecord, inside: ImageInspection) -> list[tuple[str, str]]:
    """Name and description of each layer whose feature maps are kept."""
    layers = {layer.name: layer for layer in run.network.layers}
    return [(name, f"{layers[name].type}, {fmt.sides(layers[name].shape)}") for name in inside.layers]


def gap_sentences(gaps: Sequence[tuple[str, str]]) -> list[str]:
    """Views that aren't there, each with the reason."""
    return [f"No {view}: {reason}." for view, reason in gaps]


def _floored(health: ChannelStatsRecord) -> bool:
    """Whether some of a layer's values are zero or below: only then a channel that never is says something."""
    return health.active_fraction < 0.95
