"""The page of one image: what the network predicts, and every method's map of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cnnvis_report.records.images import ClassScore, ImageRecord
from cnnvis_report.records.methods import Kind, MethodInfo
from cnnvis_report.records.network import NetworkRecord
from cnnvis_report.records.run import Keep
from cnnvis_report.records.scores import BOXES, ScoreKind
from cnnvis_report.report.pictures.encode import Quality
from cnnvis_report.report.pictures.palettes import POSITIVE, SIGNED, stops
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.image.bands import ImageBands, image_bands
from cnnvis_report.report.views.image.inspection import ImageFeatures, image_features
from cnnvis_report.report.views.image.lead import Lead, ScoreBar, columns, lead, score_bars
from cnnvis_report.report.views.image.map_metrics import ImageTable, image_table
from cnnvis_report.report.views.image.segmentation import PredictedPicture, detection, segmentation
from cnnvis_report.report.views.image.tiles import ScaleEnds, Section, Tile, gradient, scale_ends, sections
from cnnvis_report.report.views.links import Links
from cnnvis_report.report.views.report import Report
from cnnvis_report.report.views.verdict import Verdict, label_score, labels_with_scores, predicted_scores, verdict
from cnnvis_report.store.files.names import file_of

HALVED = "values in half precision, to within 0.05% of each,"
PREDICTED = 8  # labels that the head of the page names
SIDE_BY_SIDE = 12  # classes


@dataclass(frozen=True)
class Neighbors:
    """The ids of the images before and after one, and its number, from 1."""

    before: str
    after: str
    number: int


@dataclass(frozen=True)
class LabelLine:
    """A label of an image, and what the network says of it, in words; state is "correct" or "misclassified"."""

    name: str
    known: bool
    state: str
    value: str


@dataclass(frozen=True)
class ImageView:
    """What the page of one image shows.

    noun, nouns: what a score is of, one and several. predicted: in words. labels: those of the image.
    label_value: the score of the label, in words, where it isn't predicted. score_hint: what else there is to the
    scores. scores: those that are listed. lead: the first row of maps; None without maps. sections: methods by family.
    columns: the methods whose maps of all classes stand side by side; none where one class is explained.
    layers: those of the maps, in the order in which they run. palettes, signed_palettes: names with their colors as a
    CSS gradient. kinds: of the maps. colors: whether a method has color pictures. mask: whether there is one.
    predicted_picture: what is predicted where; None of networks that don't say. metrics: what the maps scored.
    features: what the layers compute; None where that wasn't inspected. bands: of pictures that are neither gray nor
    color. arrays: the file of the run folder that holds the maps; empty where none are kept. values: those in it, in
    words.
    """

    network: NetworkRecord
    image: ImageRecord
    images: int
    neighbors: Neighbors
    noun: str
    nouns: str
    predicted: list[tuple[str, str]]
    more_predicted: int
    verdict: Verdict
    labels: list[LabelLine]
    label_value: str
    score_hint: str
    scores: list[ScoreBar]
    lead: Lead | None
    sections: list[Section]
    columns: list[MethodInfo]
    layers: list[str]
    palettes: dict[str, str]
    signed_palettes: dict[str, str]
    kinds: set[Kind]
    colors: bool
    mask: bool
    predicted_picture: PredictedPicture | None
    quality: Quality
    metrics: ImageTable | None
    features: ImageFeatures | None
    bands: ImageBands | None
    arrays: str
    values: str

    @property
    def shown(self) -> list[Tile]:
        """The tiles of all methods that have a map."""
        return [tile for section in self.sections for tile in section.tiles if tile.first]

    @property
    def fine(self) -> bool:
        """Whether there are maps of pixels, whose values are rounded on the page."""
        return bool(self.kinds - {Kind.LAYER})

    @property
    def unexplained(self) -> str:
        """A class that is listed and not explained; empty where there is none."""
        index = next((bar.score.index for bar in self.scores if not bar.explained), None)
        listed = {bar.score.index: bar.score.name for bar in self.scores}
        return "" if index is None else listed.get(index % self.network.classes, listed[index])

    @property
    def side_classes(self) -> Sequence[ClassScore]:
        """The classes that stand side by side."""
        return self.image.targets[:SIDE_BY_SIDE]


def image_view(
    report: Report, links: Links, image: ImageRecord, neighbors: Neighbors, ends: ScaleEnds | None = None
) -> ImageView:
    """Gather what the page of an image shows.

    Args:
        ends: of the color scales of its first maps; read from its arrays if they aren't at hand.
    """
    if ends is None:
        ends = scale_ends(report.run, image, report.stored.maps(image))
    network, kind = report.network, report.network.kind
    scores, judged = predicted_scores(image), verdict(image)
    score = label_score(image)
    families = sections(report, image, ends)
    shown = [tile.method for section in families for tile in section.tiles if tile.first]
    return ImageView(
        network=network,
        image=image,
        images=report.image_pages,
        neighbors=neighbors,
        noun=fmt.column(kind),
        nouns={"class": "classes"}.get(fmt.column(kind), f"{fmt.column(kind)}s"),
        predicted=[(score.name, fmt.score_value(score)) for score in scores[:PREDICTED]],
        more_predicted=max(0, len(scores) - PREDICTED),
        verdict=judged,
        labels=_labels(image),
        label_value=fmt.score_value(score) if score and judged.state == "misclassified" else "",
        score_hint=_score_hint(network, image),
        scores=score_bars(image),
        lead=lead(report, image),
        sections=families,
        columns=columns(report, image) if len(image.targets) > 1 else [],
        layers=_layers(network, image),
        palettes={name: gradient(stops(name)) for name in POSITIVE},
        signed_palettes={name: gradient(stops(name)) for name in SIGNED},
        kinds={method.kind for method in shown},
        colors=any(method.color for method in shown),
        mask=image.mask_fraction is not None,
        predicted_picture=_predicted_picture(network, image, links),
        quality=report.quality,
        metrics=image_table(report, image),
        features=image_features(report, links, image),
        bands=image_bands(report, links, image),
        arrays="" if report.run.settings.get("keep") == Keep.NONE else file_of(image),
        values="the exact values" if report.run.keep is Keep.FULL else HALVED,
    )


def with_neighbors(report: Report) -> Iterator[tuple[ImageRecord, Neighbors]]:
    """The images that have a page one by one, each with the ids of those beside it."""
    before, current, number = "", None, 0
    for after in report.images_with_page():
        if current is not None:
            yield current, Neighbors(before, after.id, number)
            before = current.id
        current, number = after, number + 1
    if current is not None:
        yield current, Neighbors(before, "", number)


def _predicted_picture(network: NetworkRecord, image: ImageRecord, links: Links) -> PredictedPicture | None:
    """What is predicted where; None where the scores are those of the whole picture."""
    if image.kind is ScoreKind.SEGMENTATION:
        return segmentation(image, links)
    return detection(image, network.classes, links) if image.kind is ScoreKind.DETECTION else None


def _labels(image: ImageRecord) -> list[LabelLine]:
    lines = []
    for label, score, predicted in labels_with_scores(image):
        known = label.index is not None
        state = "" if not known else "correct" if predicted else "misclassified"
        lines.append(LabelLine(label.name, known, state, fmt.score_value(score) if score and not predicted else ""))
    return lines


def _score_hint(network: NetworkRecord, image: ImageRecord) -> str:
    """What stands below the list of scores."""
    rest = network.classes - len(image.top)
    if network.kind is ScoreKind.VALUE:
        return f"{fmt.columns(rest, network.kind)} more" if rest else "values, not probabilities"
    if network.kind is ScoreKind.DETECTION:
        return f"the best boxes, of a class up to {BOXES}" if image.top else "there is nothing to explain"
    first = image.top[0]
    if network.kind is ScoreKind.SEGMENTATION:
        regions = f"mean {network.quantity} of {first.name} over its region: {fmt.number(first.logit)}"
        return f"shares of the picture that are predicted as each class · {regions}"
    parts = [f"{network.quantity} of {first.name}: {fmt.number(first.logit)}"]
    if rest and network.kind is ScoreKind.SIGMOID:
        parts.insert(0, f"{fmt.count(rest, 'other')}: at most {fmt.score_value(image.top[-1])}")
    elif rest:
        left = max(0.0, 1 - sum(score.probability or 0.0 for score in image.top))
        parts.insert(0, f"{fmt.count(rest, 'other')}: {fmt.percent(left)} in all")
    return " · ".join(parts)


def _layers(network: NetworkRecord, image: ImageRecord) -> list[str]:
    """The layers of the maps, in the order in which they run."""
    order = {layer.name: position for position, layer in enumerate(network.layers)}
    return sorted({record.layer for record in image.maps if record.layer}, key=lambda name: order.get(name, len(order)))
