"""NIfTI volumes: axial slices however they are stored, in the range of their volume."""

import gzip
import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.extras.needs import needs

needs("nibabel")

import nibabel  # noqa: E402
from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform  # noqa: E402

from cnnvis_report.data.decoding.decode import open_picture  # noqa: E402
from cnnvis_report.data.decoding.upright_picture import READING  # noqa: E402
from cnnvis_report.data.image_set import find_images, labeled  # noqa: E402
from cnnvis_report.data.pixels import UnusablePicture  # noqa: E402
from cnnvis_report.data.preprocessing.prepare import prepare  # noqa: E402
from cnnvis_report.data.preprocessing.preprocessing import NO_LEVELS, Levels, Preprocessing  # noqa: E402
from tests.data.deep_files import difference, network_input  # noqa: E402
from tests.extras.no_metadata import secrets_told  # noqa: E402
from tests.picture_reading import opened_bytes, read_picture  # noqa: E402
from tests.pictures_with_metadata import TEXT  # noqa: E402

Array = npt.NDArray[Any]
RAS = np.random.default_rng(0).integers(0, 1000, (5, 6, 7)).astype(np.int16)  # to the right, to the front, up
SPACING = np.diag([2.0, 2.0, 3.0, 1.0])


def file(values: Array = RAS, affine: Any = SPACING, *, packed: bool = False, **header: Any) -> io.BytesIO:
    return content_of(nibabel.Nifti1Image(values, affine), packed=packed, **header)


def content_of(image: Any, *, packed: bool = False, **header: Any) -> io.BytesIO:
    for name, value in header.items():
        image.header[name] = value
    content = image.to_bytes()
    return io.BytesIO(gzip.compress(content) if packed else content)


def shown(content: io.BytesIO, page: int = 0, levels: Levels = NO_LEVELS, ending: str = "") -> tuple[Array, str]:
    picture = read_picture(content, page, levels, ending)
    return np.asarray(picture).astype(int), picture.info.get(READING, "")


def axial(values: Array, index: int) -> Array:
    """A pixel at a time: rows from front to back, columns from right to left."""
    rows = [[values[x, y, index] for x in reversed(range(values.shape[0]))] for y in reversed(range(values.shape[1]))]
    return np.array(rows, float)


def between(values: Array, low: float, high: float) -> Array:
    return np.clip(np.rint((values - low) * (255 / (high - low))), 0, 255)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize("codes", ["RAS", "LPS", "LAS", "PSR", "IAL", "SRP"])
