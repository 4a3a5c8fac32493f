"""What maps are worth, in rows, curves and sentences."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, median, pstdev

from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.methods import MethodInfo
from cnnvis_report.records.metrics import Evaluation
from cnnvis_report.records.network import NetworkRecord
from cnnvis_report.records.run import RunRecord
from cnnvis_report.records.scores import ScoreKind
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.images import in_families
from cnnvis_report.report.views.summary import MethodSummary, Summary

WIDE, HIGH = 100, 32  # of a curve's picture
UNCHANGED = 0.5  # rank correlation of magnitudes with a network that has forgotten everything
LOST = 0.25  # of the score
BEST = 3
REPLACEMENTS = {"zeros": "gray", "gaussian": "noise", "mean": "their mean", "invert": "their inverse"}


@dataclass(frozen=True)
class Curve:
    """A curve as the points of an SVG polyline in a box of WIDE × HIGH."""

    name: str
    points: str


@dataclass(frozen=True)
class WorthRow:
    """What a method's maps are worth, over a set or on one image.

    cells: a mean and, over a set, a spread for each measure, as words; "" where there is none.
    score: insertion less deletion, None without them. best: whether it is among the first.
    """

    card: MethodInfo
    cells: tuple[tuple[str, str], ...]
    curves: tuple[Curve, ...]
    score: float | None
    best: bool = False
    remembers: str = ""


@dataclass(frozen=True)
class WorthTable:
    """Rows with what their columns say: a title, what it means, and which way is good."""

    columns: tuple[tuple[str, str], ...]
    rows: tuple[WorthRow, ...]
    floor: tuple[Curve, ...]
    cautions: tuple[str, ...] = ()
    forgets: bool = False


COLUMNS = {
    "insertion": (
        "Insertion ↑",
        "Area under the class's probability while the map's largest pixels enter a blurred image",
    ),
    "deletion": ("Deletion ↓", "Area under the class's probability while the map's largest pixels turn black"),
    **{
        f"regions_{name}": (f"AOPC, {text} ↑", f"Mean drop of the logit while the map's first regions become {text}")
        for name, text in REPLACEMENTS.items()
    },
    "pointing": ("Points ↑", "How often the map's peak lies in the mask of what decides the class"),
    "mass": ("Mass ↑", "Share of the map's positive part that lies in the mask"),
    "rank": ("Rank ↑", "Share of the map's largest pixels, as many as the mask has, that lie in it"),
}


def _column(name: str, network: NetworkRecord) -> tuple[str, str]:
    """A column's title and what it means, in the words of what the network gives."""
    title, meaning = COLUMNS[name]
    if network.kind is ScoreKind.VALUE:
        meaning = meaning.replace("the class's probability", "the output").replace("the class", "the output")
    return title, meaning.replace("the logit", f"the {network.quantity}")


def worth_of_set(run: RunRecord, summary: Summary) -> WorthTable | None:
    """The methods with what their maps were worth over the set, the best first; None where nothing was measured."""
    measured = {card.name: summary.methods[card.name] for card in run.methods if summary.methods[card.name].measured}
    if not measured or run.evaluation is None:
        return None
    names = [name for name in COLUMNS if any(name in each.measured for each in measured.values())]
    last = {each.method: each.absolute[-1] for each in run.evaluation.randomization}
    means = {name: _means(found) for name, found in measured.items()}
    ends = _ends(curve for curves in means.values() for curve in curves.values())
    rows = []
    for card in run.methods:
        if card.name in measured:
            found = measured[card.name]
            cells = tuple(_spread(name, found.measured.get(name, [])) for name in names)
            remembers = _signed(last[card.name]) if card.name in last else ""
            curves = tuple(Curve(curve, _points(means[card.name][curve], ends)) for curve in means[card.name])
            rows.append(WorthRow(card, cells, curves, _score(found.measured), remembers=remembers))
    rows.sort(key=lambda row: (row.score is None, -(row.score or 0.0), row.card.name))
    floor = next((row.curves for row in rows if row.card.baseline), ())
    return WorthTable(
        tuple(_column(name, run.network) for name in names),
        tuple(_with_best(rows)),
        floor,
        tuple(cautions(run, measured)),
        bool(last),
    )


def worth_of_image(run: RunRecord, image: ImageRecord) -> WorthTable | None:
    """What the maps of one image were worth; None where it wasn't measured."""
    if image.metrics is None or run.evaluation is None:
        return None
    measures = image.metrics.maps
    names = [name for name in COLUMNS if any(name in each.values for each in measures)]
    rows = []
    ends = _ends(each.curves[name] for each in measures for name in ("insertion", "deletion") if name in each.curves)
    for each in measures:
        cells = tuple((_number(name, each.values[name]), "") if name in each.values else ("", "") for name in names)
        curves = tuple(Curve(name, _points(each.curves[name], ends)) for name in ("insertion", "deletion"))
        score = _score({name: [value] for name, value in each.values.items()})
        rows.append(WorthRow(run.method(each.method), cells, curves, score))
    rows.sort(key=lambda row: (row.score is None, -(row.score or 0.0), row.card.name))
    floor = next((row.curves for row in rows if row.card.baseline), ())
    return WorthTable(tuple(_column(name, run.network) for name in names), tuple(_with_best(rows)), floor)


