"""The numbers of a comparison that rules read."""

import pytest

from cnnvis_report.errors import BadRequest
from cnnvis_report.rules.comparison_values import comparison_values
from cnnvis_report.rules.early import check_compared
from cnnvis_report.rules.judge import judge
from cnnvis_report.rules.names import CHANGES, RUN_VALUES, named
from cnnvis_report.rules.rule import RuleText
from tests.rules.compared import HOSTILE, PAIR, THREE


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("accuracy<0.75", "accuracy is 0.70 [0.60, 0.80] (n = 10)"),
        ("accuracy_difference<-10%", "accuracy_difference is −20% [−40, 10] (n = 10)"),
        ("accuracy_difference.high<0.2", "accuracy_difference is −0.20 [−0.40, 0.10] (n = 10)"),
        ("calibration_error>0.3", "calibration_error is 0.325"),
        ("calibration_error_difference>0", "calibration_error_difference is 0.050"),
        ("broken>1", "broken is 2"),
        ("broken[cat]>1", "broken[cat] is 2"),
        ("changed>1", "changed is 2"),
        ("mcnemar_p<0.3", "mcnemar_p is 0.250"),
        ("recall_difference[cat]<0", "recall_difference[cat] is −0.250"),
        ("moved>0.2", "moved is 0.30 [0.20, 0.40] (n = 10)"),
        ("moved[cam].low>0.1", "moved[cam] is 0.30 [0.20, 0.40] (n = 10)"),
        ("moved[*]>0.2", "moved[cam] is 0.30 [0.20, 0.40] (n = 10)"),  # and not that of random maps
        ("mask_energy[cam]<0.7", "mask_energy[cam] is 0.60 [0.50, 0.70] (n = 10)"),
        ("mask_energy_difference[cam]<0", "mask_energy_difference[cam] is −0.20 [−0.30, −0.10] (n = 10)"),
        ("gain[cam]<0.3", "gain[cam] is 0.25 [0.15, 0.35] (n = 10)"),
        ("gain_difference[cam].high<-0.1", "gain_difference[cam] is −0.25 [−0.35, −0.15] (n = 10)"),
        ("compared_images<10", "compared_images is 3"),
        ("misclassified>2", "misclassified is 3"),
        ("recall[cat]<0.8", "recall[cat] is 0.75 [0.41, 0.93] (n = 8)"),
    ],
)
def test_numbers_are_those_of_the_later_run(text: str, says: str) -> None:
    outcome = judge(RuleText().parse(text), comparison_values(PAIR), ["gain"])
    assert outcome.holds and outcome.describe() == says


def test_of_several_later_runs_one_is_enough() -> None:
    values = comparison_values(THREE)
    assert judge(RuleText().parse("accuracy<0.75"), values).describe() == "accuracy is 0.70 [0.60, 0.80] (n = 10) in b"
    outcome = judge(RuleText().parse("fixed>1"), values)
    assert not outcome.holds and outcome.describe() == "fixed is 0 in b; fixed is 1 in c"
    assert [value.run for value in judge(RuleText().parse("moved>0"), values).values] == ["b"]


def test_every_value_has_a_documented_name() -> None:
    known = named((*RUN_VALUES, *CHANGES), ["gain"])
    for value in comparison_values(PAIR):
        info = known[value.name]
        assert bool(value.key) == bool(info.key) or info.alone, value.label
    assert {value.key for value in comparison_values(PAIR) if value.name == "broken"} == {"", "cat", HOSTILE}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("macro_f1<1", "macro_f1 isn't known: it is a number of one run, not of a comparison"),
        ("gain_above_random[cam]<1", "gain_above_random isn't known: it is a number of one run"),
        ("moved[cma]>1", "No method of this run is called 'cma'. Did you mean 'cam'?"),
        ("brokn>1", "Did you mean 'broken'?"),
    ],
)
def test_before_a_comparison_what_it_will_not_have_is_refused(text: str, says: str) -> None:
    with pytest.raises(BadRequest) as refused:
        check_compared([RuleText().parse(text)], measures=["gain"], methods=["cam"])
    assert says in str(refused.value)


def test_a_comparison_has_what_is_said_to_be_compared() -> None:
    said = set(named((*(info for info in RUN_VALUES if info.compared), *CHANGES), ["gain"])) - {
        "top5_accuracy",
        "top5_accuracy_difference",
    }
    assert {value.name for value in comparison_values(PAIR)} == said
