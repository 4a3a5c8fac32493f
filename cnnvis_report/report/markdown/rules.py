"""What became of rules, in Markdown."""

from collections.abc import Sequence

from cnnvis_report.report.markdown.document import bullets, short
from cnnvis_report.rules.judge import Outcome


def rules_list(outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """A list of which rules hold, and which don't; nothing without rules."""
    ordered = sorted(outcomes, key=lambda outcome: not outcome.fails)
    return (bullets(map(_line, ordered)),) if outcomes else ()


def _line(outcome: Outcome) -> str:
    rule, measured = short(outcome.rule.text), short(outcome.describe())
    if outcome.problem:
        return f"❌ **Fails**: {rule} can't be judged: {measured}"
    return f"{'❌ **Fails**' if outcome.holds else '✅ Passes'}: {rule}, as {measured}"
