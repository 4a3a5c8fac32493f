"""The page of an image in a comparison: the maps of each run beside each other, and their differences."""

from collections.abc import Sequence
from dataclasses import dataclass

from cnnvis_report.records.compared_images import ComparedImage, Flip, TargetSource
from cnnvis_report.records.comparison import ComparedMethod
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.methods import Kind, Sign
from cnnvis_report.report.comparison.gallery import WORDS
from cnnvis_report.report.comparison.report import ComparedReport, answer, extent, moved, strongest_flip
from cnnvis_report.report.comparison.stills import row_name
from cnnvis_report.report.pictures.palettes import POSITIVE, SIGNED, stops
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.image.page import Neighbors
from cnnvis_report.report.views.image.tiles import gradient, ramp

EXPLAINED = {
    TargetSource.LABEL: "All maps explain {}, the label.",
    TargetSource.FIRST_PREDICTION: "All maps explain {}, the prediction of the first run.",
    TargetSource.OWN_PREDICTIONS: "The maps of each run explain its own prediction: {}.",
}


@dataclass(frozen=True)
class ComparedTile:
    """A map on the page: of a run, or with `minus` what one run has more than another."""

    title: str
    run: int
    minus: int | None
    still: str

    @property
    def role(self) -> str:
        """What it is in the first row."""
        return "run" if self.minus is None else "difference"


@dataclass(frozen=True)
class ComparedRow:
    """A method with its maps: how far they moved on this image, and how much of each lies in the mask, in words.

    ramp, scale: the colors of its maps as a CSS gradient, and the words below them. still: what the picture of all of
    them is called.
    """

    key: str
    title: str
    facts: list[str]
    ramp: str
    scale: tuple[str, str, str, str]
    still: str


@dataclass(frozen=True)
class ComparedPredictionLine:
    """What a run predicts: the class, its probability in words, and whether that is right."""

    run: str
    name: str
    value: str
    state: str


@dataclass(frozen=True)
class ComparedImageView:
    """What the page of an image shows.

    tiles: of a row of maps: a run each, then the differences of later runs to the first. shown: the row that comes
    first; None without maps. palettes and the rest: what the controls of a run's image page ask for.
    """

    image: ComparedImage
    size: tuple[int, int]
    mask: bool
    images: int
    neighbors: Neighbors
    predictions: list[ComparedPredictionLine]
    verdict: str
    state: str
    explained: str
    movement: str
    tiles: list[ComparedTile]
    rows: list[ComparedRow]
    shown: ComparedRow | None
    palettes: dict[str, str]
    signed_palettes: dict[str, str]
    layers: tuple[str, ...] = ()
    nouns: str = ""
    colors: bool = False


def compared_image_view(
    report: ComparedReport, image: ComparedImage, records: Sequence[ImageRecord]
) -> ComparedImageView:
    """Gather what the page of an image shows."""
    flip = strongest_flip(image)
    rows = [
        _row(image, method, row_name(number))
        for number, method in enumerate(report.methods)
        if any(image.keys.get(method.key, ()))
    ]
    value, names = moved(image), [name for name in dict.fromkeys(image.targets) if name]
    return ComparedImageView(
        image=image,
        size=records[0].size,
        mask=records[0].mask_fraction is not None,
        images=len(report.images),
        neighbors=_neighbors(report, image),
        predictions=_predictions(report, image),
        verdict=WORDS[flip] if flip in (Flip.BROKEN, Flip.FIXED, Flip.CHANGED) else "",
        state=str(flip),
        explained=EXPLAINED[image.target_source].format(" and ".join(names)) if names else "",
        movement="" if value is None else f"Maps moved by {fmt.number(value, 2)} (median over the methods).",
        tiles=_tiles(report),
        rows=rows,
        shown=next((row for row in rows if report.shown and row.key == report.shown.key), next(iter(rows), None)),
        palettes={name: gradient(stops(name)) for name in POSITIVE},
        signed_palettes={name: gradient(stops(name)) for name in SIGNED},
    )


def _neighbors(report: ComparedReport, image: ComparedImage) -> Neighbors:
    """What comes before and after an image in the order of the gallery."""
    number = report.position[image.id]
    before = report.ids[number - 1] if number else ""
    after = report.ids[number + 1] if number + 1 < len(report.ids) else ""
    return Neighbors(before, after, number + 1)


def _predictions(report: ComparedReport, image: ComparedImage) -> list[ComparedPredictionLine]:
    states = {True: "correct", False: "misclassified", None: ""}
    return [
        ComparedPredictionLine(run, answer(prediction), extent(prediction), states[prediction.correct])
        for run, prediction in zip(report.names, image.predictions, strict=True)
    ]


def _tiles(report: ComparedReport) -> list[ComparedTile]:
    names = report.names
    runs = [ComparedTile(name, index, None, f"run{index}") for index, name in enumerate(names)]
    last = len(names) - 1
    differences = [
        ComparedTile(f"{name} − {names[0]}", index, 0, "difference" if index == last else "")
        for index, name in enumerate(names[1:], start=1)
    ]
    return [*runs, *differences]


def _row(image: ComparedImage, method: ComparedMethod, still: str) -> ComparedRow:
    moves = [fmt.number(value, 2) for value in image.moved.get(method.key, ()) if value is not None]
    shares = [fmt.percent(value) for value in image.mask_energy.get(method.key, ()) if value is not None]
    facts = [f"moved {', '.join(moves)}"] if moves else []
    facts += [f"in the mask: {' → '.join(shares)}"] if shares else []
    return ComparedRow(method.key, method.title, facts, ramp(method.info), _scale(method), still)


def _scale(method: ComparedMethod) -> tuple[str, str, str, str]:
    """The words below the colors of a map that was divided by the value where they end."""
    alone = method.info.kind is Kind.PIXEL
    whose, high = ("99th percentile of this map", "≥ 1") if alone else ("max of this map", "1")
    if method.info.shown_sign is Sign.POSITIVE:
        return "0", "", high, whose
    return "≤ −1" if alone else "−1", "0", high, whose
