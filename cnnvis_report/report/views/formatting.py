"""Numbers and evidence in words."""

from collections.abc import Mapping, Sequence

from cnnvis_report.records.images import ClassScore, Evidence, Note
from cnnvis_report.records.methods import MethodInfo
from cnnvis_report.records.run import Setting
from cnnvis_report.records.scores import ScoreKind

NARROW = " "  # a narrow no-break space, between thousands and before units


def number(value: float, digits: int = 3) -> str:
    """Such as "1 104", "0.52" or "6.1e−5": so many significant digits, and whole numbers whole."""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}".replace(",", NARROW).replace("-", "−")
    return f"{value:.{digits}g}".replace("e-0", "e-").replace("e+0", "e+").replace("-", "−")


def percent(share: float) -> str:
    """Such as "40.2 %", "100 %" or "under 0.1 %"."""
    value = share * 100
    if 0 < value < 0.05:
        return f"under{NARROW}0.1{NARROW}%"
    shown = f"{value:.1f}"
    return f"{shown.removesuffix('.0')}{NARROW}%"


def count(amount: float, one: str, many: str = "") -> str:
    """Such as "1 image" or "23 images"."""
    return f"{number(amount)}{NARROW}{one if amount == 1 else many or one + 's'}"


def column(kind: ScoreKind) -> str:
    """What a score is of: "class", "label" or "output"."""
    return {ScoreKind.SIGMOID: "label", ScoreKind.VALUE: "output"}.get(kind, "class")


def columns(amount: int, kind: ScoreKind) -> str:
    """How many scores, by what they are: "5 classes", "6 labels" or "1 output"."""
    return count(amount, column(kind), "classes" if kind.exclusive else "")


def stated(score: ClassScore) -> str:
    """A score as it is read: its probability, or the value where it is none."""
    return number(score.logit, 4) if score.probability is None else percent(score.probability)


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
            return f"{amount / size:.3g}{NARROW}{unit}"
    return str(amount)


def duration(seconds: float) -> str:
    """Such as "0.8 s", "52 s", "1 min 52 s" or "2 h 3 min"."""
    if seconds < 10:
        return f"{seconds:.1f}{NARROW}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}{NARROW}h {minutes}{NARROW}min"
    return f"{minutes}{NARROW}min {rest}{NARROW}s" if minutes else f"{rest}{NARROW}s"


def of_the_bound(seconds: float, bound: float) -> str:
    """Such as "1.23 of the bound"; nothing of a run so short that its passes are the least of it."""
    return f"{seconds / bound:.2f} of the bound" if bound and seconds > 1 else ""


def size(amount: float) -> str:
    """Such as "364 MB"."""
    for limit, unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if amount >= limit:
            return f"{amount / limit:.3g}{NARROW}{unit}"
    return f"{amount:.0f}{NARROW}bytes"


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


def passes(evidence: Evidence) -> str:
    """What one map of one class took, for an image."""
    parts = [f"{number(evidence.forward)} forward"] if evidence.forward > 1 else []
    parts += [f"{number(evidence.backward)} backward"] if evidence.backward else []
    if not parts:
        return "1 forward pass" if evidence.forward else "no pass"
    single = evidence.forward <= 1 and evidence.backward <= 1
    return f"{' and '.join(parts)} {'pass' if single else 'passes'}"


def evidence(notes: Mapping[str, Note], method: MethodInfo) -> list[str]:
    """What is stated of a map, as short phrases: the engine's, and those that the method words itself."""
    phrases = {"coverage": "{}", "layer": "at {}", **method.notes, "precision": "{}"}
    said = [_worded(phrase, notes[name]) for name, phrase in phrases.items() if name in notes]
    if method.class_agnostic:
        said.append("the same for every class")
    residual = notes.get("residual")
    if isinstance(residual, float):
        said.append(f"misses the score by {percent(residual)}")
    kept = notes.get("conservation")
    if isinstance(kept, float):
        said.append(f"sums to {number(round(kept, 3))} of the score")
    if "peak_inside" in notes:
        said.append("peak inside the mask" if notes["peak_inside"] else "peak outside the mask")
    known = {*phrases, "residual", "conservation", "peak_inside"}
    return said + [f"{name.replace('_', ' ')} {_noted(value)}" for name, value in notes.items() if name not in known]


def _worded(phrase: str, value: Note) -> str:
    """A method's phrase with the value in the place of {}, or as a percentage in the place of {%}."""
    if isinstance(value, float) and "{%}" in phrase:
        return phrase.replace("{%}", percent(value))
    return phrase.replace("{}", str(_noted(value)))  # not str.format, whose fields a stranger's run could abuse


def _noted(value: Note) -> Note:
    """A number in words."""
    return number(round(value, 3)) if isinstance(value, float) else value
