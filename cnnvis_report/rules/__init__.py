"""Rules on the numbers of a run or a comparison, such as "accuracy<0.9": read, checked and judged."""

from cnnvis_report.rules.judge import Outcome, judge
from cnnvis_report.rules.rule import Rule, RuleText
from cnnvis_report.rules.value import Value

__all__ = ["Outcome", "Rule", "RuleText", "Value", "judge"]
