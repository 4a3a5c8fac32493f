"""What is inside in pictures that people call masks, as programs write them, and which of them say nothing."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from cnnvis_report.data import pixels
from cnnvis_report.data.batches import DecodedImage, read_item
from cnnvis_report.data.decoding.decode import open_mask
from cnnvis_report.data.decoding.upright_picture import NOTE
from cnnvis_report.data.image_set import find_images, labeled
from cnnvis_report.data.masks.foreground import inside_of
from cnnvis_report.data.pixels import UnusablePicture
from cnnvis_report.data.preprocessing.preprocessing import Preprocessing

SIDE = 40
DISK = np.hypot(*(np.mgrid[:SIDE, :SIDE] - 20)) < 11
BOX = np.zeros((SIDE, SIDE), dtype=bool)
BOX[2:8, 2:12] = True


def photograph() -> Image.Image:
    noise = np.random.default_rng(0).integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8)
    return Image.fromarray(noise)


def gray(background: int = 0, disk: int = 255, box: int = 0, dtype: type[np.generic] = np.uint8) -> Image.Image:
    values: np.ndarray = np.full((SIDE, SIDE), background, dtype=dtype)
    values[DISK], values[BOX] = disk, box
    return Image.fromarray(values)


def palette(void: bool = True) -> Image.Image:
    """As in Pascal VOC: class 1 is dark red, and the border 255 light."""
    picture = Image.fromarray(np.uint8(DISK), mode="P")
    colors = [0, 0, 0, 128, 0, 0] + [0] * 756 + [224, 224, 192]
    picture.putpalette([*colors[: 3 * 255], 224, 224, 192])
    if void:
        ImageDraw.Draw(picture).rectangle((0, 36, 39, 39), fill=255)
    return picture


def colored(background: tuple[int, int, int] = (0, 0, 0)) -> Image.Image:
    values = np.full((SIDE, SIDE, 3), background, dtype=np.uint8)
    values[DISK] = (0, 0, 70)
    return Image.fromarray(values)


def cut_out(picture: Image.Image) -> Image.Image:
    whole = picture.convert("RGB")
    whole.putalpha(Image.fromarray(np.uint8(255) * DISK))
    return whole


def soft() -> Image.Image:
    big = Image.fromarray(np.uint8(255) * DISK).resize((4 * SIDE, 4 * SIDE), Image.Resampling.NEAREST)
    return big.filter(ImageFilter.GaussianBlur(2)).resize((SIDE, SIDE), Image.Resampling.BOX)


def opened(picture: Image.Image, form: str = "png") -> tuple[np.ndarray, str]:
    file = BytesIO()
    picture.save(file, format=form, **({"quality": 90} if form == "jpeg" else {}))
    file.seek(0)
    mask = open_mask(file, f".{form}")
    assert mask.mode == "L" and set(np.unique(np.asarray(mask))) <= {0, 255}
    return np.asarray(mask) > 0, str(mask.info.get(NOTE, ""))


@pytest.mark.parametrize(
    ("picture", "note"),
    [
        pytest.param(gray(), "", id="0 and 255"),
        pytest.param(gray(disk=1), "", id="0 and 1"),
        pytest.param(Image.fromarray(DISK), "", id="one bit"),
        pytest.param(gray().convert("RGB"), "", id="gray written as color"),
        pytest.param(gray(disk=40_000, dtype=np.uint16), "", id="16 bits"),
        pytest.param(gray(disk=1, dtype=np.uint16), "", id="16 bits of 0 and 1"),
        pytest.param(soft(), "", id="soft edges"),
        pytest.param(palette(), "colored", id="Pascal VOC's palette, border and all"),
        pytest.param(palette(void=False), "colored", id="a palette"),
        pytest.param(colored(), "colored", id="dark blue on black"),
        pytest.param(cut_out(photograph()), "transparent", id="a photograph cut out"),
        pytest.param(cut_out(Image.new("RGB", (SIDE, SIDE), "white")), "transparent", id="white on nothing"),
        pytest.param(cut_out(Image.new("RGB", (SIDE, SIDE), "black")), "transparent", id="black on nothing"),
    ],
)
def test_the_disk_is_inside(picture: Image.Image, note: str) -> None:
    inside, said = opened(picture)
    assert (inside == DISK).mean() > (0.99 if note == "" else 1 - 1e-9)
    assert note in said and bool(said) == bool(note)


@pytest.mark.parametrize(
    "picture", [gray(disk=15, box=2), gray(disk=2, box=15), gray(disk=300, box=7, dtype=np.uint16)]
)
def test_all_labels_of_a_map_of_labels_are_inside_and_it_says_so(picture: Image.Image) -> None:
    inside, said = opened(picture)
    assert np.array_equal(inside, DISK | BOX) and "areas of 2 labels (0, " in said and "all but 0" in said


def test_a_map_of_shades_is_cut_at_half_and_says_so() -> None:
    shades = np.linspace(0, 255, SIDE).round().astype(np.uint8)[None].repeat(SIDE, axis=0).repeat(9, axis=1)
    inside, said = opened(Image.fromarray(shades))
    assert np.array_equal(inside, shades > 127) and "above half of the lightest" in said


def test_a_gray_photograph_is_cut_at_half_and_says_so() -> None:
    inside, said = opened(photograph().convert("L"))
    assert 0.1 < inside.mean() < 0.9 and "many shades of gray" in said


@pytest.mark.parametrize("deep", [np.uint16, np.float32])
def test_what_is_opaque_in_a_picture_of_more_bits_is_inside(deep: type[np.generic]) -> None:
    values = np.full((SIDE, SIDE, 4), 40_000, dtype=deep)
    values[..., 3] = 65_535 * DISK
    mask = inside_of(pixels.Pixels.of_array(values))
    assert np.array_equal(np.asarray(mask) > 0, DISK) and "transparent" in mask.info[NOTE]


def test_a_drawing_kept_as_a_jpeg_is_read_as_it_was_drawn() -> None:
    bright = np.zeros((SIDE, SIDE, 3), dtype=np.uint8)
    bright[DISK] = (220, 30, 30)
    border = 70 / SIDE**2  # of the disk, which JPEG blurs
    assert (opened(Image.fromarray(bright), "jpeg")[0] == DISK).mean() > 1 - border
    assert (opened(gray(), "jpeg")[0] == DISK).mean() > 0.98


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        pytest.param(photograph(), "colors of a photograph", id="a photograph"),
        pytest.param(colored((0, 90, 0)), "nowhere black", id="two colors"),
        pytest.param(gray(disk=128, box=255), r"areas of 3 values \(0, 128, 255\)", id="0, 128 and 255"),
        pytest.param(gray(disk=1, box=255), r"areas of 3 values \(0, 1, 255\)", id="a label and a border"),
        pytest.param(gray(2, 1, 3), r"areas of 3 values \(1, 2, 3\)", id="Oxford-IIIT Pet's trimap"),
    ],
)
def test_what_says_nothing_is_refused(picture: Image.Image, reason: str) -> None:
    with pytest.raises(UnusablePicture, match=reason):
        opened(picture)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(value: float) -> None:
    values = DISK.astype(np.float32)
    values[20, 20] = value
    file = BytesIO()
    Image.fromarray(values).save(file, format="tiff")
    file.seek(0)
    with pytest.raises(UnusablePicture, match="aren't finite"):
        open_mask(file, ".tif")


def test_areas_are_counted_by_strips_as_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixels, "AT_A_TIME", 3 * SIDE)
    inside, note = opened(gray(disk=15, box=2))
    assert np.array_equal(inside, DISK | BOX) and "areas of 2 labels" in note
    with pytest.raises(UnusablePicture, match="areas of 3 values"):
        opened(gray(disk=128, box=255))


def test_the_image_itself_is_no_mask_of_it(tmp_path: Path) -> None:
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
        gray(disk=200).save(tmp_path / folder / "same.png")
        palette().save(tmp_path / folder / "other.png")
    palette(void=False).save(tmp_path / "masks" / "other.png")
    items = labeled(find_images([tmp_path / "images"]), ["cat"], masks=tmp_path / "masks")
    results = {item.name: read_item(item, Preprocessing(resize=SIDE, crop=(SIDE, SIDE))) for item in items}
    assert getattr(results["same.png"], "reason", "") == "its mask is the image itself"
    other = results["other.png"]
    assert isinstance(other, DecodedImage) and other.picture.note.startswith("its mask is colored")
    assert other.mask is not None and np.array_equal(other.mask, DISK)
