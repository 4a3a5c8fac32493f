"""Differences of measures are of the same images, with the interval of paired values."""

import numpy as np
import pytest

from cnnvis_report.comparison.measures import MeasureDifferences
from cnnvis_report.evidence.statistics import Bootstrap
from cnnvis_report.records.comparison import ComparedMethod
from tests.evidence.records import SCORE, image, info
from tests.narrow import present

METHOD = ComparedMethod("cam", info("cam"), ("", ""))


def test_they_are_those_of_images_that_both_runs_measured() -> None:
    generator = np.random.default_rng(0)
    first, later = generator.normal(size=40), generator.normal(size=40)
    later += 0.9 * first  # what images have in common falls out of a paired difference
    differences = MeasureDifferences([SCORE], [METHOD], 2)
    for number, (before, after) in enumerate(zip(first, later, strict=True)):
        reason = {"gain": "tells nothing"} if number == 3 else {}
        old = image(number, ["cam"], {"gain": [None if number == 5 else before]})
        differences.add([old, image(number, ["cam"], {"gain": [after]}, blind=reason)])
    (interval,) = differences.result()["cam"]["gain"]
    both = np.delete(later - first, [3, 5])
    assert present(interval) == Bootstrap().interval(list(both)) and present(interval).images == 38
    assert present(interval).mean == pytest.approx(both.mean())


def test_without_a_common_image_nothing_is_said() -> None:
    differences = MeasureDifferences([SCORE], [METHOD], 2)
    assert differences.result() == {}
    differences.add([image(0, ["cam"], {"gain": [None]}), image(0, ["cam"], {"gain": [1.0]})])
    assert differences.result() == {"cam": {}}
