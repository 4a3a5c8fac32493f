"""The three findings that a report opens with: how well it classifies, where it looks, which methods to trust."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from statistics import median

from cnnvis_report.evidence import words
from cnnvis_report.evidence.statistics import wilson
from cnnvis_report.records.evidence import Evidence, Interval, MethodEvidence, Standing
from cnnvis_report.records.labels import LabelPredictions
from cnnvis_report.records.predictions import Predictions
from cnnvis_report.records.scores import ScoreKind
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.links import Links
from cnnvis_report.report.views.overview.gallery_measures import agreement, image_measures
from cnnvis_report.report.views.report import Report

POINTING = "pointing_game"
NAMED = 3  # methods
REGIONS = 3  # classes


@dataclass(frozen=True)
class Finding:
    """A finding: what it is about, a sentence or two, and where the reader finds the proof."""

    topic: str
    text: str
    link: str


def findings(report: Report, links: Links) -> list[Finding]:
    """What the figures of the run come to, most wanted first."""
    parts = (_predictions(report, links), _where(report, links), _trust(report, links))
    return list(chain.from_iterable(parts))


def _predictions(report: Report, links: Links) -> Iterator[Finding]:
    """How well the network predicts; of one image its page says it."""
    summary, performance = report.summary, links.page("performance")
    if summary.images < 2 and report.run.predictions is None:
        return
    if summary.predictions is not None:
        yield Finding("Accuracy", accuracy(summary.predictions) + _seen(report), performance)
    elif summary.label_predictions is not None:
        yield Finding("Precision", precision(summary.label_predictions) + _seen(report), performance)
    elif report.network.kind is ScoreKind.VALUE:
        name = report.network.names[0] if report.network.names else "the output"
        low, high = fmt.number(summary.lowest, 4), fmt.number(summary.highest, 4)
        text = f"{name} ranges from {low} to {high} over {fmt.count(summary.images, 'image')}."
        yield Finding("Values", text, links.gallery(sort="lowest"))
    elif report.network.kind is ScoreKind.SEGMENTATION:
        yield Finding("Segmentation", _regions(report), links.gallery(sort="lowest"))
    elif report.network.kind is ScoreKind.DETECTION:
        yield Finding("Detection", _boxes(report), links.gallery(sort="lowest"))
    else:
        yield Finding("Confidence", _confidence(report), links.gallery(sort="lowest"))


def _seen(report: Report) -> str:
    """Said where the network was trained on what it is judged by."""
    seen, images = report.run.in_training_set, report.run.images
    if not seen:
        return ""
    part = "All images" if seen == images else f"{fmt.number(seen)} of the {fmt.number(images)} images"
    return f" {part} {'is' if seen == 1 else 'are'} from the training set, so this is too good."


def accuracy(predictions: Predictions) -> str:
    """Accuracy with its interval, and calibration."""
    count, images = predictions.correct, predictions.images
    low, high = (fmt.percent(end) for end in wilson(count, images))
    return (
        f"{fmt.percent(predictions.accuracy)}, {fmt.number(count)} of {fmt.count(images, 'image')} "
        f"(95% interval {low} to {high}). Calibration error (ECE) {fmt.percent(predictions.calibration_error)}, "
        f"n = {fmt.number(images)}.{words.little(images)}"
    )


def precision(predictions: LabelPredictions) -> str:
    """How well labels are ranked and predicted."""
    borne = sum(1 for label in predictions.labels if label.images)
    mean, images = predictions.mean_average_precision, predictions.images
    shares = (("precision", predictions.precision), ("recall", predictions.recall))
    above = " and ".join(f"{name} {fmt.percent(share)}" for name, share in shares if share is not None)
    parts = [f"mean average precision {fmt.percent(mean)} over {fmt.count(borne, 'label')}"] if mean is not None else []
    parts += [f"{above} above 50%"] if above else []
    parts += [f"all labels correct on {fmt.number(predictions.exact)} of {fmt.count(images, 'image')}"]
    text = "; ".join([*parts, f"calibration error (ECE) {fmt.percent(predictions.calibration_error)}"])
    return f"{text[0].upper()}{text[1:]}.{words.little(images)}"


def _regions(report: Report) -> str:
    """Which classes have the largest region of an image, and how large it is."""
    return (
        f"Largest region: {_predicted(report)}. It covers {_shares(report)} of a picture. "
        f"Whether segmentations are right isn't measured."
    )


def _boxes(report: Report) -> str:
    """Which classes have the best box of an image, and its score; in how many images there is none."""
    images, without = report.summary.images, report.summary.images - report.summary.predicted.total()
    if without == images:
        return f"No box in {fmt.count(images, 'image')}: there is nothing to explain."
    missing = f" No box in {fmt.count(without, 'image')}." if without else ""
    best = f"Best box: {_predicted(report)}. Its score is {_shares(report)}."
    return f"{best}{missing} Whether boxes are right isn't measured."


def _predicted(report: Report) -> str:
    """The classes that are predicted first, with how many images each, most first."""
    predicted = report.summary.predicted.most_common()
    return fmt.first_of([f"{name} ({fmt.count(images, 'image')})" for (_, name), images in predicted], REGIONS)


def _shares(report: Report) -> str:
    """From the least to the largest share or score of what is predicted first."""
    low, high = fmt.percent(report.summary.least_confident), fmt.percent(report.summary.most_confident)
    return low if low == high else f"{low} to {high}"


def _confidence(report: Report) -> str:
    """What can be said of predictions that nobody can judge."""
    summary = report.summary
    mean = fmt.percent(summary.confidence / summary.images)
    highest = "highest probability" if report.network.kind is ScoreKind.SIGMOID else "confidence"
    low, high = fmt.percent(summary.least_confident), fmt.percent(summary.most_confident)
    labels = fmt.unknown(summary.unknown, ": ") or ": no image has a label"
    return (
        f"Mean {highest} {mean} over {fmt.count(summary.images, 'image')}, from {low} to {high}. "
        f"Accuracy isn't known{labels}."
    )


def _where(report: Report, links: Links) -> Iterator[Finding]:
    """Where the network looks: at the object, where masks show it; else how far methods agree on it."""
    evidence, methods = report.evidence, links.page("methods", "all-measures")
    pointing = _pointing_method(evidence) if evidence else None
    if evidence and pointing:
        title = words.title(report.run, words.label(pointing, evidence))
        yield Finding("Where it looks", pointing_sentence(title, pointing), methods)
        return
    yield from (Finding("Where it looks", text, methods) for text in agreement_sentences(report))


def _pointing_method(evidence: Evidence) -> MethodEvidence | None:
    """The best method whose maps played the pointing game; without a recommended one, the best of the others."""
    played = [method for method in evidence.methods if POINTING in method.measures and not method.same_as]
    recommended = [method for method in played if words.label(method, evidence) in evidence.recommended]
    others = [method for method in played if method.standing is not Standing.REFERENCE]
    others.sort(key=lambda method: -method.measures[POINTING].value.mean)
    return next(iter([*recommended, *others]), None)


def pointing_sentence(title: str, method: MethodEvidence) -> str:
    """How often the peak of a method's map lies in the mask, against chance."""
    value, difference = method.measures[POINTING].value, method.measures[POINTING].difference
    hits = value.mean * value.images
    whole = abs(hits - round(hits)) < 0.01
    share = f"{round(hits) if whole else words.number(hits, 1)} of {fmt.count(value.images, 'image')}"
    ties = "" if whole else " (of equal peaks, the share that does)"
    text = f"The peak of {title} lies in the object's mask on {share}{ties}"
    if difference is None:
        return f"{text}.{words.little(value.images)}"
    chance = fmt.percent(max(0.0, value.mean - difference.mean))
    return f"{text}; that of a random map on {chance}.{_undecided(difference)}{words.little(value.images)}"


