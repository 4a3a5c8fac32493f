"""Structural similarity, window by window and against a peer."""

import math
from typing import Any

import numpy as np
import pytest

from cnnvis_report.errors import BadRequest
from cnnvis_report.evaluation.similarity import ssim
from tests.evaluation.replicas import drawn_map

pytestmark = pytest.mark.numeric


def slow_ssim(first: Any, second: Any) -> Any:
    a, b = first / np.abs(first).max(), second / np.abs(second).max()
    spread = max(a.max(), b.max()) - min(a.min(), b.min())
    c1, c2 = (0.01 * spread) ** 2, (0.03 * spread) ** 2
    weights = np.array([[math.exp(-(y * y + x * x) / 4.5) for x in range(-5, 6)] for y in range(-5, 6)])
    weights /= weights.sum()
    found = []
    for y in range(a.shape[0] - 10):
        for x in range(a.shape[1] - 10):
            p, q = a[y : y + 11, x : x + 11], b[y : y + 11, x : x + 11]
            m, n = (weights * p).sum(), (weights * q).sum()
            v, w = (weights * (p - m) ** 2).sum(), (weights * (q - n) ** 2).sum()
            c = (weights * (p - m) * (q - n)).sum()
            found.append((2 * m * n + c1) * (2 * c + c2) / ((m * m + n * n + c1) * (v + w + c2)))
    return sum(found) / len(found)


def test_ssim_equals_the_replica() -> None:
    for seed in range(3):
        a, b = drawn_map(13, 15, seed=seed), drawn_map(13, 15, seed=seed + 50)
        for first, second in ((a, b), (a, a + b / 3), (np.abs(a), np.abs(a + b / 3)), (a, -a)):
            expected = slow_ssim(first.astype(np.float64), second.astype(np.float64))
            assert ssim(first, second) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_ssim_equals_a_peer_of_its_filter() -> None:
    ndimage = pytest.importorskip("scipy.ndimage")
    a, b = drawn_map(40, 33).astype(np.float64), drawn_map(40, 33, seed=1).astype(np.float64)
    b += a
    found = ssim(a, b)
    a, b = a / np.abs(a).max(), b / np.abs(b).max()
    spread = max(a.max(), b.max()) - min(a.min(), b.min())

    def smooth(values: Any) -> Any:
        return ndimage.gaussian_filter(values, 1.5, truncate=3.5)[5:-5, 5:-5]

    m, n = smooth(a), smooth(b)
    v, w, c = smooth(a * a) - m * m, smooth(b * b) - n * n, smooth(a * b) - m * n
    c1, c2 = (0.01 * spread) ** 2, (0.03 * spread) ** 2
    expected = (2 * m * n + c1) * (2 * c + c2) / ((m * m + n * n + c1) * (v + w + c2))
    assert found == pytest.approx(expected.mean(), rel=1e-9)


def test_ssim_by_hand_and_its_invariances() -> None:
    a, b = drawn_map(12, 30), drawn_map(12, 30, seed=1)
    assert ssim(a, a) == 1
    assert ssim(a, b) == pytest.approx(ssim(b, a), rel=1e-12)
    assert ssim(4 * a, b / 2) == pytest.approx(ssim(a, b), rel=1e-12), "units don't matter"
    assert 0.9 < ssim(a, a + b / 10) < 1
    assert ssim(a + 5, 5 - a) < 0 < ssim(a, -a), "against one another, unless the means are too"
    level = np.full((12, 12), 3, dtype=np.float32)
    assert ssim(level, 2 * level) == ssim(0 * level, 0 * level) == 1
    c1 = (0.01 * 2) ** 2  # 1 and -1 everywhere: no variance, so the luminance term alone
    assert ssim(level, -level) == pytest.approx((-2 + c1) / (2 + c1))
    with pytest.raises(BadRequest, match="10×12 and 10×12"):
        ssim(a[:10, :12], b[:10, :12])
    with pytest.raises(BadRequest, match="12×30 and 12×29"):
        ssim(a, b[:, :29])
