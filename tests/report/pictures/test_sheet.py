"""Pictures side by side: at one scale, in whole steps, none smaller than it is."""

import io

import numpy as np
import pytest
from PIL import Image

from cnnvis_report.report.pictures.sheet import cell_of, sheet, sheet_size


def opened(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)


@pytest.mark.parametrize(
    ("longest", "cell"), [(1, 112), (8, 112), (23, 115), (63, 126), (112, 112), (207, 207), (400, 400)]
)
def test_a_cell_holds_whole_pixels_and_shrinks_nothing(longest: int, cell: int) -> None:
    assert cell_of(longest) == cell and cell % longest == 0


def test_all_pictures_of_a_sheet_have_one_scale() -> None:
    large = np.full((40, 40, 3), 250, np.uint8)
    small = np.full((20, 10), 5, np.uint8)
    drawn = opened(sheet([[large, small], [small, large]]))
    assert drawn.shape[1::-1] == sheet_size(2, 2, 120) == (242, 242)
    assert np.abs(drawn[60, 10:110] - 250).max() < 8, "whole"
    dark = (np.abs(drawn[:, :, 0] - 5) < 40)[:120, 122:]
    rows, columns = np.nonzero(dark)
    assert np.ptp(rows) + 1 == pytest.approx(60, abs=2) and np.ptp(columns) + 1 == pytest.approx(30, abs=2)
    assert (rows.min() + rows.max()) / 2 == pytest.approx(59.5, abs=2), "in the middle of its cell"


def test_a_sheet_of_a_fixed_cell_shrinks_what_is_larger() -> None:
    drawn = opened(sheet([[np.zeros((100, 50, 3), np.uint8)] * 3], 72))
    assert drawn.shape[:2] == (72, 220)
