"""Pictures as spectra or pixels, and how they are moved about: the parts against their definitions."""

from math import atan2, cos, degrees, hypot, pi

import pytest
import torch

from cnnvis_report.inspection import parametrization
from cnnvis_report.inspection.parametrization import FourierPictures
from tests.inspection.conftest import source

pytestmark = [pytest.mark.numeric, pytest.mark.usefixtures("one_thread")]


@pytest.mark.parametrize(("height", "width"), [(6, 8), (5, 7), (4, 5)], ids=["even", "odd", "even and odd"])
def test_a_spectrum_is_a_sum_of_cosines(height: int, width: int) -> None:
    z = torch.randn(1, 1, height, width // 2 + 1, 2, generator=source(), dtype=torch.float64)
    actual = torch.logit(FourierPictures(z, width).pictures())[0, 0]
    expected = torch.zeros(height, width, dtype=torch.float64)
    for u in range(height):
        for v in range(width // 2 + 1):
            cycles = max(hypot(min(u, height - u) / height, v / width), 1 / max(height, width))
            twice = 1 if v == 0 or 2 * v == width else 2  # the other half of a real picture's spectrum
            size = parametrization.CONTRAST / cycles * twice / (height * width) ** 0.5
            re, im = z[0, 0, u, v].tolist()
            for y in range(height):
                for x in range(width):
                    turn = 2 * pi * (u * y / height + v * x / width)
                    expected[y, x] += size * (re * cos(turn) + im * cos(turn + pi / 2))
    torch.testing.assert_close(actual, expected, rtol=1e-9, atol=1e-9)


def test_colors_are_orthogonal_with_the_spreads_that_are_stated() -> None:
    basis = parametrization.color_basis(3)
    torch.testing.assert_close(basis.T @ basis, torch.tensor(parametrization.COLOUR_SPREADS).double().square().diag())
    luminance, red_blue, green = basis.T
    assert luminance[0] == luminance[1] == luminance[2] > 0
    assert red_blue[0] == -red_blue[2] > 0 and red_blue[1] == 0
    assert green[1] > 0 and torch.allclose(green[[0, 2]], -green[1] / 2)
    for channels in (1, 4):
        assert torch.equal(parametrization.color_basis(channels), torch.eye(channels).double())
    # which way round the matrix is used: a spectrum in the first color alone is gray
    z = torch.zeros(1, 3, 6, 4, 2, dtype=torch.float64)
    z[:, 0] = 1
    shown = FourierPictures(z, 6).pictures()[0]
    assert torch.allclose(shown[0], shown[1]) and torch.allclose(shown[0], shown[2]) and shown.std() > 0.01


@pytest.mark.parametrize("shape", [(2, 3, 6, 8), (1, 1, 5, 7)], ids=["two of color", "a gray one of odd sides"])
def test_a_picture_survives_its_spectrum(shape: tuple[int, ...]) -> None:
    given = 0.02 + 0.96 * torch.rand(shape, generator=source(), dtype=torch.float64)
    torch.testing.assert_close(FourierPictures.from_pictures(given).pictures(), given)


def test_variation_and_norm_are_what_they_say() -> None:
    given = torch.rand(2, 3, 4, 5, generator=source(), dtype=torch.float64, requires_grad=True)
    variation, norm = [0.0, 0.0], [0.0, 0.0]
    for n in range(2):
        for channel in given[n].tolist():
            for y in range(4):
                for x in range(5):
                    norm[n] += (2 * channel[y][x] - 1) ** 6 / 12
                    variation[n] += (channel[y + 1][x] - channel[y][x]) ** 2 if y < 3 else 0
                    variation[n] += (channel[y][x + 1] - channel[y][x]) ** 2 if x < 4 else 0
    assert parametrization.total_variation(given).tolist() == pytest.approx(variation)
    assert parametrization.sixth_norm(given).tolist() == pytest.approx(norm)
    for cost in (parametrization.total_variation, parametrization.sixth_norm):
        assert torch.autograd.gradcheck(cost, given)


def test_transformations_are_small_turns_and_scalings_the_same_for_all_rows() -> None:
    rows, columns = torch.meshgrid(torch.arange(48.0).double(), torch.arange(64.0).double(), indexing="ij")
    ramps = torch.stack([columns, rows]).unsqueeze(0).repeat(2, 1, 1, 1)
    assert torch.allclose(parametrization.transformed(ramps, source(), 0.0), ramps)
    turns, sizes = [], []
    for seed in range(20):
        moved = parametrization.transformed(ramps, source(seed))
        assert torch.equal(moved[0], moved[1])
        x, y = moved[0, :, 12:-12, 12:-12]  # what is mirrored in at the borders aside
        (xx, xy), (yx, yy) = [[d.diff(dim=1).mean().item(), d.diff(dim=0).mean().item()] for d in (x, y)]
        assert x.diff(dim=1).std() < 1e-9 and y.diff(dim=0).std() < 1e-9
        assert xx == pytest.approx(yy) and xy == pytest.approx(-yx)  # a turn and a scale, no shear, at any aspect
        turns.append(degrees(atan2(yx, xx)))
        sizes.append(1 / hypot(xx, yx))
        # the middle stays within the jitters' reach and what the turn makes of them
        middle = (x.mean() - 31.5).abs().item()
        assert middle < 1.6 * 1.15 * parametrization.JITTER * 48
    assert max(map(abs, turns)) <= parametrization.ROTATION and max(turns) > 3 and min(turns) < -3
    assert 1 - parametrization.SCALE <= min(sizes) < 0.96 and 1.04 < max(sizes) <= 1 + parametrization.SCALE


def test_jitter_rolls_all_rows_alike() -> None:
    given = torch.rand(2, 1, 48, 60, generator=source())
    seen = set()
    for seed in range(30):
        moved = parametrization.jittered(given, source(seed))
        shifts = [
            s for s in ((y, x) for y in range(-2, 3) for x in range(-2, 3)) if torch.equal(moved, given.roll(s, (2, 3)))
        ]
        assert len(shifts) == 1
        seen.update(shifts)
    assert len(seen) > 12
    assert torch.equal(parametrization.jittered(given, source(), 0.0), given)
