"""A rule as it is typed: NAME, [METHOD or CLASS], .low or .high, a comparison, and a limit."""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

from cnnvis_report.errors import BadRequest, shown
from cnnvis_report.settings.kinds import Kind, Text
from cnnvis_report.settings.numbers import number

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}
ANY = "*"
LONGEST = 500  # characters
# a class may be called anything, so that the key ends at the last bracket before the comparison
_RULE = re.compile(
    r"\s*(?P<name>[^\s\[\]<>=!.]+)\s*(?:\[(?P<key>.*)\])?(?:\.(?P<end>[^\s<>=!]+))?\s*"
    r"(?P<comparison><=|>=|==|!=|<|>)\s*(?P<limit>[^\s%]+)\s*(?P<percent>%)?\s*"
)


@dataclass(frozen=True)
class Rule:
    """A condition that ends a command with an error where it holds.

    text: as it was typed. name: of the value. key: the method or class in brackets; empty without, * for any.
    end: "low" or "high" for an end of the value's 95% interval; empty for the value itself.
    percent: whether the limit was typed as a percentage; `limit` is the fraction then.
    """

    text: str
    name: str
    key: str
    end: str
    comparison: str
    limit: float
    percent: bool = False

    def holds_for(self, amount: float) -> bool:
        """Whether a number meets the condition."""
        return COMPARISONS[self.comparison](amount, self.limit)


@dataclass(frozen=True)
class RuleText(Kind):
    """A rule, such as "accuracy<0.9", "broken>3" or "pointing_game[grad_cam].low<60%"."""

    name = "rule"

    def parse(self, value: object) -> Rule:
        """The rule; whether there is a value of that name is for the command to say."""
        if isinstance(value, Rule):
            return value
        text = Text().parse(value)
        match = _RULE.fullmatch(text) if len(text) <= LONGEST else None
        limit = number(match["limit"]) if match else None
        if match is None or limit is None:
            raise self.refusal(value, 'a rule such as "accuracy<0.9", "broken>3" or "pointing_game[grad_cam]<60%"')
        end = match["end"] or ""
        if end not in ("", "low", "high"):
            raise BadRequest(f"{shown(value)}: {shown(end)} isn't an end of an interval; give .low or .high.")
        percent = match["percent"] is not None
        return Rule(
            text=" ".join(text.split()),
            name=match["name"],
            key=(match["key"] or "").strip(),
            end=end,
            comparison=match["comparison"],
            limit=limit / 100 if percent else limit,
            percent=percent,
        )
