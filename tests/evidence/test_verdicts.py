"""Verdicts on methods whose worth a test has planted."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from cnnvis_report.evidence import evidence_of
from cnnvis_report.evidence.markdown import markdown
from cnnvis_report.evidence.method_checks import conservation_check, outcome
from cnnvis_report.evidence.statistics import Bootstrap
from cnnvis_report.records.evidence import Evidence, MethodEvidence, Standing
from cnnvis_report.records.images import ImageRecord, NotApplicableRecord
from cnnvis_report.records.metrics import MethodTest
from tests.evidence import records
from tests.evidence.records import RANK, SCORE

N = 16


def judged(made: Sequence[ImageRecord], methods: Sequence[str], **changes: object) -> Evidence:
    evidence = evidence_of(records.run(methods, count=len(made), **changes), made)  # type: ignore[arg-type] # fields of it
    assert evidence is not None
    return evidence


def of(evidence: Evidence, method: str) -> MethodEvidence:
    return next(entry for entry in evidence.methods if entry.method == method)


def planted(seed: int = 0, images: int = N, **effects: float) -> list[ImageRecord]:
    """Images of varying difficulty; a method's gain lies this far above that of random maps, in their deviations."""
    generator = np.random.default_rng(seed)
    level, random = generator.normal(0, 5, (images, 1)), generator.normal(size=(images, 5))
    gains = {
        name: (level[:, 0] + effect + generator.normal(size=images)).tolist()
        for name, effect in {**effects, "random": 0.0}.items()
    }
    return records.images(gains, level + random)


def test_every_standing_is_reached() -> None:
    methods = ("best", "near", "better", "chance", "worse", "random")
    evidence = judged(planted(1, best=9, near=8.9, better=4, chance=0, worse=-4), methods)
    assert [(method.method, method.standing) for method in evidence.methods] == [
        ("best", Standing.BEST),
        ("near", Standing.COMPARABLE),
        ("better", Standing.BETTER),
        ("chance", Standing.CHANCE),
        ("worse", Standing.WORSE),
        ("random", Standing.REFERENCE),
    ]
    assert evidence.recommended == ("best", "near") and evidence.avoid == ("chance", "worse")
    assert evidence.faithfulness == "gain" and evidence.images == N and evidence.random_maps == 5


def test_differences_are_paired_within_an_image() -> None:
    """The images' own levels vary ten times as much as what tells methods apart."""
    method = of(judged(planted(best=3), ("best", "random")), "best")
    value, difference = method.measures["gain"].value, method.measures["gain"].difference
    assert difference is not None and difference.low is not None and difference.low > 1.5
    assert value.low is not None and value.high is not None and difference.high is not None
    assert value.high - value.low > 2 * (difference.high - difference.low)


def test_where_lower_is_better_signs_are_turned() -> None:
    lower = replace(SCORE, higher_is_better=False)
    evidence = judged(planted(good=-5, bad=5), ("good", "bad", "random"), metrics=(lower,))
    assert of(evidence, "good").standing is Standing.BEST and of(evidence, "bad").standing is Standing.WORSE
    difference = of(evidence, "good").measures["gain"].difference
    assert difference is not None and difference.mean > 0


def test_a_random_map_is_never_recommended_and_not_called_better() -> None:
    """Among 20 methods, 10 of which are random, in 150 runs; one run of 20 may err on any of 20, as is documented."""
    names = [f"chance{number}" for number in range(10)]
    effects = dict.fromkeys(names, 0.0) | {f"good{number}": 5.0 for number in range(10)}
    runs = [judged(planted(seed, 8 + seed % 9, **effects), [*effects, "random"]) for seed in range(150)]
    assert not [evidence for evidence in runs if set(evidence.recommended) & set(names)]
    claims = {Standing.BEST, Standing.COMPARABLE, Standing.BETTER}
    assert (
        sum(any(of(evidence, name).standing in claims for name in names) for evidence in runs) <= 0.05 * len(runs) / 2
    )


def test_a_failed_check_is_never_recommended_and_says_why() -> None:
    stuck = MethodTest("randomization", "edges", "", (0.8, 0.9, 0.85, 0.8, 0.9, 0.7, 0.8, 0.9))
    moved = MethodTest("randomization", "best", "", (0.1, 0.0, 0.2, -0.1, 0.1, 0.3, 0.0, 0.1))
    open_ = MethodTest("randomization", "near", "", (0.1, 0.9, 0.2, 0.8, 0.4, 0.6, 0.5, 0.55))
    made = planted(edges=9, best=6, near=6)
    evidence = judged(made, ("edges", "best", "near", "random"), tests=(stuck, moved, open_))
    assert of(evidence, "edges").standing is Standing.FAILED and "edges" not in evidence.recommended
    assert "edges" in evidence.avoid
    assert [of(evidence, name).checks[0].passed for name in ("edges", "best", "near")] == [False, True, None]
    assert any(
        "Avoid Edges" in line and "barely changes when all weights are randomized" in line for line in evidence.text
    )
    assert any(line.startswith("Near: ") and "isn't decided" in line for line in evidence.limits)
    assert of(evidence, "best").standing in (Standing.BEST, Standing.COMPARABLE), "ranked without what failed"


