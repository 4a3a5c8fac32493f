"""HEIC pictures: all their bits, their primary picture, and the way up that their container says."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from tests.extras.needs import needs

needs("pillow_heif")

import pillow_heif  # noqa: E402

from cnnvis_report.data.decoding.upright_picture import NOTE  # noqa: E402
from cnnvis_report.data.image_set import find_images, labeled  # noqa: E402
from cnnvis_report.data.pixels import UnusablePicture  # noqa: E402
from tests.extras.no_metadata import secrets_told  # noqa: E402
from tests.picture_reading import read_picture, stored_values  # noqa: E402
from tests.pictures_with_metadata import XMP, exif  # noqa: E402

Array = npt.NDArray[Any]
RAMP = np.add.outer(np.arange(64), np.arange(48)) * 2


def heic(*pictures: Image.Image | Any, **options: Any) -> bytes:
    first, *others = pictures
    file = first if isinstance(first, pillow_heif.HeifFile) else pillow_heif.from_pillow(first)
    for picture in others:
        file.add_from_pillow(picture)
    content = io.BytesIO()
    file.save(content, quality=90, chroma=444, **options)
    return content.getvalue()


GRAY = Image.fromarray(RAMP.astype(np.uint8))
COLOR = Image.merge("RGB", (GRAY, GRAY.transpose(Image.Transpose.FLIP_TOP_BOTTOM), Image.new("L", GRAY.size, 90)))


def test_colors_are_those_that_were_written() -> None:
    shown = np.asarray(read_picture(io.BytesIO(heic(COLOR)))).astype(int)
    assert shown.shape == (64, 48, 3) and np.abs(shown - np.asarray(COLOR)).mean() < 3


def test_a_transparent_place_is_white() -> None:
    clear = COLOR.copy()
    clear.putalpha(0)
    assert (np.asarray(read_picture(io.BytesIO(heic(clear)))) == 255).all()


def test_ten_bits_are_read(tmp_path: Path) -> None:
    values = np.repeat(np.linspace(0, 65535, 64 * 48).reshape(64, 48, 1), 3, 2).astype(np.uint16)
    path = tmp_path / "IMG_1.HEIC"
    path.write_bytes(heic(pillow_heif.from_bytes("RGB;16", (48, 64), values.tobytes())))
    stored = stored_values(path)
    assert stored is not None and len(np.unique(stored)) > 256
    assert np.abs(stored.astype(int) - values).mean() < 600, "of 65535, after lossy coding"


def test_the_primary_picture_is_the_one_that_is_read(tmp_path: Path) -> None:
    (tmp_path / "burst.heic").write_bytes(heic(COLOR, Image.new("RGB", (32, 32), "red"), primary_index=1))
    (item,) = labeled(find_images([tmp_path]), ())
    picture = item.open()
    assert isinstance(picture, Image.Image) and picture.size == (32, 32)
    assert picture.info[NOTE] == "of its 2 pictures the primary one is read"


def test_a_picture_that_is_turned_by_its_container_and_its_exif_data_is_turned_once() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    options: tuple[dict[str, Any], ...] = ({}, {"exif": exif.tobytes()})
    plain, turned = (np.asarray(read_picture(io.BytesIO(heic(COLOR, **more)))) for more in options)
    assert np.abs(turned.astype(int) - np.rot90(plain, -1).astype(int)).mean() < 3


def test_a_file_without_an_ending_is_told_by_its_first_bytes(tmp_path: Path) -> None:
    (tmp_path / "IMG_1").write_bytes(heic(COLOR))
    assert [image.name for image in find_images([tmp_path])] == ["IMG_1"]


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
def test_a_file_that_is_cut_short_is_one_line(share: float) -> None:
    content = heic(COLOR)
    with pytest.raises(UnusablePicture) as error:
        read_picture(io.BytesIO(content[: int(share * len(content))]), ending=".heic")
    assert "\n" not in str(error.value)


def test_no_report_tells_what_a_picture_says_of_itself(tmp_path: Path) -> None:
    content = heic(COLOR, exif=exif().tobytes(), xmp=XMP)
    assert secrets_told(content, "IMG_1.HEIC", tmp_path) == []