def _undecided(difference: Interval) -> str:
    """Said where chance explains the difference to a random map."""
    if difference.low is None or difference.low > 0:
        return ""
    return " That isn't distinguishable from chance."


def agreement_sentences(report: Report) -> Iterator[str]:
    """How far the maps of two methods agree in the median image; nothing where no two were compared."""
    if report.run.evaluation is None:
        return
    compared = image_measures(report).compared
    measured = [image.metrics for image in report.images() if image.metrics is not None]
    values = [value for metrics in measured if (value := agreement(metrics, compared)) is not None]
    names = {scores.method for metrics in measured for scores in metrics.maps} & compared
    recommended = " recommended" if report.evidence and len(report.evidence.recommended) > 1 else ""
    if values:
        yield (
            f"No masks, so only agreement is known: the maps of the {fmt.number(len(names))}{recommended} methods have "
            f"a median rank correlation of {words.number(median(values), 2)} on {fmt.count(len(values), 'image')} "
            f"(1: same order of pixels, 0: unrelated).{words.little(len(values))}"
        )


def _trust(report: Report, links: Links) -> Iterator[Finding]:
    """Which methods to use, and which to avoid."""
    if not report.run.methods:
        return
    evidence = report.evidence
    link = links.page("methods", "all-measures" if evidence else "")
    if evidence is None:
        yield Finding("Trust", "Which methods to trust wasn't measured in this run: add --metrics quick.", link)
        return
    text = " ".join(filter(None, (_use(report, evidence), _avoid(report, evidence))))
    yield Finding("Trust", text or next(iter(evidence.limits), "Nothing is ranked."), link)


def _use(report: Report, evidence: Evidence) -> str:
    """The recommended methods with the numbers of the first; why there is none."""
    if not (evidence.recommended and evidence.faithfulness):
        return evidence.text[0] if evidence.faithfulness and evidence.text else next(iter(evidence.limits), "")
    first = next(method for method in evidence.methods if words.label(method, evidence) == evidence.recommended[0])
    difference = first.measures[evidence.faithfulness].difference
    names = _named(report, evidence.recommended)
    if difference is None:
        return f"Use {names}."
    measure = words.within_sentence(words.metric(report.run, evidence.faithfulness).title)
    several = len(evidence.recommended) > 1
    of = f" of {words.title(report.run, evidence.recommended[0])}" if several else ""
    return (
        f"Use {names}: {'they order' if several else 'it orders'} pixels by what the network uses better than a random "
        f"map does ({measure}{of} {words.interval(difference)} above it, n = {difference.images})."
        f"{words.little(difference.images)}"
    )


def _avoid(report: Report, evidence: Evidence) -> str:
    """The methods to avoid, with what speaks against all of them."""
    if not evidence.avoid:
        return ""
    standings = {method.standing for method in evidence.methods if words.label(method, evidence) in evidence.avoid}
    beaten = "no better than a random map" if standings - {Standing.FAILED} else ""
    failed = "failed a check" if Standing.FAILED in standings else ""
    return f"Avoid {_named(report, evidence.avoid)}: {', or '.join(filter(None, (beaten, failed)))}."


def _named(report: Report, labels: tuple[str, ...]) -> str:
    titles = [words.title(report.run, label) for label in labels]
    return fmt.first_of(titles, NAMED) if len(titles) > NAMED + 1 else words.listed(titles)