@pytest.mark.parametrize(("count", "decided"), [(4, None), (5, False)])
def test_few_tested_images_decide_nothing(count: int, decided: bool | None) -> None:
    test = MethodTest("randomization", "best", "", (0.8, 0.9, 0.85, 0.8, 0.9)[:count])
    assert of(judged(planted(best=6), ("best", "random"), tests=(test,)), "best").checks[0].passed is decided


def test_a_constant_map_is_named_as_such() -> None:
    made = [
        replace(each, metrics=replace(each.metrics, agreement=((None, None, None), (None, 1.0, 0.1), (None, 0.1, 1.0))))
        for each in planted(flat=0, good=5)
        if each.metrics is not None
    ]
    evidence = judged(made, ("flat", "good", "random"))
    flat = of(evidence, "flat")
    assert flat.standing is Standing.FAILED and flat.checks[0].name == "constant" and flat.checks[0].passed is False
    assert "constant map, a single value everywhere on 16 of 16 images" in flat.checks[0].reason
    assert any("Avoid Flat" in line and "constant map" in line for line in evidence.text)


def test_the_mask_itself_comes_first_on_localization() -> None:
    generator = np.random.default_rng(4)
    ranks = {name: generator.uniform(low, high, N) for name, low, high in (("blob", 0.5, 0.9), ("off", 0.0, 0.2))}
    ranks |= {"mask": np.ones(N), "random": np.full(N, 0.3)}
    gains = {name: (8 + generator.normal(size=N)).tolist() for name in ("blob", "off", "mask")} | {"random": [0.0] * N}
    made = records.images(gains, generator.normal(size=(N, 5)), {name: row.tolist() for name, row in ranks.items()})
    evidence = judged(made, ("blob", "off", "mask", "random"), metrics=(SCORE, RANK))
    assert evidence.localization == "relevance_rank_accuracy"
    by_rank = sorted(evidence.methods, key=lambda entry: -entry.measures[evidence.localization].value.mean)
    assert by_rank[0].method == "mask" and by_rank[0].measures[evidence.localization].value.mean == 1
    assert "off" not in evidence.recommended and "off" in evidence.avoid, "it lies on the object less than chance"
    assert {"mask", "blob"} == set(evidence.recommended)


def test_sums_that_miss_the_score_fail() -> None:
    values = {"sum": 0.6, "exact": 0.01, "odd": 0.2}
    made = [
        records.image(
            number,
            [*values, "random"],
            {"gain": [5.0, 4.0, 3.0, 0.0]},
            random={"gain": [0.0, 0.1]},
            notes={name: {"residual": error + 0.02 * number} for name, error in values.items()},
        )
        for number in range(8)
    ]
    evidence = judged(made, (*values, "random"))
    assert [of(evidence, name).checks[0].passed for name in values] == [False, True, None]
    assert of(evidence, "sum").standing is Standing.FAILED


def test_the_order_of_the_images_does_not_matter() -> None:
    made = planted(best=3, near=2)
    methods = ("best", "near", "random")
    assert judged(made, methods) == judged(made[::-1], methods)


def test_what_was_not_drawn_is_compared_with_the_random_method() -> None:
    made = [replace(each, metrics=replace(each.metrics, random={})) for each in planted(best=6) if each.metrics]
    evidence = judged(made, ("best", "random"))
    assert evidence.random_maps == 1 and of(evidence, "best").standing is Standing.BEST


def test_methods_that_do_not_apply_say_why() -> None:
    gap = NotApplicableRecord("absent", "no layer keeps a spatial size")
    evidence = judged(planted(best=6), ("best", "absent", "random"), not_applicable=(gap,))
    absent = of(evidence, "absent")
    assert absent.standing is Standing.NOT_APPLICABLE and absent.not_applicable == gap.reason
    assert evidence.methods[-1] == absent


