"""The head of the overview: the row of figures, and the notices."""

from collections.abc import Sequence
from dataclasses import dataclass

from cnnvis_report.records.labels import LabelPredictions
from cnnvis_report.records.predictions import Predictions
from cnnvis_report.records.run import RunRecord
from cnnvis_report.records.scores import ScoreKind
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.summary import Summary

TOP = 5
OUTRIGHT = 4  # notices
BRIEF = 400  # characters of one


@dataclass(frozen=True)
class Stat:
    """A figure on the overview; `slot` is filled by the provenance, which is kept apart from all that repeats."""

    label: str
    value: str
    detail: str = ""
    slot: str = ""
    link: str = ""


def notices(all_of_them: Sequence[str]) -> tuple[list[str], list[str]]:
    """Those that the overview says outright, and those that it folds: long ones, and what is more than a few."""
    brief = [each for each in all_of_them if len(each) <= BRIEF][:OUTRIGHT]
    return brief, [each for each in all_of_them if each not in brief]


def stats(run: RunRecord, summary: Summary, skipped_link: str) -> list[Stat]:
    """The row of figures at the head of the overview."""
    skipped = f"{fmt.count(len(run.skipped), 'file')} skipped, listed" if run.skipped else "all read"
    found = [Stat("Images", fmt.number(summary.images), skipped, link=skipped_link if run.skipped else "")]
    answers = summary.answers
    if answers is not None:
        found += _answer_stats(run, answers)
    elif summary.label_answers is not None:
        found += _label_stats(run, summary.label_answers)
    elif summary.images:
        found += _unlabeled_stats(run, summary)
    methods = len(run.methods) - len({gap.method for gap in run.not_applicable})
    kinds = f"{fmt.count(methods, 'method')} × {fmt.columns(summary.classes, run.network.kind)}"
    gaps = f", {fmt.count(summary.gaps, 'gap')}" if summary.gaps else ""
    found.append(Stat("Maps", fmt.number(summary.maps), kinds + gaps))
    found.append(Stat("Took", "–", "–", slot="took"))
    return found


def _answer_stats(run: RunRecord, answers: Predictions) -> list[Stat]:
    """How often the network is right, and how sure it is where it is and where it isn't."""
    counts = [answers.correct] if run.network.classes <= TOP else [answers.correct, answers.top5]
    shares = " · ".join(fmt.percent(each / answers.images) for each in counts)
    label = "Right first" if len(counts) == 1 else "Right first · in top 5"
    of = f"of {fmt.number(answers.images)} with a label"
    if run.predictions is not None:
        of += ", all that were looked at"
    of += fmt.unknown(answers.unknown, "; ")
    parts = [
        fmt.percent(mean) if number else "–"
        for mean, number in (
            (answers.confidence_correct, answers.correct),
            (answers.confidence_misclassified, answers.images - answers.correct),
        )
    ]
    return [
        Stat(label, shares, f"{' · '.join(map(fmt.number, counts))} {of}"),
        Stat("Confidence, right · wrong", " · ".join(parts), "mean probability of the first class"),
    ]


def _label_stats(run: RunRecord, answers: LabelPredictions) -> list[Stat]:
    """How well labels are told apart, and how many of them are predicted rightly."""
    borne = sum(1 for each in answers.labels if each.images)
    of = f"over {fmt.count(borne, 'label')}, on {fmt.count(answers.images, 'labeled image')}"
    if run.label_predictions is not None:
        of += ", all that were looked at"
    of += fmt.unknown(answers.unknown, "; ")
    shares = [fmt.percent(each) if each is not None else "–" for each in (answers.precision, answers.recall)]
    mean = answers.mean_average_precision
    return [
        Stat("Mean average precision", fmt.percent(mean) if mean is not None else "–", of),
        Stat("Precision · recall", " · ".join(shares), "of all labels, predicted above 0.5"),
    ]


def _unlabeled_stats(run: RunRecord, summary: Summary) -> list[Stat]:
    """What can be said of the scores where nothing is right or wrong."""
    if run.network.kind is ScoreKind.VALUE:
        ends = [fmt.number(each, 4) for each in (summary.lowest, summary.highest)]
        name = run.network.names[0] if run.network.names else "output"
        return [Stat("Lowest · highest", " · ".join(ends), f"value of {name}")]
    mean = fmt.percent(summary.certain / max(summary.images, 1))
    beside = fmt.unknown(summary.unknown, "; ")
    if run.network.kind is ScoreKind.SIGMOID:
        each = fmt.number(round(sum(summary.predicted.values()) / max(summary.images, 1), 2))
        return [
            Stat("Labels an image", each, f"predicted above 0.5, in the mean{beside}"),
            Stat("Highest probability", mean, "of any label, in the mean"),
        ]
    return [
        Stat("Confidence", mean, f"mean probability of the first class{beside}"),
        Stat("Classes seen", fmt.number(len(summary.predicted)), "different first predictions"),
    ]
