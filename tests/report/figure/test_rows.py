"""Which images a figure shows, from numbers that decide it."""

from collections.abc import Sequence

import pytest

from cnnvis_report.errors import UnknownName
from cnnvis_report.records.scores import ScoreKind
from cnnvis_report.report.figure.content import short_names
from cnnvis_report.report.figure.rows import Candidate, candidate, choose, chosen_by_name
from tests.evidence import records


def judged(correct: Sequence[float], errors: Sequence[float]) -> list[Candidate]:
    """Images with these confidences; `c90` is correct at 0.90."""
    made = [Candidate(f"c{round(value * 100)}", value, True, None) for value in correct]
    return [*made, *(Candidate(f"e{round(value * 100)}", value, False, None) for value in errors)]


def unjudged(*values: float, agreement: Sequence[float | None] = ()) -> list[Candidate]:
    given = [*agreement, *([None] * len(values))]
    return [
        Candidate(f"u{round(value * 100)}", value, None, agreed) for value, agreed in zip(values, given, strict=False)
    ]


@pytest.mark.parametrize(
    ("correct", "errors", "rows", "chosen"),
    [
        pytest.param(
            (0.5, 0.9, 0.7, 0.6, 0.8), (0.3, 0.99, 0.4, 0.2, 0.1), None,
            {"c90": "most confident", "c80": "2nd most confident", "c60": "2nd least confident",
             "c50": "least confident", "e99": "most confident error", "e40": "2nd most confident error",
             "e30": "3rd most confident error", "e20": "4th most confident error"},
            id="two at each end and four errors",
        ),
        pytest.param((0.9, 0.8, 0.7), (), None,
                     {"c90": "most confident", "c80": "2nd most confident", "c70": "least confident"}, id="no error"),
        pytest.param((), (0.2, 0.6, 0.4), None,
                     {"e60": "most confident error", "e40": "2nd most confident error",
                      "e20": "3rd most confident error"},
                     id="errors alone"),
        pytest.param((0.9, 0.8), (0.6, 0.5), 2, {"c90": "most confident", "e60": "most confident error"},
                     id="two rows"),
        pytest.param((0.9,), (0.6, 0.5, 0.4), 3, {"c90": "most confident", "e60": "most confident error",
                                                  "e50": "2nd most confident error"}, id="errors fill up"),
        pytest.param((0.9,), (), 1, {"c90": ""}, id="one image needs no reason"),
    ],
)  # fmt: skip
def test_correct_images_at_both_ends_and_errors(
    correct: Sequence[float], errors: Sequence[float], rows: int | None, chosen: dict[str, str]
) -> None:
    choice = choose(judged(correct, errors), ScoreKind.SOFTMAX, rows)
    assert choice.reasons == chosen
    assert list(choice.reasons) == list(chosen), "rows go from the most confident to the least, errors below"


def test_the_rule_is_said_with_what_there_is() -> None:
    choice = choose(judged((0.9, 0.8, 0.7, 0.6, 0.5), (0.4,)), ScoreKind.SOFTMAX)
    assert choice.rule == (
        "the two most confident correct images, the two least confident correct images and the most confident error"
    )
    assert choice.total == 6


@pytest.mark.parametrize(
    ("kind", "word"), [(ScoreKind.SOFTMAX, "confidence"), (ScoreKind.SIGMOID, "confidence"), (ScoreKind.VALUE, "value")]
)
def test_without_labels_the_spread_and_the_lowest_agreement(kind: ScoreKind, word: str) -> None:
    candidates = unjudged(0.1, 0.3, 0.5, 0.7, 0.9, agreement=(0.4, 0.2, 0.1, 0.3, 0.6))
    choice = choose(candidates, kind)
    assert choice.reasons == {
        "u90": f"highest {word}",
        "u50": f"median {word}",
        "u10": f"lowest {word}",
        "u30": "lowest agreement of methods",  # 0.5 has less, and stands there already
    }
    assert choice.rule == f"images of the highest, median and lowest {word} and of the lowest agreement of methods"


def test_agreement_that_was_measured_on_some_images_says_so() -> None:
    choice = choose(unjudged(0.1, 0.3, 0.5, 0.7, 0.9, agreement=(0.4, 0.2)), ScoreKind.SOFTMAX)
    assert choice.rule.endswith("and of the lowest agreement of methods, measured on 2 of them")


def test_without_agreement_nothing_is_said_of_it() -> None:
    choice = choose(unjudged(0.1, 0.3, 0.5, 0.7, 0.9), ScoreKind.SOFTMAX, 5)
    assert choice.reasons == {
        "u90": "highest confidence",
        "u70": "2nd highest confidence",
        "u50": "median confidence",
        "u30": "2nd lowest confidence",
        "u10": "lowest confidence",
    }
    assert choice.rule == "images evenly spread from the highest to the lowest confidence"


def test_of_many_images_each_is_counted_off_from_the_nearer_end() -> None:
    choice = choose(unjudged(*(number / 100 for number in range(1, 82))), ScoreKind.SOFTMAX, 5)
    assert list(choice.reasons.values()) == [
        "highest confidence",
        "21st highest confidence",
        "median confidence",
        "21st lowest confidence",
        "lowest confidence",
    ]


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_few_images_are_all_shown_once(count: int) -> None:
    candidates = unjudged(*(0.1 * number for number in range(1, count + 1)), agreement=[0.5] * count)
    assert sorted(choose(candidates, ScoreKind.SOFTMAX).reasons) == sorted(one.id for one in candidates)


def test_agreement_leaves_out_random_maps_and_constant_ones() -> None:
    agreement: list[list[float | None]] = [
        [1, 0.8, -0.5, None],
        [0.8, 1, -0.5, None],
        [-0.5, -0.5, 1, None],
        [None] * 4,
    ]
    measured = records.image(0, ["a", "b", "random", "flat"], {}, agreement=agreement)
    assert candidate(measured, ["random"]).agreement == pytest.approx(0.8)


KNOWN = {"a-1": "cats/a.jpg", "a-2": "dogs/a.jpg", "b-1": "cats/b.jpg"}


def test_images_go_by_name_by_the_end_of_it_and_by_id() -> None:
    assert chosen_by_name(["dogs/a.jpg", "b.jpg", "a-1", "b-1"], KNOWN) == ["a-2", "b-1", "a-1"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        pytest.param(
            "cats/aa.jpg", "No image of this run is called 'cats/aa.jpg'. Did you mean 'cats/a.jpg'?", id="typo"
        ),
        pytest.param("a.jpg", "2 images are called so in different folders.", id="ambiguous"),
    ],
)
def test_an_image_that_is_not_there_is_named(name: str, message: str) -> None:
    with pytest.raises(UnknownName) as refusal:
        chosen_by_name([name], KNOWN)
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    ("names", "short"),
    [
        pytest.param(["a/b/c.png", "a/b/d.png"], ["c", "d"], id="a common folder"),
        pytest.param(["a/c.png", "b/c.png"], ["a/c", "b/c"], id="different folders"),
        pytest.param(["c.png", "c.jpg"], ["c.png", "c.jpg"], id="suffixes that tell them apart"),
        pytest.param(["c.png", "a/c.png"], ["c", "a/c"], id="one without a folder"),
        pytest.param(["cats/only.png"], ["cats/only"], id="one image"),
    ],
)
def test_names_are_as_short_as_tells_them_apart(names: list[str], short: list[str]) -> None:
    assert short_names(names) == short
