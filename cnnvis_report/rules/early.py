"""What can be said of rules before there is anything to judge."""

from collections.abc import Callable, Collection, Mapping, Sequence

from cnnvis_report.errors import BadRequest, UnknownName
from cnnvis_report.rules.judge import line
from cnnvis_report.rules.names import CHANGES, CLASS, METHOD, OF_ONE_RUN, RUN_VALUES, ValueInfo, named, reason_missing
from cnnvis_report.rules.rule import ANY, Rule


def check_names(
    rules: Sequence[Rule], *, measured: Collection[str], measures: Collection[str], methods: Collection[str], pair: bool
) -> None:
    """Refuse rules that a run will have no value for.

    Args:
        measured: the measures of the run. measures: all that there are. methods: those of the run.
        pair: whether the run is compared with another one.

    Raises:
        BadRequest: naming the rule, and the nearest name or what would give the value.
    """
    known = named((*RUN_VALUES, *(CHANGES if pair else ())), measured)
    for rule in rules:
        _check(rule, known, methods, lambda name: reason_missing(name, measures))


def check_compared(rules: Sequence[Rule], *, measures: Collection[str], methods: Collection[str]) -> None:
    """Refuse rules that a comparison will have no value for.

    Args:
        measures: those that any of the runs has. methods: those that all runs have.

    Raises:
        BadRequest: naming the rule, and the nearest name or what would give the value.
    """
    known = named((*(info for info in RUN_VALUES if info.compared), *CHANGES), measures)
    of_one_run = named(RUN_VALUES, measures)
    for rule in rules:
        _check(rule, known, methods, lambda name: OF_ONE_RUN if name in of_one_run else "")


def check_classes(rules: Sequence[Rule], classes: Sequence[str]) -> None:
    """Refuse rules on classes that the network hasn't got.

    Raises:
        BadRequest: naming the rule, and the nearest class.
    """
    infos = named((*RUN_VALUES, *CHANGES), ())
    for rule in rules:
        info = infos.get(rule.name)
        if info is not None and info.key == CLASS and rule.key not in ("", ANY, *classes):
            raise BadRequest(line(rule, str(UnknownName("class", rule.key, classes))))


def _check(
    rule: Rule, known: Mapping[str, ValueInfo], methods: Collection[str], reason_of: Callable[[str], str]
) -> None:
    try:
        info = known.get(rule.name)
        if info is not None:
            _check_key(rule, info, methods)
        elif reason := reason_of(rule.name):
            raise BadRequest(f"{rule.name} isn't known: {reason}.")
        else:
            raise UnknownName("value", rule.name, known)
    except BadRequest as error:
        raise BadRequest(line(rule, str(error))) from error


def _check_key(rule: Rule, info: ValueInfo, methods: Collection[str]) -> None:
    if rule.key and not info.key:
        raise BadRequest(f"{rule.name} is a single value: leave [{rule.key}] away.")
    if not rule.key and info.key and not info.alone:
        example = next(iter(methods), "grad_cam") if info.key == METHOD else "cat"
        raise BadRequest(
            f"{rule.name} is a value of each {info.key.lower()}: give one in brackets, such as "
            f"{rule.name}[{example}], or {rule.name}[*] for any."
        )
    method = rule.key.partition("@")[0]
    if info.key == METHOD and method not in ("", ANY, *methods):
        raise UnknownName("method of this run", method, methods)
