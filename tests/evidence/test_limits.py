"""What evidence can't tell of several methods is said once, with all their names."""

import pytest

from cnnvis_report.evidence.words import within_sentence
from cnnvis_report.records.metrics import MethodTest
from tests.evidence.test_verdicts import judged, planted

OPEN = (0.1, 0.9, 0.2, 0.8, 0.4, 0.6, 0.5, 0.55)


def test_checks_that_are_not_decided_are_one_sentence_a_check() -> None:
    names = ("best", "near", "next")
    made = planted(best=9, near=8, next=8)
    tests = tuple(MethodTest("randomization", name, "", OPEN) for name in names)
    evidence = judged(made, (*names, "random"), tests=tests)
    (line,) = [limit for limit in evidence.limits if "isn't decided" in limit]
    assert line == (
        "The randomization check isn't decided for Best, Next and Near: the interval reaches over the limit."
    )
    few = tuple(MethodTest("randomization", name, "", OPEN[:2]) for name in names[:2])
    alone = MethodTest("randomization", "next", "", OPEN)
    evidence = judged(made, (*names, "random"), tests=(*few, alone))
    first, second = (limit for limit in evidence.limits if "isn't decided" in limit)
    assert first == "The randomization check isn't decided for Best and Near: 2 images are too few, 5 are needed."
    assert second.startswith("Next: it isn't decided whether it changes when all weights are randomized (rank")


def test_methods_that_may_be_better_than_chance_are_one_sentence() -> None:
    names = tuple(f"m{number}" for number in range(30))
    for seed in range(40):  # until more than one lies above chance alone, and none of them with the others
        evidence = judged(planted(seed, 8, **dict.fromkeys(names, 0.35)), (*names, "random"))
        lines = [limit for limit in evidence.limits if "may be better than a random map" in limit]
        assert len(lines) <= 1
        if lines and " and " in lines[0].partition(" may be")[0]:
            assert "their intervals lie above 0, but not at the level that 30 methods judged together" in lines[0]
            return
    pytest.fail("no draw has two such methods")


@pytest.mark.parametrize(("title", "words"), [("Relevance gain", "relevance gain"), ("AOPC", "AOPC"), ("ROAD", "ROAD")])
def test_titles_within_a_sentence(title: str, words: str) -> None:
    assert within_sentence(title) == words