def test_one_method_at_two_layers_has_two_verdicts() -> None:
    made = []
    for each in planted(best=6, other=0):
        assert each.metrics is not None
        maps = tuple(
            replace(record, method="best", layer="early") if record.method == "other" else record
            for record in each.maps
        )
        scored = tuple(
            replace(entry, method="best", layer="early") if entry.method == "other" else entry
            for entry in each.metrics.maps
        )
        made.append(replace(each, maps=maps, metrics=replace(each.metrics, maps=scored)))
    evidence = judged(made, ("best", "random"))
    assert evidence.recommended == ("best@",) and evidence.avoid == ("best@early",)


def test_nothing_measured_is_no_evidence() -> None:
    made = [replace(each, metrics=None) for each in planted(best=3)]
    assert evidence_of(records.run(("best", "random"), count=N), made) is None
    assert evidence_of(replace(records.run(("best",)), evaluation=None), planted(best=3)) is None


def test_a_trifle_behind_the_best_is_not_behind() -> None:
    """Of maps that hardly differ, one lies behind the other for certain, by a thousandth."""
    made = planted(best=6)
    for number, each in enumerate(made):
        assert each.metrics is not None
        best, random = each.metrics.maps
        near = replace(best, method="near", values={"gain": best.values["gain"] - 0.005 - 0.0001 * number})
        record = replace(each.maps[0], method="near", key="near")
        agreement = ((1.0, 0.99, 0.1), (0.99, 1.0, 0.1), (0.1, 0.1, 1.0))
        metrics = replace(each.metrics, maps=(best, near, random), agreement=agreement)
        made[number] = replace(each, maps=(each.maps[0], record, each.maps[1]), metrics=metrics)
    near_verdict = of(judged(made, ("best", "near", "random")), "near")
    behind = near_verdict.measures["gain"].behind
    assert behind is not None and behind.low is not None and behind.low > 0
    assert near_verdict.standing is Standing.COMPARABLE


def test_what_lies_on_the_object_no_more_than_chance_is_neither_recommended_nor_avoided() -> None:
    generator = np.random.default_rng(6)
    gains = {name: (8 + generator.normal(size=N)).tolist() for name in ("on", "anywhere")} | {"random": [0.0] * N}
    ranks = {"on": [0.8] * N, "anywhere": (0.3 + generator.normal(0, 0.1, N)).tolist(), "random": [0.3] * N}
    made = records.images(gains, generator.normal(size=(N, 5)), ranks)
    evidence = judged(made, ("on", "anywhere", "random"), metrics=(SCORE, RANK))
    assert of(evidence, "anywhere").standing in (Standing.BEST, Standing.COMPARABLE)
    assert evidence.recommended == ("on",) and evidence.avoid == ()


def test_relevance_that_biases_absorb_is_stated_and_fails_nothing() -> None:
    """What a rule gives to biases is lost by its definition, on every network that has them."""
    lossy = [
        replace(
            image,
            maps=tuple(
                replace(entry, evidence=replace(entry.evidence, notes={"conservation": 0.3}))
                if entry.method == "lossy"
                else entry
                for entry in image.maps
            ),
        )
        for image in planted(lossy=6)
    ]
    evidence = judged(lossy, ("lossy", "random"))
    (check,) = of(evidence, "lossy").checks
    assert check.name == "conservation" and check.passed is None and check.value is not None
    assert check.value.mean == pytest.approx(0.7)
    assert evidence.recommended == ("lossy",) and evidence.avoid == ()
    said = "not conserved by definition: biases absorb or add 70.0% [70.0, 70.0] of the score"
    assert check.reason == said and f"Lossy: {said}." in evidence.limits
    assert outcome(check) == "not kept by definition"
    table = markdown(evidence, records.run(("lossy", "random"), count=len(lossy)))
    assert "conservation not kept by definition: 70.0% [70.0, 70.0]" in table and "not decided" not in table


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ([1.02, 0.99] * 4, "passed"),
        ([0.2] * 8, "not kept by definition"),
        ([0.6, 0.9] * 4, "not decided"),
        ([0.2] * 4, "not decided"),
    ],
    ids=["kept", "lost", "on both sides", "too few"],
)
def test_conservation_is_kept_or_not_by_definition_or_not_decided(shares: list[float], said: str) -> None:
    check = conservation_check(shares, Bootstrap())
    assert outcome(check) == said and check.passed is (True if said == "passed" else None)


def test_no_other_measure_takes_the_place_of_the_one_that_ranks() -> None:
    other = replace(SCORE, ranks=False)
    evidence = judged(planted(best=6), ("best", "random"), metrics=(other,))
    assert evidence.faithfulness == "" and evidence.recommended == () and evidence.avoid == ()
    best = of(evidence, "best")
    assert best.standing is Standing.UNKNOWN and best.measures["gain"].difference is not None, (
        "which is told all the same"
    )