def test_slices_are_axial_however_the_volume_is_stored(codes: str, packed: bool) -> None:
    image = nibabel.Nifti1Image(RAS, SPACING)
    turned = image.as_reoriented(ornt_transform(io_orientation(SPACING), axcodes2ornt(tuple(codes))))
    content = content_of(turned, packed=packed)
    for page in range(7):
        pixels, reading = shown(content, page, ending=".nii.gz" if packed else "")
        np.testing.assert_array_equal(pixels, between(axial(RAS, page), RAS.min(), RAS.max()))
        lies = f"axial slice {page + 1} of 7, in front up and the patient's right on the left"
        assert reading == f"{lies}; values from {RAS.min()} (black) to {RAS.max()} (white), the range of its volume"


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i4", "f4", "f8", ">i2", ">f4"])
def test_numbers_of_all_kinds(dtype: str) -> None:
    values = (RAS // 8).astype(dtype)
    pixels, _ = shown(file(values), 3)
    np.testing.assert_array_equal(pixels, between(axial(values, 3), int(values.min()), int(values.max())))


def test_a_slope_is_applied_and_cal_min_and_cal_max_are_the_range() -> None:
    content = bytearray(file().getvalue())
    content[112:120] = np.array([2, -1024], "<f4").tobytes()
    pixels, reading = shown(io.BytesIO(bytes(content)), 2)
    scaled = RAS * 2.0 - 1024
    np.testing.assert_array_equal(pixels, between(axial(scaled, 2), scaled.min(), scaled.max()))
    content[124:132] = np.array([240, -160], "<f4").tobytes()
    pixels, reading = shown(io.BytesIO(bytes(content)), 2)
    np.testing.assert_array_equal(pixels, between(axial(scaled, 2), -160, 240))
    assert reading.endswith("values from -160 (black) to 240 (white), cal_min and cal_max of the file")
    pixels, _ = shown(io.BytesIO(bytes(content)), 2, Levels(range=(0, 100)))
    np.testing.assert_array_equal(pixels, between(axial(scaled, 2), 0, 100))


def test_a_header_that_says_no_orientation_gives_the_third_axis() -> None:
    pixels, reading = shown(file(affine=None), 1)
    np.testing.assert_array_equal(pixels, between(axial(RAS[::-1], 1), RAS.min(), RAS.max()))
    assert reading.startswith("slice 2 of 7 along its third axis, as the header doesn't say how it lies")


def test_pixels_that_are_not_square_are_said() -> None:
    assert "right on the left, 2×4 mm a pixel;" in shown(file(affine=np.diag([2, 4, 3, 1])))[1]


def test_values_that_are_not_numbers_are_black() -> None:
    values = RAS.astype("f4")
    values[0, 0, 0], values[4, 5, 0] = np.nan, np.inf
    pixels, _ = shown(file(values))
    expected = between(axial(np.where(np.isfinite(values), values, 0), 0), *np.nanquantile(RAS, [0, 1]))
    assert pixels[-1, -1] == 0 == pixels[0, 0]
    np.testing.assert_array_equal(pixels[1:-1], expected[1:-1])


def test_volumes_follow_each_other(tmp_path: Path) -> None:
    image = nibabel.Nifti2Image(np.stack([RAS, RAS * 2], 3), SPACING)
    (tmp_path / "brain.nii.gz").write_bytes(gzip.compress(image.to_bytes()))
    found = find_images([tmp_path])
    assert [found[0].name, found[13].name] == ["brain.nii.gz slice 1", "brain.nii.gz slice 14"]
    assert found.notices == ("1 file has 14 slices, each of which is an image of its own: brain.nii.gz.",)
    picture = opened_bytes(labeled(found, ()).items[9])
    np.testing.assert_array_equal(picture, between(axial(RAS * 2, 2), 2 * RAS.min(), 2 * RAS.max()))


def test_colors_are_colors() -> None:
    values = np.zeros((5, 6, 7), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    values["R"], values["G"] = 9, 200
    pixels, _ = shown(file(values), 3)
    assert pixels.shape == (6, 5, 3) and (pixels == (9, 200, 0)).all()


def shorter() -> io.BytesIO:
    return io.BytesIO(file().getvalue()[:-1])


def with_sides(*sides: int) -> io.BytesIO:
    """A file whose header says other sides than it has."""
    content = bytearray(file().getvalue())
    content[40:48] = np.array([3, *sides], "<i2").tobytes()
    return io.BytesIO(bytes(content))


def bomb() -> io.BytesIO:
    """A few bytes that say a volume of 400 MB, and inflate to less."""
    return io.BytesIO(gzip.compress(with_sides(800, 800, 320).getvalue() + bytes(50_000_000)))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(shorter, "^cut short$", id="cut"),
        pytest.param(bomb, "^cut short$", id="says-more"),
        pytest.param(lambda: file(RAS.astype(np.complex64)), "its values are complex64; whole and", id="complex"),
        pytest.param(lambda: file(np.full((2, 2, 2), np.nan)), "gray values that aren't finite", id="nothing"),
        pytest.param(lambda: io.BytesIO(bytes(400)), "not a NIfTI file", id="no-header"),
        pytest.param(lambda: with_sides(2000, 2000, 2000), "at most 512 MB are read", id="large"),
    ],
)
def test_what_is_no_volume_is_one_line(content: Any, reason: str) -> None:
    with pytest.raises(UnusablePicture, match=reason):
        read_picture(content(), ending=".nii")


def test_no_report_tells_what_the_header_says(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(RAS[..., :1], SPACING)
    image.header["descrip"] = image.header["aux_file"] = image.header["intent_name"] = TEXT[:16]
    image.header["descrip"] = TEXT
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension(6, TEXT))
    assert secrets_told(image.to_bytes(), "brain.nii", tmp_path) == []


def test_the_network_reads_a_slice_without_steps() -> None:
    volume = np.random.default_rng(1).normal(0, 300, (30, 40, 3)).astype(np.float32)
    shares = (axial(volume, 1) - volume.min()) / (volume.max().astype(float) - volume.min())
    preprocessing = Preprocessing((0.5,) * 3, (0.25,) * 3, resize=24, crop=(20, 20))
    found = prepare(open_picture(file(volume), 1), preprocessing)
    assert difference(found.values, network_input(shares, preprocessing)) < 4e-6
