"""A comparison made of numbers, with names that strangers might give."""

from dataclasses import replace

from cnnvis_report.records.compared_images import ComparedImage, ComparedPrediction, Flip, TargetSource
from cnnvis_report.records.comparison import (
    ComparedClass,
    ComparedMethod,
    ComparedRun,
    Comparison,
    ComparisonFinding,
    Median,
    PairedAccuracy,
)
from cnnvis_report.records.evidence import Interval
from cnnvis_report.records.scores import ScoreKind
from tests.evidence.records import SCORE, info

HOSTILE = (
    "@team <img src=x onerror=alert(1)> | [click](javascript:alert(2)) ![x](https://evil.example/x.png) #12 `a` $x$"
)


def share(mean: float) -> Interval:
    return Interval(mean, mean - 0.1, mean + 0.1, 10)


def run(name: str, accuracy: float, gain: float) -> ComparedRun:
    return ComparedRun(
        name=name,
        title="",
        network="net",
        images=12,
        fingerprint="0" * 32,
        kind=ScoreKind.SOFTMAX,
        accuracy=share(accuracy),
        calibration_error=0.5 - accuracy / 4,
        brier_score=0.25,
        faithfulness=SCORE.name,
        measures={SCORE.name: {"cam": share(gain)}},
    )


def image(number: int, flips: tuple[Flip, ...], name: str = "") -> ComparedImage:
    right = [True, *(flip is not Flip.BROKEN for flip in flips)]
    return ComparedImage(
        id=f"image-{number}",
        ids=(f"image-{number}",) * len(right),
        name=name or f"{number}.png",
        label="cat",
        predictions=tuple(ComparedPrediction("cat" if correct else "dog", 0.75, correct) for correct in right),
        flips=flips,
        target_source=TargetSource.LABEL,
        targets=("cat",) * len(right),
        movement=tuple(number / 10 for _ in flips),
    )


def pair(fixed: int, broken: int) -> PairedAccuracy:
    return PairedAccuracy(10, Interval((fixed - broken) / 10, -0.4, 0.1, 10), fixed, broken, 0.25, broken + fixed)


def method(*moved: float) -> ComparedMethod:
    return ComparedMethod(
        key="cam",
        info=info("cam"),
        layers=("layer",) * (len(moved) + 1),
        moved=tuple(Median(median, median - 0.1, median + 0.1, 10) for median in moved),
        mask_energy=tuple(share(0.8 - 0.2 * number) for number in range(len(moved) + 1)),
        mask_energy_difference=tuple(share(-0.2 * (number + 1)) for number in range(len(moved))),
        measure_differences={SCORE.name: tuple(share(-0.25) for _ in moved)},
    )


PAIR = Comparison(
    title=f"Old and new {HOSTILE}",
    runs=(run("old", 0.9, 0.5), run(HOSTILE, 0.7, 0.25)),
    paired=(pair(0, 2),),
    images=(image(1, (Flip.BROKEN,), HOSTILE), image(2, (Flip.BROKEN,)), image(3, (Flip.RIGHT,))),
    classes=(ComparedClass("cat", 8, (8, 6), (0,), (2,)), ComparedClass(HOSTILE, 2, (1, 1), (0,), (0,))),
    methods=(method(0.3), replace(method(1.0), key="random", info=info("random"))),
    movement=(Median(0.3, 0.2, 0.4, 10),),
    metrics=(SCORE,),
    findings=(ComparisonFinding("Accuracy", f"fell on {HOSTILE}"),),
    notices=(f"Only old has {HOSTILE}",),
)
THREE = replace(
    PAIR,
    runs=(run("old", 0.9, 0.5), run("b", 0.7, 0.25), run("c", 0.8, 0.4)),
    paired=(pair(0, 2), pair(1, 2)),
    images=(image(1, (Flip.BROKEN, Flip.RIGHT)),),
    classes=(ComparedClass("cat", 8, (8, 6, 7), (0, 1), (2, 2)),),
    methods=(method(0.3, 0.1),),
    movement=(Median(0.3, 0.2, 0.4, 10), None),
)
