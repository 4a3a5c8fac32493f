"""The features page: what the layers of the network compute."""

from dataclasses import dataclass

from markupsafe import Markup

from cnnvis_report.records.inspection import MaximizedRecord
from cnnvis_report.records.network import NetworkRecord
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.features.channel_stats import ChannelStats, channel_stats, findings, stats_chart
from cnnvis_report.report.views.features.layer_rows import ImageLink, LayerRow, image_link, layer_rows
from cnnvis_report.report.views.image.inspection import RULES
from cnnvis_report.report.views.links import Links
from cnnvis_report.report.views.report import Report

CURVE_WIDTH, CURVE_HEIGHT = 100, 30


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

    noun: "class", "label" or "output". rule: by which top images are projected. images: how many the set had.
    inspected: images with projections. with_maps: images with feature maps. gaps: views that there aren't, a sentence
    each. layers: in the order in which they run. maximized: those that converged come first. findings: what the channel
    statistics say. stats_chart: of them.
    """

    network: NetworkRecord
    noun: str
    rule: str
    images: int
    inspected: list[ImageLink]
    with_maps: list[ImageLink]
    gaps: list[str]
    layers: list[LayerRow]
    maximized: list[Maximized]
    stats: list[ChannelStats]
    findings: list[str]
    stats_chart: Markup

    @property
    def operations(self) -> bool:
        """Whether there are operations within blocks."""
        return any(not row.block for row in self.layers)


def features(report: Report, links: Links) -> Features:
    """Gather what the features page shows, of a run that was inspected."""
    inspection, network = report.run.inspection, report.network
    if inspection is None:
        raise ValueError("the run wasn't inspected")
    records = [record for record in inspection.images if record.image in report.names]
    with_maps = [record for record in records if record.side]
    rows = layer_rows(report, links, inspection, with_maps)
    visualizations = [_maximized(report, links, number, record) for number, record in enumerate(inspection.maximized)]
    addresses = {row.layer.name: row.address for row in rows}
    return Features(
        network=network,
        noun=fmt.column(network.kind),
        rule=RULES.get(inspection.projection_rules[0], "") if inspection.projection_rules else "",
        images=inspection.image_count,
        inspected=[image_link(report, links, record.image) for record in records],
        with_maps=[image_link(report, links, record.image) for record in with_maps],
        gaps=[f"No {view}: {reason}." for view, reason in inspection.not_applicable],
        layers=rows,
        maximized=sorted(visualizations, key=lambda visualization: not visualization.converged),
        stats=[channel_stats(record, addresses) for record in inspection.channel_stats],
        findings=findings(inspection),
        stats_chart=stats_chart(inspection),
    )


def curve(maximized: MaximizedRecord) -> str:
    """The optimization's curve as points of a line in a box of 100×30."""
    values = maximized.curve
    low, high = min(values), max(values)
    step = CURVE_WIDTH / max(len(values) - 1, 1)
    spread = (high - low) or 1.0
    points = ((index * step, CURVE_HEIGHT * (1 - (value - low) / spread)) for index, value in enumerate(values))
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _maximized(report: Report, links: Links, number: int, record: MaximizedRecord) -> Maximized:
    quantity = "activation" if record.layer else report.network.quantity.value
    top = record.top_activation
    image = image_link(report, links, record.top_image) if record.top_image in report.names else None
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
