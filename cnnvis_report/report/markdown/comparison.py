"""The summary of a comparison in Markdown."""

from collections.abc import Iterator, Sequence
from heapq import nlargest
from itertools import islice

from cnnvis_report.evidence import words
from cnnvis_report.records.compared_images import ComparedImage, ComparedPrediction, Flip
from cnnvis_report.records.comparison import ComparedRun, Comparison
from cnnvis_report.report.comparison.report import answer, extent
from cnnvis_report.report.markdown.document import Document, Section, bullets, rules_list, short, table
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.rules.judge import Outcome

LISTED = 20  # rows of a table


def comparison_document(comparison: Comparison, outcomes: Sequence[Outcome]) -> Document:
    """Gather what a job says of a comparison: rules, findings, and tables."""
    lines = [f"**{short(finding.topic)}**: {short(finding.text)}" for finding in comparison.findings]
    names = ", ".join(run.name for run in comparison.runs)
    return Document(
        comparison.title,
        (*rules_list(outcomes), *([bullets(lines)] if lines else [])),
        tuple(_sections(comparison)),
        f"Images with their attribution maps in {names}" if comparison.methods else "",
    )


def _sections(comparison: Comparison) -> Iterator[Section]:
    yield _predictions(comparison)
    yield from _flipped(comparison, Flip.BROKEN, "Broken")
    yield from _moved_most(comparison)
    yield from _methods(comparison)
    yield from _measures(comparison)
    yield from _classes(comparison)
    yield from _flipped(comparison, Flip.FIXED, "Fixed")
    if comparison.notices:
        yield Section("Before trusting the comparison", bullets(map(short, comparison.notices)))


def _names(comparison: Comparison) -> list[str]:
    return [run.name for run in comparison.runs]


def _predictions(comparison: Comparison) -> Section:
    """How well each run predicts the compared images, a column a run."""
    runs, paired = comparison.runs, comparison.paired
    rows = [
        ("Network", *(run.network for run in runs)),
        *_levels(runs),
        (
            "Accuracy, difference to the first",
            "",
            *(words.difference(pair.difference, percent=True) for pair in paired),
        ),
        ("Fixed", "", *(fmt.number(pair.fixed) for pair in paired)),
        ("Broken", "", *(fmt.number(pair.broken) for pair in paired)),
        ("McNemar's exact test, p", "", *(words.single(pair.p_value) for pair in paired)),
        ("Another predicted class", "", *(fmt.number(pair.changed) for pair in paired if runs[0].kind.has_classes)),
        (
            "Maps moved, median",
            "",
            *(map(words.median, comparison.movement) if comparison.movement else ["" for _ in paired]),
        ),
    ]
    judged = any(pair.difference is not None for pair in paired)
    unknown = () if judged else ("Fixed", "Broken")
    shown = [row for row in rows if any(row[1:]) and row[0] not in unknown]
    heading = f"Predictions ({fmt.count(len(comparison.images), 'compared image')})"
    return Section(heading, table(("", *_names(comparison)), shown))


def _levels(runs: Sequence[ComparedRun]) -> Iterator[tuple[str, ...]]:
    yield "Accuracy", *(words.interval(run.accuracy, percent=True) for run in runs)
    yield "Top-5 accuracy", *(words.interval(run.top5, percent=True) for run in runs)
    yield "Calibration error (ECE)", *(fmt.percent(run.calibration_error) for run in runs)
    yield "Brier score", *(words.single(run.brier_score) for run in runs)


def _flipped(comparison: Comparison, flip: Flip, word: str) -> Iterator[Section]:
    """The images that a later run gets wrong, or right, where the first didn't."""
    images = (image for image in comparison.images if flip in image.flips)
    rows = [(image.name, image.label, *map(_predicted, image.predictions)) for image in islice(images, LISTED)]
    if rows:
        total = len(rows) + sum(1 for _ in images)
        which = f", {LISTED} of {fmt.number(total)}" if total > LISTED else f" ({total})"
        yield Section(f"{word}{which}", table(("Image", "Label", *_names(comparison)), rows))


def _moved_most(comparison: Comparison) -> Iterator[Section]:
    """The images whose maps moved most, in any of the later runs."""
    ordered = nlargest(LISTED // 2, (image for image in comparison.images if _farthest(image)), key=_farthest)
    if ordered:
        rows = [(image.name, *map(words.single, image.movement), image.label) for image in ordered]
        head = ("Image", *_names(comparison)[1:], "Label")
        yield Section("Maps moved most (1 − rank correlation, median over methods)", table(head, rows))


def _farthest(image: ComparedImage) -> float:
    return max((moved for moved in image.movement if moved is not None), default=0.0)


def _methods(comparison: Comparison) -> Iterator[Section]:
    """How far the maps of each method moved, and how much of them lies in the masks."""
    masks = any(interval is not None for method in comparison.methods for interval in method.mask_energy)
    later = _names(comparison)[1:]
    head = ["Method", *(f"Moved, {name}" for name in later)]
    head += [f"In the mask, {name}" for name in _names(comparison)] if masks else []
    rows = []
    for method in (method for method in comparison.methods if not method.info.baseline):
        moved = list(map(words.median, method.moved)) or [""] * len(later)
        energy = [words.interval(value, percent=True) for value in method.mask_energy] or [""] * len(comparison.runs)
        rows.append((_title(comparison, method.key), *moved, *(energy if masks else [])))
    if rows:
        yield Section("Methods", table(head, rows))


def _measures(comparison: Comparison) -> Iterator[Section]:
    """The measures of faithfulness and localization that the runs rank or cite, side by side."""
    infos = {info.name: info for info in comparison.metrics}
    names = dict.fromkeys(name for run in comparison.runs for name in (run.faithfulness, run.localization) if name)
    for name in names:
        methods = dict.fromkeys(method for run in comparison.runs for method in run.measures.get(name, {}))
        percent = name in infos and infos[name].percent
        rows = [
            (
                _title(comparison, method),
                *(words.interval(run.measures.get(name, {}).get(method), percent=percent) for run in comparison.runs),
            )
            for method in methods
        ]
        if rows:
            title = infos[name].title if name in infos else name
            yield Section(short(title), table(("Method", *_names(comparison)), rows))


def _title(comparison: Comparison, key: str) -> str:
    """A method's title, with the layer where the runs have it at several; its name where not all runs have it."""
    name, _, layer = key.partition("@")
    titles = {method.info.name: method.info.title for method in comparison.methods}
    return f"{titles.get(name, name)}{f' at {layer}' if layer else ''}"


def _classes(comparison: Comparison) -> Iterator[Section]:
    """How many images of each class each run gets right."""
    if len(comparison.classes) > 1:
        rows = [
            (compared.name, fmt.number(compared.images), *map(fmt.number, compared.correct))
            for compared in comparison.classes[:LISTED]
        ]
        total = len(comparison.classes)
        which = f", {LISTED} of {fmt.number(total)}" if total > LISTED else ""
        yield Section(f"Classes, correct images{which}", table(("Class", "Images", *_names(comparison)), rows))


def _predicted(prediction: ComparedPrediction) -> str:
    mark = {True: "✓ ", False: "✗ ", None: ""}[prediction.correct]
    share = extent(prediction)
    return f"{mark}{answer(prediction)}{f' ({share})' if share else ''}"
