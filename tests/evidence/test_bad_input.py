"""What can't be told is a stated reason: no ranking, and no number that isn't one."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np
import pytest

from cnnvis_report.evidence import evidence_of
from cnnvis_report.evidence.markdown import markdown
from cnnvis_report.records.codec import from_json, to_json
from cnnvis_report.records.evidence import Evidence, Standing
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.metrics import MethodTest
from cnnvis_report.records.run import RunRecord
from tests.evidence import records
from tests.evidence.records import RANK, SCORE
from tests.narrow import present

METHODS = ("good", "poor", "random")


def several(count: int, *, ranks: bool = False) -> list[ImageRecord]:
    generator = np.random.default_rng(0)
    gains = {"good": 5.0, "poor": 0.1, "random": 0.0}
    values = {name: (gain + generator.normal(0, 0.3, count)).tolist() for name, gain in gains.items()}
    return records.images(values, generator.normal(0, 0.3, (count, 5)), values if ranks else None)


def blind(images: Sequence[ImageRecord], reason: str) -> list[ImageRecord]:
    return [replace(image, metrics=replace(image.metrics, blind={"gain": reason})) for image in images if image.metrics]


def alike(images: Sequence[ImageRecord]) -> list[ImageRecord]:
    """Every map scores the same, as where the network answers everything alike."""
    made = []
    for image in images:
        assert image.metrics is not None
        maps = tuple(replace(scored, values={"gain": 0.0}) for scored in image.metrics.maps)
        made.append(replace(image, metrics=replace(image.metrics, maps=maps, random={"gain": (0.0,) * 5})))
    return made


def constant(images: Sequence[ImageRecord]) -> list[ImageRecord]:
    """Every map is of one value, for which no metric that ranks pixels is defined."""
    made = []
    for image in images:
        assert image.metrics is not None
        maps = tuple(replace(scored, values={}) for scored in image.metrics.maps)
        nothing = tuple((None,) * len(maps) for _ in maps)
        made.append(replace(image, metrics=replace(image.metrics, maps=maps, agreement=nothing)))
    return made


SATURATED = "the probability is 1.000 for the image and for its blurred version"

CASES = {
    "one image": (several(1), "Nothing is ranked: 1 image is too few for an interval, 5 are needed"),
    "four images": (several(4), "Nothing is ranked: 4 images are too few for an interval, 5 are needed"),
    "saturated": (blind(several(16), SATURATED), f"16 images left out of Gain: {SATURATED}"),
    "mostly saturated": (
        [*several(3), *blind(several(13), SATURATED)],
        "Nothing is ranked: fewer than 5 of the 16 images tell good maps from bad ones",
    ),
    "no masks": (several(16), "Localization isn't known: no image has a ground-truth mask"),
    "constant maps": (constant(several(16)), "Nothing is ranked: fewer than 5 of the 16 images"),
}


def judged(images: Sequence[ImageRecord]) -> tuple[Evidence, RunRecord]:
    run = records.run(METHODS, metrics=(SCORE, RANK), count=len(images))
    evidence = evidence_of(run, images)
    assert evidence is not None
    return evidence, run


@pytest.mark.parametrize("name", CASES)
def test_every_reason_is_stated(name: str) -> None:
    images, reason = CASES[name]
    evidence, run = judged(images)
    assert any(line.startswith(reason) for line in evidence.limits), evidence.limits
    assert reason in markdown(evidence, run).replace("\\", "")


@pytest.mark.parametrize("name", [name for name in CASES if name != "no masks"])
def test_nothing_is_ranked(name: str) -> None:
    evidence, _ = judged(CASES[name][0])
    assert evidence.faithfulness == "" and evidence.recommended == ()
    ranked = {Standing.BEST, Standing.COMPARABLE, Standing.BETTER, Standing.CHANCE, Standing.WORSE}
    assert not ranked & {method.standing for method in evidence.methods}


@pytest.mark.parametrize("images", [case[0] for case in CASES.values()] + [alike(several(16))], ids=[*CASES, "alike"])
def test_every_number_is_one(images: list[ImageRecord]) -> None:
    evidence, run = judged(images)
    text = to_json(asdict(evidence))  # which refuses what isn't finite
    assert from_json(Evidence, json.loads(text)) == evidence
    assert "nan" not in markdown(evidence, run).lower() and "nan" not in " ".join(evidence.text).lower()


def test_where_everything_scores_alike_nothing_is_recommended_and_nothing_avoided() -> None:
    evidence, _ = judged(alike(several(16)))
    assert {method.standing for method in evidence.methods} == {Standing.CHANCE, Standing.REFERENCE}
    assert evidence.recommended == evidence.avoid == ()
    (sentence,) = evidence.text
    assert sentence == "No method is recommended: none that passes its checks has a better gain than a random map."


def test_images_without_a_mask_are_counted() -> None:
    with_masks, without = several(8, ranks=True), several(8)
    evidence, _ = judged([*with_masks, *without])
    assert "8 images left out of Relevance rank: no mask of the explained class." in evidence.limits
    (measure,) = [measure for measure in evidence.measures if measure.name == "relevance_rank_accuracy"]
    assert measure.images == 8 and sum(measure.left_out.values()) == 8


def test_a_metric_that_is_not_a_number_counts_as_missing() -> None:
    images = several(16)
    assert images[0].metrics is not None
    first, *others = images[0].metrics.maps
    wrong = replace(first, values={"gain": float("nan")})
    images[0] = replace(images[0], metrics=replace(images[0].metrics, maps=(wrong, *others)))
    evidence, _ = judged(images)
    good = next(method for method in evidence.methods if method.method == "good")
    assert good.measures["gain"].value.images == 15


@pytest.mark.parametrize(("count", "many"), [(1, "1 image is"), (4, "4 images are")], ids=["one", "four"])
def test_what_too_few_images_cannot_decide_is_said_once(count: int, many: str) -> None:
    """Not again for every check of every method; there it is on the methods page."""
    images = several(count)
    run = records.run(METHODS, metrics=(SCORE, RANK), count=count)
    results = tuple(MethodTest("randomization", name, "", (0.2,) * count) for name in METHODS)
    tested = replace(run, evaluation=replace(present(run.evaluation), tests=results))
    evidence = present(evidence_of(tested, images))
    undecided = [check for method in evidence.methods for check in method.checks if check.name == "randomization"]
    assert undecided and all(f"{many} too few, 5 are needed" in check.reason for check in undecided)
    assert [limit for limit in evidence.limits if "too few" in limit] == [
        f"Nothing is ranked: {many} too few for an interval, 5 are needed."
    ]
