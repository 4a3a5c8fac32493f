"""Equal maps are one row, with the reason that theory gives where it gives one."""

from dataclasses import replace

import numpy as np
import pytest

from cnnvis_report.evidence import evidence_of
from cnnvis_report.evidence.duplicates import groups
from cnnvis_report.evidence.measurements import Agreement
from cnnvis_report.records.evidence import Evidence, MethodEvidence, Standing
from cnnvis_report.records.methods import Equality, Where
from cnnvis_report.records.network import NetworkRecord
from tests.evidence import records

AVERAGED = replace(records.NETWORK, averaged_layer="features")
TWIN = records.info("twin", equals=(Equality("first", Where.AVERAGED, "one weight a channel"),))
METHODS = ("first", TWIN, "other", "random")


def agreement_of(*rows: tuple[float | None, ...]) -> Agreement:
    """Of two maps, with one rank correlation an image; a pair says which of them varies."""
    counted = Agreement()
    for value, one, other in rows:
        counted.add([0, 1], [[one, value], [value, other]])
    return counted


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.0] * 10, True),
        ([0.9991] * 10, True),
        ([1.0] * 9 + [0.991], True),
        ([1.0] * 8 + [0.991] * 2, False),
        ([1.0] * 9 + [0.98], False),
        ([0.995] * 10, False),
        ([1.0], False),
    ],
)
def test_two_maps_are_the_same_where_they_agree_on_most_images_and_nowhere_differ(
    values: list[float], expected: bool
) -> None:
    assert (groups(agreement_of(*((value, 1.0, 1.0) for value in values)), [0, 1]) == [[0, 1]]) is expected


def test_a_constant_map_is_the_same_only_as_another_one() -> None:
    equal = (1.0, 1.0, 1.0)
    assert groups(agreement_of(equal, equal, (None, None, None)), [1, 0]) == [[1, 0]], "both constant there"
    assert groups(agreement_of(equal, equal, (None, 1.0, None)), [0, 1]) == [[0], [1]], "one of them constant there"


def test_small_differences_do_not_add_up_in_a_chain() -> None:
    counted = Agreement()
    for _ in range(4):
        counted.add([0, 1, 2], [[1, 0.9995, 0.9], [0.9995, 1, 0.9995], [0.9, 0.9995, 1]])
    assert groups(counted, [0, 1, 2]) == [[0, 1], [2]]


def twins(*, network: NetworkRecord = AVERAGED, agreement: float = 1.0) -> tuple[Evidence, MethodEvidence]:
    """The evidence where "first" and "twin" have such an agreement, and that of the twin."""
    generator = np.random.default_rng(0)
    names = ["first", "twin", "other", "random"]
    rows = [[1.0, agreement, 0.5, 0.0], [agreement, 1.0, 0.5, 0.0], [0.5, 0.5, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
    made = []
    for number in range(12):
        gain, chance = generator.normal(5, 0.5), generator.normal(0, 0.1, 6)
        values = {"gain": [gain, gain, gain / 2, chance[0]]}
        made.append(records.image(number, names, values, random={"gain": chance[1:].tolist()}, agreement=rows))
    evidence = evidence_of(records.run(METHODS, network=network, count=12), made)
    assert evidence is not None
    return evidence, next(method for method in evidence.methods if method.method == "twin")


def test_twins_are_one_row_and_one_recommendation() -> None:
    evidence, twin = twins()
    assert twin.same_as == "first" and twin.standing is Standing.BEST
    assert evidence.recommended == ("first",)
    assert [method.method for method in evidence.methods][:2] == ["first", "twin"], "they stand together"
    assert "Twin gives the map of First" in evidence.text[-1]


def test_theory_says_why_where_the_network_is_of_its_kind() -> None:
    _, twin = twins()
    assert twin.same_because == (
        "one weight a channel behind global average pooling and one linear layer "
        "(rank correlation 1.000 on all 12 images)"
    )
    _, elsewhere = twins(network=records.NETWORK)
    assert elsewhere.same_because == "rank correlation 1.000 on all 12 images"


def test_theory_alone_makes_no_twin() -> None:
    evidence, twin = twins(agreement=0.97)
    assert twin.same_as == "" and evidence.recommended == ("first", "twin")


def test_the_reason_never_says_more_than_was_measured() -> None:
    _, twin = twins(network=records.NETWORK, agreement=0.9996)
    assert twin.same_because == "rank correlation 0.999 or more on all 12 images"
