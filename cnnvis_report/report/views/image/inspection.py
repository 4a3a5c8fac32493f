"""What the layers compute for one image, as its page shows it."""

from dataclasses import dataclass

from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.inspection import ImageInspection
from cnnvis_report.records.network import blocks
from cnnvis_report.records.run import RunRecord
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.links import Links
from cnnvis_report.report.views.report import Report

RULES = {"deconvnet": "Deconvnet", "guided": "Guided backprop", "gradient": "Gradient"}  # by projection rule


@dataclass(frozen=True)
class LayerPicture:
    """A layer as one picture: its summary over the picture, and the picture, sharp where the summary is large.

    block: whether it is a block of the network, not an operation within one.
    """

    name: str
    described: str
    summary: str
    reveal: str
    block: bool


@dataclass(frozen=True)
class Projection:
    """A channel where it is strongest: what it sees of the picture, and its projection by each rule."""

    channel: int
    value: str
    position: str
    crop: str
    by_rule: list[tuple[str, str]]


@dataclass(frozen=True)
class Captioned:
    """A picture with its name and a caption."""

    name: str
    caption: str
    address: str


@dataclass(frozen=True)
class ImageFeatures:
    """What the layers compute for one image.

    target: the class that the relevance of channels is for. feature_maps: whether they are kept.
    layers: those that were inspected, in the order in which they run. rules: names and titles of the backward rules.
    projections: of the strongest channels, by layer. class_maps: class activation maps.
    inverted: pictures with the image's features.
    """

    id: str
    target: str
    feature_maps: bool
    layers: list[LayerPicture]
    rules: list[tuple[str, str]]
    projections: list[tuple[str, list[Projection]]]
    class_maps: list[Captioned]
    inverted: list[Captioned]

    @property
    def operations(self) -> bool:
        """Whether there are operations within blocks, too."""
        return any(not layer.block for layer in self.layers)


def image_features(report: Report, links: Links, image: ImageRecord) -> ImageFeatures | None:
    """Gather what the layers compute for an image; None where that wasn't inspected."""
    run = report.run
    inspected = run.inspection.of(image.id) if run.inspection else None
    if run.inspection is None or inspected is None:
        return None
    rules = run.inspection.projection_rules
    return ImageFeatures(
        id=image.id,
        target=inspected.target,
        feature_maps=bool(inspected.layers and inspected.side),
        layers=_layer_pictures(run, inspected, links),
        rules=[(rule, RULES.get(rule, rule)) for rule in rules],
        projections=_projections(inspected, rules, links),
        class_maps=_class_maps(run, inspected, links),
        inverted=[
            Captioned(
                inversion.layer, f"relative error {fmt.percent(inversion.error)}", links.picture(f"inverted-{number}")
            )
            for number, inversion in enumerate(inspected.inverted)
        ],
    )


def _layer_pictures(run: RunRecord, inspected: ImageInspection, links: Links) -> list[LayerPicture]:
    layers = {layer.name: layer for layer in run.network.layers}
    shown = set(blocks(run.network.layers)).intersection(inspected.layers) or set(inspected.layers)
    return [
        LayerPicture(
            name,
            f"{layers[name].type}, {fmt.sides(layers[name].shape)}",
            links.picture(f"summary-{number}"),
            links.picture(f"reveal-{number}"),
            name in shown,
        )
        for number, name in enumerate(inspected.layers)
    ]


def _projections(
    inspected: ImageInspection, rules: tuple[str, ...], links: Links
) -> list[tuple[str, list[Projection]]]:
    return [
        (
            layer,
            [
                Projection(
                    unit.channel,
                    fmt.number(unit.value),
                    f"row {unit.row}, column {unit.column}",
                    links.picture(f"unit-{number}-{index}-crop"),
                    [(rule, links.picture(f"unit-{number}-{index}-{rule}")) for rule in rules],
                )
                for index, unit in enumerate(units)
            ],
        )
        for number, (layer, units) in enumerate(inspected.units)
    ]


def _class_maps(run: RunRecord, inspected: ImageInspection, links: Links) -> list[Captioned]:
    captioned = []
    for class_map in inspected.classes:
        probability = "" if class_map.probability is None else f"{fmt.percent(class_map.probability)}, "
        caption = f"{probability}{run.network.quantity} {fmt.number(class_map.logit)}"
        captioned.append(Captioned(class_map.name, caption, links.picture(f"class-{class_map.index}")))
    return captioned