def cautions(run: RunRecord, measured: dict[str, MethodSummary]) -> list[str]:
    """A plain sentence for each check that a method failed on this network."""
    floor = next(
        (_score(measured[card.name].measured) for card in run.methods if card.baseline and card.name in measured), None
    )
    said = []
    last = {each.method: each.absolute[-1] for each in run.evaluation.randomization} if run.evaluation else {}
    for card in run.methods:
        if card.name not in measured or card.baseline:
            continue
        if last.get(card.name, 0.0) >= UNCHANGED:
            said.append(
                f"{card.title} barely changes when the weights are randomized (rank correlation "
                f"{fmt.number(last[card.name], 2)} of its magnitudes): read it as an edge detector at best."
            )
        score = _score(measured[card.name].measured)
        if floor is not None and score is not None and score <= floor:
            said.append(
                f"{card.title} orders pixels no better than noise here (insertion less deletion "
                f"{fmt.number(score, 2)}, noise {fmt.number(floor, 2)})."
            )
        kept = measured[card.name].conserved
        if kept and abs(1 - median(kept)) > LOST:
            share = fmt.percent(median(kept)) if median(kept) >= 0 else fmt.number(median(kept), 2) + " times"
            said.append(f"{card.title} hands {share} of the score down to the pixels; biases take or add the rest.")
    return said


@dataclass(frozen=True)
class Likeness:
    """A mean rank correlation, as words and as the share of a color; "" where maps were flat."""

    value: str
    share: float
    against: bool


def agreement_table(run: RunRecord, summary: Summary) -> tuple[list[MethodInfo], list[list[Likeness]]] | None:
    """Mean rank correlations between methods, by family; None where fewer than two were compared."""
    cards = [card for card in in_families(run.methods) if (card.name, card.name) in summary.agreement]
    if len(cards) < 2:
        return None
    return cards, [[_likeness(summary.agreement.get((a.name, b.name), [])) for b in cards] for a in cards]


def _likeness(values: Sequence[float]) -> Likeness:
    if not values:
        return Likeness("–", 0.0, against=False)
    mean = round(fmean(values), 2)
    text = f"{abs(mean):.2f}".removeprefix("0") if abs(mean) < 1 else "1"
    return Likeness("0" if mean == 0 else f"{'−' if mean < 0 else ''}{text}", abs(mean), against=mean < 0)


def how(evaluation: Evaluation, kind: ScoreKind = ScoreKind.SOFTMAX) -> str:
    """How it was measured, in a sentence or three."""
    said = (
        f"Measured on {fmt.count(evaluation.images, 'image')}, the first {fmt.column(kind)} of each, in "
        f"{evaluation.steps} steps: "
        f"deletion to black, insertion from a Gaussian blur of 5 pixels. Seed {evaluation.seed}."
    )
    if evaluation.regions:
        said += (
            f" AOPC: the first {evaluation.regions} regions, {evaluation.side} across the shorter side, one after the "
            f"other."
        )
    if evaluation.randomization:
        said += (
            f" Remembers: rank correlation of magnitudes with the maps of a copy whose weights were drawn anew from "
            f"the logits down, in {fmt.count(len(evaluation.randomized_fractions), 'stage')} on "
            f"{fmt.count(evaluation.randomization_images, 'image')}; a map that has to do with what was learned goes to 0."
        )
    return said


def _with_best(rows: Sequence[WorthRow]) -> list[WorthRow]:
    floor = next((row.score for row in rows if row.card.baseline), None)
    found = []
    for place, row in enumerate(rows):
        above = row.score is not None and (floor is None or row.score > floor)
        best = place < BEST and above
        found.append(WorthRow(row.card, row.cells, row.curves, row.score, best, row.remembers))
    return found


def _score(measured: dict[str, list[float]]) -> float | None:
    if not measured.get("insertion") or not measured.get("deletion"):
        return None
    return fmean(measured["insertion"]) - fmean(measured["deletion"])


def _signed(value: float, digits: int = 2) -> str:
    return f"{value:.{digits}f}".replace("-", "−")


def _number(name: str, value: float) -> str:
    return fmt.percent(value) if name in ("pointing", "mass", "rank") else _signed(value, 3)


def _spread(name: str, values: Sequence[float]) -> tuple[str, str]:
    if not values:
        return "", ""
    spread = "" if name == "pointing" or len(values) < 2 else f"± {_number(name, pstdev(values))}"
    return _number(name, fmean(values)), spread


def _means(found: MethodSummary) -> dict[str, list[float]]:
    """The mean insertion and deletion curves."""
    curves = {name: found.curves[name] for name in ("insertion", "deletion") if found.curves.get(name)}
    return {name: [fmean(step) for step in zip(*rows, strict=True)] for name, rows in curves.items()}


def _ends(curves: Iterable[Sequence[float]]) -> tuple[float, float]:
    """The lowest and the highest value of all curves of a table, 0 among them."""
    values = [0.0, *(value for curve in curves for value in curve)]
    return min(values), max(values)


def _points(values: Sequence[float], ends: tuple[float, float]) -> str:
    """All curves of a table have the same ends."""
    last, low = max(len(values) - 1, 1), ends[0]
    high = (ends[1] - low) or 1.0
    return " ".join(
        f"{place * WIDE / last:.1f},{HIGH * (1 - (value - low) / high):.1f}" for place, value in enumerate(values)
    )
