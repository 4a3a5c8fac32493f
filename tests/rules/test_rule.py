"""Rules as they are typed."""

import operator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnvis_report.errors import BadRequest
from cnnvis_report.rules.rule import COMPARISONS, Rule, RuleText


def parsed(text: str) -> tuple[Any, ...]:
    rule = RuleText().parse(text)
    return rule.name, rule.key, rule.end, rule.comparison, rule.limit


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("accuracy<0.9", ("accuracy", "", "", "<", 0.9)),
        ("  broken >  3 ", ("broken", "", "", ">", 3.0)),
        ("accuracy < 90%", ("accuracy", "", "", "<", 0.9)),
        ("accuracy_difference.high<0", ("accuracy_difference", "", "high", "<", 0.0)),
        ("pointing_game[grad_cam@layer4].low<=0.6", ("pointing_game", "grad_cam@layer4", "low", "<=", 0.6)),
        ("mask_energy_difference[*] < -0.05", ("mask_energy_difference", "*", "", "<", -0.05)),
        ("recall[tabby, tabby cat]==1", ("recall", "tabby, tabby cat", "", "==", 1.0)),
        ("recall[a]<0.5].low<0.8", ("recall", "a]<0.5", "low", "<", 0.8)),
        ("recall[кот]!=1e-3", ("recall", "кот", "", "!=", 0.001)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_rule_is_read_into_its_parts(text: str, parts: tuple[Any, ...]) -> None:
    assert parsed(text) == parts


@pytest.mark.parametrize(
    "text",
    [
        *(
            "accuracy",
            "accuracy<",
            "<0.9",
            "accuracy=0.9",
            "accuracy=>0.9",
            "accuracy<0.9<1",
            "accuracy<x",
            "0.9>accuracy",
        ),
        *(
            "accuracy<nan",
            "accuracy<inf",
            "accuracy<²",
            "accuracy[<0.9",
            "accuracy.middle<0.9",
            "a b<1",
            "accuracy<9 %%",
        ),
        *("x" * 501 + "<1", "recall[" + "]" * 50_000 + "<1", "", "\0<1"),
    ],
    ids=lambda text: text[:20] or "empty",
)
def test_what_is_no_rule_is_refused_in_a_short_line(text: str) -> None:
    with pytest.raises(BadRequest) as refused:
        RuleText().parse(text)
    assert len(str(refused.value)) < 300 and "\n" not in str(refused.value)


def test_a_rule_that_was_read_stays_as_it_is() -> None:
    rule = RuleText().parse("accuracy<0.9")
    assert RuleText().parse(rule) is rule


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(st.sampled_from(list(COMPARISONS)), st.integers(-3, 3), st.integers(-3, 3))
def test_comparisons_are_those_of_python(comparison: str, amount: int, limit: int) -> None:
    by_name = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne"}
    rule = Rule("", "x", "", "", comparison, float(limit))
    assert rule.holds_for(float(amount)) is getattr(operator, by_name[comparison])(amount, limit)
