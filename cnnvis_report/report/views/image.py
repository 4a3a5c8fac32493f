"""The page of one image: what the network predicts, and every method's map of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from cnnvis_report.records.images import ClassScore, ImageRecord, MapRecord, NotApplicableRecord
from cnnvis_report.records.methods import Kind, MethodInfo, Reduction
from cnnvis_report.records.network import NetworkRecord
from cnnvis_report.records.scores import ScoreKind
from cnnvis_report.report.pictures.drawing import bar_colors
from cnnvis_report.report.pictures.encode import Quality
from cnnvis_report.report.pictures.palettes import POSITIVE, SIGNED
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.image_inspection import ImageFeatures, image_features
from cnnvis_report.report.views.image_metrics import ImageTable, image_table
from cnnvis_report.report.views.links import Links
from cnnvis_report.report.views.method_rows import by_family, map_evidence, shown_first
from cnnvis_report.report.views.report import Report
from cnnvis_report.report.views.verdict import Verdict, label_score, labels_with_scores, predicted_scores, verdict
from cnnvis_report.store.run_folder import StoredRun

PREDICTED = 8  # labels that the head of the page names
SIDE_BY_SIDE = 12  # classes
RAMP = 17  # colors that a color bar is made of
ABOVE = 3  # from more classes on, they stand side by side above the methods


@dataclass(frozen=True)
class Tile:
    """A method on an image page.

    first: the map that is shown first; None where there is none. ramp: its colors, as a CSS gradient.
    evidence: what is stated of it, and what it took. gaps: maps that there aren't, with the reason.
    """

    method: MethodInfo
    first: MapRecord | None
    ramp: str
    evidence: tuple[str, ...]
    gaps: tuple[NotApplicableRecord, ...]


@dataclass(frozen=True)
class Section:
    """A family of methods on an image page; the note holds for all of its maps."""

    family: str
    note: str
    tiles: tuple[Tile, ...]


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
    scores. sections: methods by family. side: the method whose maps of all classes stand side by side.
    layers: those of the maps, in the order in which they run. kinds: of the maps. colors: whether a method has color
    pictures. metrics: what the maps scored. features: what the layers compute; None where that wasn't inspected.
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
    sections: list[Section]
    side: str
    layers: list[str]
    palettes: list[str]
    signed_palettes: list[str]
    kinds: set[Kind]
    colors: bool
    quality: Quality
    metrics: ImageTable | None
    features: ImageFeatures | None

    @property
    def shown(self) -> list[Tile]:
        """The tiles of all methods that have a map."""
        return [tile for section in self.sections for tile in section.tiles if tile.first]

    @property
    def fine(self) -> bool:
        """Whether there are maps of pixels, whose values are rounded on the page."""
        return bool(self.kinds - {Kind.LAYER})

    @property
    def side_above(self) -> bool:
        """Whether the classes side by side stand above the methods, where they are many."""
        return len(self.image.targets) > ABOVE

    @property
    def side_classes(self) -> Sequence[ClassScore]:
        """The classes that stand side by side."""
        return self.image.targets[:SIDE_BY_SIDE]


def image_view(report: Report, links: Links, image: ImageRecord, neighbors: Neighbors) -> ImageView:
    """Gather what the page of an image shows."""
    network, kind = report.network, report.network.kind
    scores, judged = predicted_scores(image), verdict(image)
    score = label_score(image)
    sections = _sections(report, image)
    shown = [tile.method for section in sections for tile in section.tiles if tile.first]
    return ImageView(
        network=network,
        image=image,
        images=report.run.images,
        neighbors=neighbors,
        noun=fmt.column(kind),
        nouns={"class": "classes"}.get(fmt.column(kind), f"{fmt.column(kind)}s"),
        predicted=[(score.name, fmt.score_value(score)) for score in scores[:PREDICTED]],
        more_predicted=max(0, len(scores) - PREDICTED),
        verdict=judged,
        labels=_labels(image),
        label_value=fmt.score_value(score) if score and judged.state == "misclassified" else "",
        score_hint=_score_hint(network, image),
        sections=sections,
        side=shown_first(report.run),
        layers=_layers(network, image),
        palettes=list(POSITIVE),
        signed_palettes=list(SIGNED),
        kinds={method.kind for method in shown},
        colors=any(tile.method.color for section in sections for tile in section.tiles),
        quality=report.quality,
        metrics=image_table(report, image),
        features=image_features(report, links, image),
    )


def with_neighbors(stored: StoredRun) -> Iterator[tuple[ImageRecord, Neighbors]]:
    """The images one by one, each with the ids of those beside it."""
    before, current, number = "", None, 0
    for after in stored.images():
        if current is not None:
            yield current, Neighbors(before, after.id, number)
            before = current.id
        current, number = after, number + 1
    if current is not None:
        yield current, Neighbors(before, "", number)


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
    first = image.top[0]
    parts = [f"{network.quantity} of {first.name}: {fmt.number(first.logit)}"]
    if rest and network.kind is ScoreKind.SIGMOID:
        parts.insert(0, f"{fmt.count(rest, 'other')}: at most {fmt.score_value(image.top[-1])}")
    elif rest:
        left = max(0.0, 1 - sum(score.probability or 0.0 for score in image.top))
        parts.insert(0, f"{fmt.count(rest, 'other')}: {fmt.percent(left)} in all")
    return " · ".join(parts)


def _sections(report: Report, image: ImageRecord) -> list[Section]:
    """The methods by family; one with neither map nor gap doesn't apply to the network."""
    sections = []
    for family, methods in groupby(by_family(report.run.methods), key=lambda method: method.family):
        tiles = tuple(_tile(report, image, method) for method in methods)
        sections.append(Section(family, _note(tiles), tiles))
    return sections


