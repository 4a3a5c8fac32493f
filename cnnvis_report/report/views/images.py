"""Records to what the templates get: words and addresses, no HTML."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from cnnvis_report.records.images import ImageRecord, MapRecord, NotApplicableRecord
from cnnvis_report.records.methods import Family, Kind, MethodInfo, Reduction, Sign
from cnnvis_report.records.run import RunRecord
from cnnvis_report.report.pictures.palettes import DEFAULT, SCALES, stops
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.summary import MethodSummary, Summary
from cnnvis_report.store.run_folder import StoredRun

CONFUSION_UP_TO = 12
LISTED = 12


@dataclass(frozen=True)
class Tile:
    """A method on an image page: where its maps are, and what is said beside them."""

    card: MethodInfo
    first: MapRecord | None
    evidence: tuple[str, ...]
    gaps: tuple[NotApplicableRecord, ...]


@dataclass(frozen=True)
class Section:
    """A family of methods on an image page."""

    family: str
    note: str
    tiles: tuple[Tile, ...]


@dataclass(frozen=True)
class Neighbors:
    """The images before and after one, and its place among all."""

    before: str
    after: str
    place: int


@dataclass(frozen=True)
class MethodRow:
    """A method in a table: its card, what it did, what it takes for a map."""

    card: MethodInfo
    summary: MethodSummary
    not_applicable: str
    passes: str
    pointing: str
    checks: tuple[str, ...]

    @property
    def share(self) -> float:
        """How often its peak was inside the mask; 0 where nobody could tell."""
        return self.summary.peaks_inside / self.summary.peaks if self.summary.peaks else 0.0


def in_families(cards: Sequence[MethodInfo]) -> list[MethodInfo]:
    """By family, the known ones first, and by year within, so that a method follows what it builds on."""
    order = {str(family): place for place, family in enumerate(Family)}
    return sorted(cards, key=lambda card: (order.get(card.family, len(order)), card.family, _year(card), card.name))


def _year(card: MethodInfo) -> str:
    found = re.search(r"\b(19|20)\d\d\b", card.source)
    return found[0] if found else ""


def method_rows(run: RunRecord, summary: Summary) -> list[MethodRow]:
    """Every method of the run, by family."""
    reasons = {gap.method: gap.reason for gap in run.not_applicable}
    rows = []
    for card in in_families(run.methods):
        found = summary.methods.get(card.name, MethodSummary())
        rows.append(
            MethodRow(
                card,
                found,
                reasons.get(card.name, ""),
                fmt.passes(found.example.evidence) if found.example else "–",
                fmt.percent(found.peaks_inside / found.peaks) if found.peaks else "",
                _checks(found),
            )
        )
    return rows


def confusion(summary: Summary) -> tuple[list[str], list[list[int]]] | None:
    """Label and prediction names, and counts [label][prediction]; None where there are too many, or no labels."""
    counts = _confused(summary)
    names = sorted({name for pair in counts for name in pair})
    if not counts or len(names) > CONFUSION_UP_TO:
        return None
    return names, [[counts.get((label, predicted), 0) for predicted in names] for label in names]


def most_confused(summary: Summary) -> list[tuple[str, str, int]]:
    """The commonest errors: label, prediction, how often."""
    wrong = [(label, predicted, n) for (label, predicted), n in _confused(summary).items() if label != predicted]
    return sorted(wrong, key=lambda each: (-each[2], each[0], each[1]))[:LISTED]


def _confused(summary: Summary) -> dict[tuple[str, str], int]:
    return {(label, seen): n for label, seen, n in summary.answers.confusion} if summary.answers else {}


def predicted_names(summary: Summary) -> list[str]:
    """Every first prediction, by name."""
    return sorted({name for _, name in summary.predicted})


def shown_first(run: RunRecord) -> str:
    """The method whose maps the gallery shows at first."""
    there = [card for card in run.methods if card.name not in {gap.method for gap in run.not_applicable}]
    return max(there, key=lambda card: card.prominence).name if there else ""


def with_neighbors(run: StoredRun) -> Iterator[tuple[ImageRecord, Neighbors]]:
    """The images one by one, each with the ids of those beside it."""
    before, current, place = "", None, 0
    for after in run.images():
        if current is not None:
            yield current, Neighbors(before, after.id, place)
            before = current.id
        current, place = after, place + 1
    if current is not None:
        yield current, Neighbors(before, "", place)


def sections(run: RunRecord, image: ImageRecord) -> list[Section]:
    """The tiles of an image page, by family; a method with neither map nor gap isn't defined for the network."""
    found = []
    for family, cards in groupby(in_families(run.methods), key=lambda card: card.family):
        tiles = tuple(_tile(run, image, card) for card in cards)
        found.append(Section(family, _note(tiles), tiles))
    return found


def gradient(sign: Sign) -> str:
    """The default palette as a CSS gradient."""
    colors = ", ".join(f"rgb({red} {green} {blue})" for red, green, blue in stops(DEFAULT, sign))
    return f"linear-gradient(to right, {colors})"


def palette_names() -> list[str]:
    """The palettes that a page offers, the default first."""
    return list(SCALES)


def _tile(run: RunRecord, image: ImageRecord, card: MethodInfo) -> Tile:
    maps = [found for found in image.maps if found.method == card.name]
    gaps = [gap for gap in (*run.not_applicable, *image.not_applicable) if gap.method in (card.name, "")]
    first = next((found for found in maps if image.targets and found.target == image.targets[0].index), None)
    said = tuple(evidence_of(first, card)) if first else ()
    return Tile(card, first or (maps[0] if maps else None), said, tuple(gaps))


def evidence_of(found: MapRecord, card: MethodInfo) -> list[str]:
    """What speaks for a map, and what it took."""
    return [*fmt.evidence(found.evidence.notes, card), fmt.passes(found.evidence)]


def _note(tiles: Sequence[Tile]) -> str:
    """What holds for all tiles of a section: how channels were folded, or how large the maps are."""
    cards = [tile.card for tile in tiles if tile.first]
    if cards and all(card.kind is Kind.LAYER for card in cards):
        shapes = {tile.first.shape for tile in tiles if tile.first}
        return f"{' and '.join(fmt.sides(shape) for shape in sorted(shapes))}, shown bilinear"
    if cards and all(card.kind is Kind.PIXEL for card in cards):
        folds = {card.reduction for card in cards}
        names = {Reduction.SUM: "sum", Reduction.ABS_MAX: "largest absolute value"}
        if len(folds) == 1:
            return f"{names[cards[0].reduction]} over the color channels"
        return "one value a pixel: the sum over the color channels, or their largest absolute value"
    return ""


def _checks(found: MethodSummary) -> tuple[str, ...]:
    """What the self-checks of a method say over the run."""
    said = []
    notes = found.example.evidence.notes if found.example else {}
    if "coverage" in notes:
        said.append(str(notes["coverage"]))
    if found.residuals:
        ordered = sorted(found.residuals)
        middle, worst = ordered[len(ordered) // 2], ordered[-1]
        said.append(f"sums miss the score by {fmt.percent(middle)} (median), {fmt.percent(worst)} at worst")
    if found.conserved:
        kept = sorted(found.conserved)
        least, half, most = (fmt.number(round(kept[(len(kept) - 1) * k // 2], 2)) for k in (0, 1, 2))
        said.append(f"sums to {half} of the score (median), {least} to {most} in all")
    said += [f"{fmt.count(number, 'gap')}: {reason}" for reason, number in found.reasons.most_common(3)]
    return tuple(said)
