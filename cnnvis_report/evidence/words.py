"""Numbers and names of the evidence in words, the same in sentences, in Markdown and on pages."""

from collections.abc import Sequence
from dataclasses import replace
from math import floor, log10

from cnnvis_report.records.comparison import Median
from cnnvis_report.records.evidence import Evidence, Interval, MethodEvidence, Standing
from cnnvis_report.records.metrics import Evaluation, MetricInfo
from cnnvis_report.records.run import RunRecord
from cnnvis_report.records.scores import ScoreKind

FEW = 10  # images below which a figure is said to tell little
DIGITS = 3  # significant ones of a number without an interval


def interval(value: Interval | None, *, percent: bool = False) -> str:
    """Such as "0.21 [0.07, 0.37]" or "64% [51, 77]": two significant digits of the width.

    Args:
        percent: whether it is of fractions, said as percentages.

    Returns:
        The mean alone where the interval has no ends, as of few images, with three decimals at most; nothing of None.
    """
    if value is None:
        return ""
    low, high = value.low, value.high
    if low is None or high is None:
        decimals = min(_decimals(abs(value.mean), DIGITS), DIGITS)
        return percentage(value.mean) if percent else number(value.mean, decimals)
    factor, unit = (100, "%") if percent else (1, "")
    decimals = _decimals((high - low) * factor, 2)
    mean, *ends = (number(end * factor, decimals) for end in (value.mean, low, high))
    return f"{mean}{unit} [{', '.join(ends)}]"


def difference(value: Interval | None, *, percent: bool = False) -> str:
    """The same of a difference to a random map, such as "+0.21 [0.07, 0.37]" or "+31 points [18, 44]"."""
    text = interval(value, percent=percent).replace("%", " points")
    return f"+{text}" if value is not None and value.mean > 0 else text


def median(value: Median | None) -> str:
    """A median with its interval, as `interval` has it."""
    return interval(Interval(value.median, value.low, value.high, value.images)) if value else ""


def single(value: float | None, *, percent: bool = False) -> str:
    """A value without an interval, such as "0.214" or "64.3%"; nothing of None."""
    if value is None:
        return ""
    return percentage(value) if percent else number(value, _decimals(abs(value), DIGITS))


def column(values: Sequence[float | None], *, percent: bool = False) -> list[str]:
    """Values that stand below each other, with the decimals of the largest; empty where there is none."""
    known = [abs(value) for value in values if value is not None]
    decimals = _decimals(max(known, default=0.0), DIGITS)
    return ["" if value is None else percentage(value) if percent else number(value, decimals) for value in values]


def percentage(share: float) -> str:
    """With one decimal, such as "64.3%" or "64.0%"; nothing and all as "0%" and "100%"."""
    text = number(share * 100, 1)
    return f"{text.removesuffix('.0') if text in ('0.0', '100.0') else text}%"


def number(value: float, decimals: int) -> str:
    """With so many digits after the point and a true minus."""
    text = f"{value:,.{decimals}f}"
    return text.removeprefix("-") if not text.strip("-0.,") else text.replace("-", "−")


def _decimals(size: float, digits: int) -> int:
    """Digits after the point that show so many significant ones of a number of this size."""
    return min(max(digits - 1 - floor(log10(size)), 0), 9) if size > 0 else digits - 1


def within_sentence(title: str) -> str:
    """A title as it stands in the middle of a sentence: "Relevance gain" with a small letter, "AOPC" as it is."""
    return title if title[:2].isupper() else title[:1].lower() + title[1:]


def counted(amount: int, one: str) -> str:
    """Such as "1 image" or "16 images"."""
    return f"{amount} {one}{'' if amount == 1 else 's'}"


def little(images: int) -> str:
    """Said behind a figure of few images; nothing of more."""
    return f" {counted(images, 'image')} {'tells' if images == 1 else 'tell'} little." if images < FEW else ""


def listed(names: Sequence[str]) -> str:
    """Such as "CAM, HiResCAM and Grad-CAM"."""
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


def metric(run: RunRecord, name: str) -> MetricInfo:
    """What is known of a measure."""
    evaluation: Evaluation | None = run.evaluation
    known = (*evaluation.metrics, *evaluation.tests_info) if evaluation else ()
    info = next((info for info in known if info.name == name), MetricInfo(name, name, "", higher_is_better=True))
    return in_terms_of(run, info)


def in_terms_of(run: RunRecord, info: MetricInfo) -> MetricInfo:
    """A measure in the words of what the network gives, which isn't always a probability of a class."""
    title, meaning = info.title, info.description
    if not run.network.kind.judged:
        output = "the output" if run.network.kind is ScoreKind.VALUE else "the class's score"
        title = title.replace(", log-odds", "")
        for quantity in ("probability", "log-odds"):
            meaning = meaning.replace(f"the class's {quantity}", output)
        if run.network.kind is ScoreKind.VALUE:
            meaning = meaning.replace("the class", "the output")
    return replace(info, title=title, description=meaning.replace("the logit", f"the {run.network.quantity}"))


def title(run: RunRecord, label: str) -> str:
    """The title of a method, and where it reads one of several layers that layer."""
    method, _, layer = label.partition("@")
    titles = {info.name: info.title for info in run.methods}
    return f"{titles.get(method, method)}{f' at {layer}' if layer else ''}"


def label(method: MethodEvidence, evidence: Evidence) -> str:
    """What `Evidence.recommended` calls a method."""
    several = sum(other.method == method.method for other in evidence.methods) > 1
    return f"{method.method}@{method.layer}" if several else method.method


def warnings_title(evidence: Evidence) -> str:
    """Over the sentences on methods that aren't recommended: what of them there is."""
    avoid = ["what to avoid"] if evidence.avoid else []
    same = ["which maps are the same"] if any(method.same_as for method in evidence.methods) else []
    return ", and ".join([*avoid, *same]).capitalize()


def standing(method: MethodEvidence, evidence: Evidence) -> str:
    """What a method's evidence comes to; the best says of which, where a higher mean may be chance."""
    highest = evidence.methods[0].standing
    if method.standing is Standing.BEST and highest not in (Standing.BEST, Standing.COMPARABLE):
        return "best of those surely better"
    if method.standing is Standing.UNKNOWN and method.measures:
        return "not ranked"  # it has numbers, of too few images for a verdict
    return method.standing.value
