"""Which rules hold for the numbers of a run or a comparison."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from cnnvis_report.errors import BadRequest, UnknownName
from cnnvis_report.rules.names import reason_missing
from cnnvis_report.rules.rule import ANY, Rule
from cnnvis_report.rules.value import Value

NAMED = 5  # values of one rule that a message names


@dataclass(frozen=True)
class Outcome:
    """What became of a rule.

    values: those that it reads. matching: those of them that meet its condition; it holds where there is one.
    problem: why it can't be judged, a sentence; empty where it can.
    """

    rule: Rule
    values: tuple[Value, ...] = ()
    matching: tuple[Value, ...] = ()
    problem: str = ""

    @property
    def holds(self) -> bool:
        """Whether a value meets its condition."""
        return bool(self.matching)

    @property
    def fails(self) -> bool:
        """Whether the command fails by it: it holds, or nobody knows."""
        return self.holds or bool(self.problem)

    def describe(self) -> str:
        """The measured values, those that meet the condition where there are any; or why it can't be judged."""
        if self.problem:
            return self.problem
        values = self.matching or self.values
        more = f"; {len(values) - NAMED} more" if len(values) > NAMED else ""
        return "; ".join(value.describe(percent=self.rule.percent) for value in values[:NAMED]) + more


def judge(rule: Rule, values: Sequence[Value], measures: Collection[str] = ()) -> Outcome:
    """Read the values that a rule names, and compare them with its limit.

    Args:
        measures: names of measures that could have been measured.

    Raises:
        UnknownName: there is no value, method or class of that name. BadRequest: the value isn't known, or it has no
        interval whose end the rule reads.
    """
    chosen = _chosen(rule, values, measures)
    if rule.end and any(value.interval.low is None for value in chosen):
        raise BadRequest(f"{rule.name} has no interval; leave .{rule.end} away.")
    return Outcome(rule, chosen, tuple(value for value in chosen if rule.holds_for(_amount(rule, value))))


def _chosen(rule: Rule, values: Sequence[Value], measures: Collection[str]) -> tuple[Value, ...]:
    named = [value for value in values if value.name == rule.name]
    if not named:
        reason = reason_missing(rule.name, measures)
        if reason:
            raise BadRequest(f"{rule.name} isn't known: {reason}.")
        raise UnknownName("value", rule.name, dict.fromkeys(value.name for value in values))
    keyed = [value for value in named if value.key]
    if rule.key == ANY and keyed:
        return tuple(keyed)
    chosen = tuple(value for value in named if value.key == rule.key)
    if chosen:
        return chosen
    if not rule.key:
        example = f"give one in brackets, such as {keyed[0].label}, or {rule.name}[*] for any"
        raise BadRequest(f"{rule.name} is one value of each of several: {example}.")
    if not keyed:
        raise BadRequest(f"{rule.name} is a single value: leave [{rule.key}] away.")
    raise UnknownName(f"value of {rule.name}", rule.key, (value.key for value in keyed))


def _amount(rule: Rule, value: Value) -> float:
    ends = {"low": value.interval.low, "high": value.interval.high}
    end = ends.get(rule.end)
    return value.interval.mean if end is None else end


def judge_all(rules: Sequence[Rule], values: Sequence[Value], measures: Collection[str] = ()) -> list[Outcome]:
    """Judge rules; what can't be judged is an outcome, too."""
    outcomes = []
    for rule in rules:
        try:
            outcomes.append(judge(rule, values, measures))
        except BadRequest as error:
            outcomes.append(Outcome(rule, problem=str(error)))
    return outcomes


def line(rule: Rule, text: str) -> str:
    """What is said of a rule on the terminal."""
    return f'--fail-if "{rule.text}": {text}'
