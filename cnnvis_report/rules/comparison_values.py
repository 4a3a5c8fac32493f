"""The numbers of a comparison that rules can read."""

from collections.abc import Collection, Iterator

from cnnvis_report.records.comparison import ComparedRun, Comparison, Median, PairedAccuracy
from cnnvis_report.records.evidence import Interval
from cnnvis_report.rules.names import DIFFERENCE
from cnnvis_report.rules.run_values import share
from cnnvis_report.rules.value import Value


def comparison_values(comparison: Comparison) -> tuple[Value, ...]:
    """Gather the numbers of each later run, and how they differ from those of the first."""
    first, *later = comparison.runs
    values: list[Value] = []
    for number, run in enumerate(later):
        name = run.name if len(later) > 1 else ""
        values += _of_run(run, name, _baselines(comparison))
        values += _counts(comparison, number + 1, run, name)
        values += _changes(comparison, number, first, run, name)
    return tuple(values)


def _of_run(run: ComparedRun, name: str, baselines: Collection[str]) -> Iterator[Value]:
    """What is known of one run: of its predictions on the compared images, of its maps on all that it measured."""
    yield Value("images", _count(run.images), run=name)
    yield from _of_predictions(run, name)
    for measure, by_method in run.measures.items():
        explaining = {method: interval for method, interval in by_method.items() if method not in baselines}
        yield from (Value(measure, interval, method, name) for method, interval in explaining.items())


def _of_predictions(run: ComparedRun, name: str) -> Iterator[Value]:
    for label, interval in (("accuracy", run.accuracy), ("top5_accuracy", run.top5)):
        if interval is not None:
            yield Value(label, interval, run=name)
    images = run.accuracy.images if run.accuracy else 0
    for label, number in (("calibration_error", run.calibration_error), ("brier_score", run.brier_score)):
        if number is not None:
            yield Value(label, Interval(number, None, None, images), run=name)


def _counts(comparison: Comparison, position: int, run: ComparedRun, name: str) -> Iterator[Value]:
    """How many of the compared images are labeled, and how many of them the run gets right, of each class."""
    if run.accuracy is not None:
        labeled = run.accuracy.images
        yield Value("labeled", _count(labeled), run=name)
        yield Value("misclassified", _count(labeled - round(run.accuracy.mean * labeled)), run=name)
    for compared in comparison.classes:
        yield Value("recall", share(compared.correct[position], compared.images), compared.name, name)


def _changes(comparison: Comparison, number: int, first: ComparedRun, run: ComparedRun, name: str) -> Iterator[Value]:
    paired = comparison.paired[number]
    yield Value("compared_images", _count(len(comparison.images)), run=name)
    yield from _predictions(paired, name)
    for compared in comparison.classes:
        yield Value("fixed", _count(compared.fixed[number]), compared.name, name)
        yield Value("broken", _count(compared.broken[number]), compared.name, name)
        before, after = compared.correct[0], compared.correct[number + 1]
        difference = Interval((after - before) / max(1, compared.images), None, None, compared.images)
        yield Value(f"recall{DIFFERENCE}", difference, compared.name, name)
    yield from _maps(comparison, number, name)
    for method in comparison.methods:
        for measure, differences in method.measure_differences.items():
            change = None if method.info.baseline else differences[number]
            if change is not None:
                yield Value(f"{measure}{DIFFERENCE}", change, method.key, name)
    before_by_name = {value.name: value.interval.mean for value in _of_predictions(first, "")}
    for value in _of_predictions(run, name):
        if value.name in before_by_name and value.name != "accuracy":
            difference = Interval(value.interval.mean - before_by_name[value.name], None, None, value.interval.images)
            yield Value(f"{value.name}{DIFFERENCE}", difference, run=name)


def _predictions(paired: PairedAccuracy, name: str) -> Iterator[Value]:
    yield Value("changed", _count(paired.changed), run=name)
    if paired.difference is not None:
        yield Value(f"accuracy{DIFFERENCE}", paired.difference, run=name)
        yield Value("fixed", _count(paired.fixed), run=name)
        yield Value("broken", _count(paired.broken), run=name)
    if paired.p_value is not None:
        yield Value("mcnemar_p", Interval(paired.p_value, None, None, paired.images), run=name)


def _maps(comparison: Comparison, number: int, name: str) -> Iterator[Value]:
    movement = comparison.movement[number] if comparison.movement else None
    if movement is not None:
        yield Value("moved", _interval(movement), run=name)
    for method in comparison.methods:
        moved = method.moved[number] if method.moved and not method.info.baseline else None
        if moved is not None:
            yield Value("moved", _interval(moved), method.key, name)
        energy = method.mask_energy[number + 1] if method.mask_energy else None
        if energy is not None:
            yield Value("mask_energy", energy, method.key, name)
        difference = method.mask_energy_difference[number] if method.mask_energy_difference else None
        if difference is not None:
            yield Value(f"mask_energy{DIFFERENCE}", difference, method.key, name)


def _baselines(comparison: Comparison) -> frozenset[str]:
    """Methods that explain nothing."""
    return frozenset(method.key for method in comparison.methods if method.info.baseline)


def _interval(median: Median) -> Interval:
    return Interval(median.median, median.low, median.high, median.images)


def _count(amount: int) -> Interval:
    return Interval(float(amount), None, None, amount)
