"""Which rules hold."""

import pytest

from cnnvis_report.errors import BadRequest
from cnnvis_report.records.evidence import Interval
from cnnvis_report.rules.early import check_classes, check_names
from cnnvis_report.rules.judge import judge, judge_all
from cnnvis_report.rules.rule import RuleText
from cnnvis_report.rules.value import Value

VALUES = (
    Value("images", Interval(1200, None, None, 1200)),
    Value("accuracy", Interval(0.86, 0.81, 0.9, 200)),
    Value("recall", Interval(0.5, 0.2, 0.8, 10), "cat"),
    Value("recall", Interval(0.9, 0.6, 0.99, 10), "dog"),
    Value("broken", Interval(2, None, None, 2), run="b"),
    Value("broken", Interval(5, None, None, 5), run="c"),
)


@pytest.mark.parametrize(
    ("text", "holds", "says"),
    [
        ("accuracy<0.9", True, "accuracy is 0.860 [0.810, 0.900] (n = 200)"),
        ("accuracy<80%", False, "accuracy is 86.0% [81.0, 90.0] (n = 200)"),
        ("accuracy.low<0.85", True, "accuracy is 0.860 [0.810, 0.900] (n = 200)"),
        ("accuracy.high<0.85", False, "accuracy is 0.860 [0.810, 0.900] (n = 200)"),
        ("images<2000", True, "images is 1,200"),
        ("recall[cat]<0.6", True, "recall[cat] is 0.50 [0.20, 0.80] (n = 10)"),
        ("recall[*]<0.6", True, "recall[cat] is 0.50 [0.20, 0.80] (n = 10)"),
        (
            "recall[*]<0.4",
            False,
            "recall[cat] is 0.50 [0.20, 0.80] (n = 10); recall[dog] is 0.90 [0.60, 0.99] (n = 10)",
        ),
        ("broken>3", True, "broken is 5 in c"),
        ("broken>5", False, "broken is 2 in b; broken is 5 in c"),
    ],
)
def test_a_rule_holds_where_any_value_that_it_reads_meets_it(text: str, holds: bool, says: str) -> None:
    outcome = judge(RuleText().parse(text), VALUES)
    assert (outcome.holds, outcome.describe()) == (holds, says)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("acuracy<1", "No value is called 'acuracy'. Did you mean 'accuracy'?"),
        ("recall[dgo]<1", "No value of recall is called 'dgo'. Did you mean 'dog'?"),
        ("recall<1", "recall is one value of each of several: give one in brackets, such as recall[cat], or recall[*]"),
        ("accuracy[cat]<1", "accuracy is a single value: leave [cat] away."),
        ("images.low<1", "images has no interval; leave .low away."),
        ("macro_f1<1", "macro_f1 isn't known: no image has a label that the network knows."),
        ("moved[cam]>1", "moved isn't known: there is no other run; give --against RUN"),
        ("gain[cam]<1", "gain isn't known: it wasn't measured"),
        ("gain_above_random[cam]<1", "gain_above_random isn't known: it wasn't measured"),
    ],
)
def test_what_a_rule_cannot_read_is_said(text: str, says: str) -> None:
    (outcome,) = judge_all([RuleText().parse(text)], VALUES, ["gain"])
    assert outcome.fails and not outcome.holds and says in outcome.describe()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("acuracy<1", "Did you mean 'accuracy'?"),
        ("accuracy[cam]<1", "is a single value"),
        ("gain<1", "gain is a value of each method: give one in brackets, such as gain[cam], or gain[*] for any."),
        ("recall<1", "recall is a value of each class"),
        ("gain[cma]<1", "No method of this run is called 'cma'. Did you mean 'cam'?"),
        ("gian[cam]<1", "Did you mean 'gain'?"),
        ("mass[cam]<1", "mass isn't known: it wasn't measured"),
        ("broken>3", "broken isn't known: there is no other run"),
    ],
)
def test_before_a_run_what_it_will_not_have_is_refused(text: str, says: str) -> None:
    rule = RuleText().parse(text)
    with pytest.raises(BadRequest) as refused:
        check_names([rule], measured=["gain"], measures=["gain", "mass"], methods=["cam", "rise"], pair=False)
    assert says in str(refused.value) and str(refused.value).startswith(f'--fail-if "{text}": ')


@pytest.mark.parametrize(
    "text", ["accuracy<1", "gain[*]<1", "gain[cam@layer4]<1", "gain_above_random[rise].low<0", "recall[any]<1"]
)
def test_before_a_run_what_it_may_have_is_taken(text: str) -> None:
    check_names([RuleText().parse(text)], measured=["gain"], measures=["gain"], methods=["cam", "rise"], pair=False)


@pytest.mark.parametrize("text", ["broken>3", "broken[cat]>3", "moved>0.2", "moved[cam]>0.2", "gain_difference[cam]<0"])
def test_changes_are_taken_beside_another_run(text: str) -> None:
    check_names([RuleText().parse(text)], measured=["gain"], measures=["gain"], methods=["cam"], pair=True)


def test_classes_are_those_of_the_network() -> None:
    check_classes(
        [RuleText().parse(text) for text in ("recall[cat]<1", "broken>1", "recall[*]<1", "gain[x]<1")], ["cat"]
    )
    with pytest.raises(BadRequest, match="Did you mean 'cat'"):
        check_classes([RuleText().parse("broken[cta]>1")], ["cat", "dog"])