def _tile(report: Report, image: ImageRecord, method: MethodInfo) -> Tile:
    maps = [record for record in image.maps if record.method == method.name]
    gaps = [gap for gap in (*report.run.not_applicable, *image.not_applicable) if gap.method in (method.name, "")]
    first = next((record for record in maps if image.targets and record.target == image.targets[0].index), None)
    evidence = tuple(map_evidence(report.run, first)) if first else ()
    return Tile(method, first or (maps[0] if maps else None), _ramp(method), evidence, tuple(gaps))


def _ramp(method: MethodInfo) -> str:
    """The colors of a method's maps, as they are first drawn, as a CSS gradient."""
    bar = bar_colors(method.shown_sign, method.kind, steps=RAMP)
    colors = ", ".join(f"rgb({red} {green} {blue})" for red, green, blue in bar.tolist())
    return f"linear-gradient(to right, {colors})"


def _note(tiles: Sequence[Tile]) -> str:
    """What holds for all tiles of a section: how channels were reduced, or how large the maps are."""
    methods = [tile.method for tile in tiles if tile.first]
    if methods and all(method.kind is Kind.LAYER for method in methods):
        shapes = {tile.first.shape for tile in tiles if tile.first}
        return f"{' and '.join(fmt.sides(shape) for shape in sorted(shapes))}, bilinear interpolation"
    if methods and all(method.kind is Kind.PIXEL for method in methods):
        names = {Reduction.SUM: "sum", Reduction.ABS_MAX: "largest absolute value"}
        if len({method.reduction for method in methods}) == 1:
            return f"{names[methods[0].reduction]} over the color channels"
        return "one value a pixel: the sum over the color channels, or their largest absolute value"
    return ""


def _layers(network: NetworkRecord, image: ImageRecord) -> list[str]:
    """The layers of the maps, in the order in which they run."""
    order = {layer.name: position for position, layer in enumerate(network.layers)}
    return sorted({record.layer for record in image.maps if record.layer}, key=lambda name: order.get(name, len(order)))
