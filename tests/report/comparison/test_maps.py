"""Maps of two networks are laid on one scale and one grid before they are subtracted."""

from dataclasses import replace

import numpy as np
import pytest

from cnnvis_report.records.comparison import ComparedMethod
from cnnvis_report.records.methods import Kind, Reduction, Sign
from cnnvis_report.report.comparison.maps import difference_of, scaled_maps
from cnnvis_report.report.pictures.palettes import limit
from tests.report.comparison.planted import METHODS, values

CAM, GRADIENT = (ComparedMethod(method.name, method, ("", "")) for method in METHODS)


@pytest.mark.parametrize("method", [CAM, GRADIENT], ids=["layer", "pixels"])
def test_a_network_with_larger_logits_has_the_same_map(method: ComparedMethod) -> None:
    shape = (4, 4) if method is CAM else (3, 16, 16)
    array = values(0, 1, shape, positive=method is CAM)
    one, other = scaled_maps(method, ("k", "k"), [{"k": array}, {"k": 7 * array}])
    assert one is not None and other is not None
    np.testing.assert_allclose(one, other, rtol=1e-5)
    assert limit(one, clipped=method.info.kind is Kind.PIXEL) == pytest.approx(1)


def test_maps_of_two_sizes_meet_at_the_larger_one_and_stay_positive() -> None:
    small, large = values(0, 1, (4, 4)), values(0, 2, (7, 5))
    one, other = scaled_maps(CAM, ("k", "k"), [{"k": small}, {"k": large}])
    assert one is not None and other is not None and one.shape == other.shape == (7, 5)
    assert one.min() >= 0
    np.testing.assert_array_equal(other, large / large.max())


def test_a_map_that_a_run_lacks_is_none() -> None:
    array = values(0, 1, (4, 4))
    one, other = scaled_maps(CAM, ("k", ""), [{"k": array}, {}])
    assert one is not None and other is None


def test_a_map_of_zeros_stays_one() -> None:
    (zeros,) = scaled_maps(CAM, ("k",), [{"k": np.zeros((4, 4), np.float32)}])
    assert zeros is not None and not zeros.any()


def test_a_difference_is_signed_whatever_the_method_is() -> None:
    method = difference_of(replace(CAM.info, reduction=Reduction.ABS_MAX))
    assert method.shown_sign is Sign.SIGNED and method.kind is Kind.LAYER
