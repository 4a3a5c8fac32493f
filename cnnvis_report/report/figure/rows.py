"""Which images a figure shows, and why each of them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from statistics import fmean

from cnnvis_report.errors import UnknownName
from cnnvis_report.evidence import words
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.scores import ScoreKind

CORRECT_AT_EACH_END = 2
ERRORS = 4
UNJUDGED = 4  # rows where nothing can be correct or wrong
ENDINGS = {1: "st", 2: "nd", 3: "rd"}  # of ordinals, but of those from 11 to 13


@dataclass(frozen=True)
class Candidate:
    """An image that a figure could show.

    confidence: the probability of its first class, or its first value. agreement: the mean rank correlation between the
    maps of its methods; None where it wasn't measured.
    """

    id: str
    confidence: float
    correct: bool | None
    agreement: float | None


ORDERED_BY = {
    ScoreKind.VALUE: "value",
    ScoreKind.SEGMENTATION: "share of the largest region",
    ScoreKind.DETECTION: "score of the best box",
}


@dataclass(frozen=True)
class Choice:
    """Images by their ids, each with the reason why it was chosen, and how they were chosen, in words.

    total: how many images there are to choose from.
    """

    reasons: dict[str, str]
    rule: str
    total: int


def candidate(image: ImageRecord, baselines: Sequence[str]) -> Candidate:
    """What decides whether an image is shown."""
    return Candidate(image.id, image.first_score, image.correct, _agreement(image, baselines))


def choose(candidates: Sequence[Candidate], kind: ScoreKind, rows: int | None = None) -> Choice:
    """Choose the images that say most of a network: its most and least confident predictions, and its errors.

    Args:
        rows: how many; all of them where there are no more.
    """
    ordered = sorted(candidates, key=lambda one: -one.confidence)
    judged = [one for one in ordered if one.correct is not None]
    if judged:
        reasons, rule = _judged(judged, rows)
    else:
        reasons, rule = _unjudged(ordered, ORDERED_BY.get(kind, "confidence"), rows)
    if len(reasons) == len(candidates) <= 2:
        return Choice(dict.fromkeys(reasons, ""), "", len(candidates))
    return Choice(reasons, rule, len(candidates))


def _judged(ordered: Sequence[Candidate], rows: int | None) -> tuple[dict[str, str], str]:
    """Correct images at both ends, and errors, most confident first."""
    correct = [one for one in ordered if one.correct]
    errors = [one for one in ordered if not one.correct]
    if rows is None:
        errors, shown = errors[:ERRORS], min(len(correct), 2 * CORRECT_AT_EACH_END)
    else:
        errors = errors[: max(rows // 2, rows - len(correct))]
        shown = min(len(correct), rows - len(errors))
    low = shown // 2
    high = shown - low
    highest, lowest = correct[:high], correct[len(correct) - low :]
    reasons = {one.id: f"{_ordinal(rank)}most confident" for rank, one in enumerate(highest)}
    reasons |= {one.id: f"{_ordinal(low - 1 - rank)}least confident" for rank, one in enumerate(lowest)}
    reasons |= {one.id: f"{_ordinal(rank)}most confident error" for rank, one in enumerate(errors)}
    parts = [
        _counted(high, "most confident correct image"),
        _counted(low, "least confident correct image"),
        _counted(len(errors), "most confident error"),
    ]
    return reasons, words.listed([part for part in parts if part])


def _unjudged(ordered: Sequence[Candidate], score: str, rows: int | None) -> tuple[dict[str, str], str]:
    """Images from the highest to the lowest score, and the one on which methods agree least."""
    measured = [one for one in ordered if one.agreement is not None]
    spread = min(len(ordered), (rows or UNJUDGED) - (1 if measured else 0) or 1)
    last = len(ordered) - 1
    ranks = [round(step * last / (spread - 1)) for step in range(spread)] if spread > 1 else [0]
    reasons = {}
    for rank in ranks:
        names = {0: "highest", last // 2: "median", last: "lowest"}
        middle = rank * 2 == last or (spread % 2 == 1 and rank == ranks[spread // 2])
        name = "median" if middle and last else names.get(rank if rank in (0, last) else -1, "")
        reasons[ordered[rank].id] = f"{name or _counted_off(rank, last)} {score}"
    parts = [f"{_spread(reasons.values(), score)} {score}"]
    if rows is None or rows > 1:
        left = [one for one in measured if one.id not in reasons]
        if left:
            reasons[min(left, key=lambda one: one.agreement or 0.0).id] = "lowest agreement of methods"
            among = f", measured on {len(measured)} of them" if len(measured) < len(ordered) else ""
            parts.append(f"the lowest agreement of methods{among}")
    return reasons, f"images {' and of '.join(parts)}"


def _counted_off(rank: int, last: int) -> str:
    """Such as "3rd highest" or "2nd lowest", from the nearer end."""
    return f"{_ordinal(rank)}highest" if rank * 2 < last else f"{_ordinal(last - rank)}lowest"


def _spread(reasons: Collection[str], score: str) -> str:
    """The ends and the middle, where these are all; else that there are others between."""
    names = [reason.removesuffix(f" {score}") for reason in reasons]
    if len(names) <= 3:
        return f"of the {words.listed(names)}"
    return f"evenly spread from the {names[0]} to the {names[-1]}"


def chosen_by_name(names: Sequence[str], known: dict[str, str]) -> list[str]:
    """The ids of images that were asked for by name, by the end of their name, or by id.

    Args:
        known: names by id.

    Raises:
        UnknownName: there is no such image, or several.
    """
    by_name = {name: id for id, name in known.items()}
    ids = []
    for name in names:
        ending = [id for id, full in known.items() if full.endswith(f"/{name}")]
        if name in by_name or name in known:
            ids.append(by_name.get(name, name))
        elif len(ending) == 1:
            ids.append(ending[0])
        else:
            advice = f"{len(ending)} images are called so in different folders." if ending else ""
            raise UnknownName("image of this run", name, [known[id] for id in ending] or known.values(), advice)
    return list(dict.fromkeys(ids))


def _agreement(image: ImageRecord, baselines: Sequence[str]) -> float | None:
    """The mean rank correlation between the maps of different methods, random ones aside."""
    if image.metrics is None:
        return None
    rows = [index for index, scored in enumerate(image.metrics.maps) if scored.method not in baselines]
    pairs = [image.metrics.agreement[one][other] for one in rows for other in rows if one < other]
    values = [value for value in pairs if value is not None]
    return fmean(values) if values else None


def _ordinal(rank: int) -> str:
    """Such as "2nd " for the rank 1; nothing for the first."""
    number = rank + 1
    ending = "th" if number // 10 % 10 == 1 else ENDINGS.get(number % 10, "th")
    return f"{number}{ending} " if rank else ""


def _counted(number: int, one: str) -> str:
    words = ("", "", "two ", "three ", "four ")
    if not number:
        return ""
    return f"the {words[number] if number < len(words) else f'{number} '}{one}{'' if number == 1 else 's'}"
