"""Numbers, times and what methods state of a map, in words: the same on pages and on the terminal."""

import re
from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape

from cnnvis_report.evidence import words
from cnnvis_report.records.images import ClassScore, Note
from cnnvis_report.records.methods import MethodInfo
from cnnvis_report.records.run import Setting
from cnnvis_report.records.scores import ScoreKind

MINUS = "−"


def number(value: float | None, digits: int = 3) -> str:
    """Such as "1,104", "0.52" or "6.1e−5": so many significant digits, and whole numbers whole; nothing of None."""
    if value is None:
        return ""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}".replace("-", MINUS)
    text = f"{value:,.0f}" if abs(value) >= 10**digits and abs(value) < 1e15 else f"{value:.{digits}g}"
    return text.replace("e-0", "e-").replace("e+0", "e").replace("e+", "e").replace("-", MINUS)


def percent(share: float | None) -> str:
    """Such as "40.2%", "40.0%", "100%" or "<0.1%"; nothing of None."""
    if share is None:
        return ""
    return "<0.1%" if 0 < share < 0.0005 else words.percentage(share)


def level(share: float) -> str:
    """A share that somebody has set, such as "50%" of opacity or "99.5%" of confidence."""
    return f"{100 * share:.4g}%"


def count(amount: float, one: str, many: str = "") -> str:
    """Such as "1 image" or "23 images"."""
    return f"{number(amount)} {one if amount == 1 else many or one + 's'}"


def column(kind: ScoreKind) -> str:
    """What a score is of: "class", "label" or "output"."""
    return {ScoreKind.SIGMOID: "label", ScoreKind.VALUE: "output"}.get(kind, "class")


def columns(amount: int, kind: ScoreKind) -> str:
    """How many scores, by what they are: "5 classes", "6 labels" or "1 output"."""
    return count(amount, column(kind), "classes" if column(kind) == "class" else "")


def score_value(score: ClassScore) -> str:
    """A score as it is read: its probability, the share of the picture that the class covers, or the value."""
    return number(score.logit, 4) if score.share is None else percent(score.share)


def named_score(score: ClassScore) -> str:
    """Such as "circle (94.4%)", "road (23% of the picture)", or "age = 41.2" where scores are values."""
    value = score_value(score)
    if score.area is not None:
        return f"{score.name} ({value} of the picture)"
    return f"{score.name} = {value}" if score.probability is None else f"{score.name} ({value})"


def unknown(images: int, before: str = "") -> str:
    """Such as "3 images with a label that the network doesn't know"; nothing where there is none."""
    return f"{before}{count(images, 'image')} with a label that the network doesn't know" if images else ""


def first_of(names: Sequence[str], most: int) -> str:
    """Such as "cat, dog and 3 more"."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {count(more, 'more', 'more')}" if more > 0 else "")


def short(amount: int) -> str:
    """Such as "1.24 M"."""
    for size, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if amount >= size:
            return f"{amount / size:.3g} {unit}"
    return str(amount)


def duration(seconds: float) -> str:
    """Such as "0.012 s", "0.8 s", "52 s", "1 min 52 s" or "2 h 3 min"."""
    if seconds < 0.095:
        return f"{seconds:#.2g} s" if seconds >= 0.001 else f"{'<0.001' if seconds > 0 else '0'} s"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def over_ideal(seconds: float, ideal: float) -> str:
    """Such as "1.23 × the theoretical minimum"; nothing of a run so short that its passes are the least of it."""
    return f"{seconds / ideal:.2f} × the theoretical minimum" if ideal and seconds > 1 else ""


def size(amount: float) -> str:
    """Such as "364 MB"."""
    for limit, unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if amount >= limit:
            return f"{amount / limit:.3g} {unit}"
    return f"{amount:.0f} bytes"


def breakable(name: str) -> Markup:
    """A name that may be broken after its dots, lines and dashes, and before capitals within it."""
    return Markup("<wbr>").join(re.split(r"(?<=[._/-])(?=.)|(?<=[a-z])(?=[A-Z])", name))


def interval(text: str) -> Markup:
    """A value and its interval, such as "0.21 [0.07, 0.37]", that break between them alone."""
    value, bracket, ends = text.partition("[")
    shown = Markup('<span class="ends">{}{}</span>').format(bracket, ends) if bracket else ""
    return escape(value) + shown


def sides(shape: tuple[int, ...]) -> str:
    """Such as "512×13×13"."""
    return "×".join(map(str, shape))


def setting(value: Setting) -> str:
    """A setting as it reads on a page: lists with commas, "name: value" for what has names."""
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {setting(inner)}" for name, inner in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(setting, value))
    return str(value)


def passes(forward: float, backward: float) -> str:
    """What one map of one class takes, for an image."""
    parts = [f"{number(forward)} forward"] if forward > 1 else []
    parts += [f"{number(backward)} backward"] if backward else []
    if not parts:
        return "1 forward pass" if forward else "no pass"
    single = forward <= 1 and backward <= 1
    return f"{' and '.join(parts)} {'pass' if single else 'passes'}"


def evidence(notes: Mapping[str, Note], method: MethodInfo, quantity: str = "logit") -> list[str]:
    """What is stated of a map, as short phrases: by the engine, and by the method in words of its own.

    Args:
        quantity: what the numbers are that are explained.
    """
    phrases = {"coverage": "{}", "layer": "at {}", **method.notes, "precision": "{}"}
    stated = [_worded(phrase, notes[name]) for name, phrase in phrases.items() if name in notes]
    if method.class_agnostic:
        stated.append("the same for every class")
    residual = notes.get("residual")
    if isinstance(residual, float):
        stated.append(f"completeness error {percent(residual)}")
    conserved = notes.get("conservation")
    if isinstance(conserved, float):
        stated.append(f"Σ relevance = {number(round(conserved, 3))} × {quantity}")
    known = {*phrases, "residual", "conservation"}
    return stated + [f"{name.replace('_', ' ')} {_noted(notes[name])}" for name in notes if name not in known]


def _worded(phrase: str, value: Note) -> str:
    """A method's phrase with the value in the place of {}, or as a percentage in the place of {%}."""
    if isinstance(value, float) and "{%}" in phrase:
        return phrase.replace("{%}", percent(value))
    return phrase.replace("{}", str(_noted(value)))  # not str.format, whose fields a stranger's run could abuse


def _noted(value: Note) -> Note:
    """A number in words."""
    return number(round(value, 3)) if isinstance(value, float) else value
