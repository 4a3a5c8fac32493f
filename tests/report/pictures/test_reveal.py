"""The picture that is sharp where a map is high."""

from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from cnnvis_report.report.pictures.image_layers import BLURS, reveal


@pytest.mark.parametrize("shape", [(30, 40, 3), (30, 40)])
def test_the_focus_picture_is_sharp_where_it_matters(shape: Any) -> None:
    picture = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    assert np.array_equal(reveal(picture, np.ones(shape[:2], np.float32)), picture)
    softest = np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(BLURS[-1] * 40)))
    assert np.array_equal(reveal(picture, np.zeros(shape[:2], np.float32)), softest)
    importance = np.linspace(0, 1, 40, dtype=np.float32)[None].repeat(30, 0)
    found = reveal(picture, importance).astype(int)
    levels = [np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(share * 40))) for share in BLURS]
    for column in range(40):
        depth = (1 - float(importance[0, column])) * 4
        low = min(3, int(depth))
        expected = levels[low][:, column] * (1 - (depth - low)) + levels[low + 1][:, column] * (depth - low)
        assert np.abs(found[:, column] - expected).max() <= 0.51
