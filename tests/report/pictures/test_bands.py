"""A run of a network of other bands than gray and color: what the folder, the plan and the pages say of them."""

import re
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnvis_report.records.bands import ShownBands
from cnnvis_report.records.methods import Kind, Sign
from cnnvis_report.report.pictures.bands import band_shares
from cnnvis_report.report.pictures.palettes import colors, limit
from cnnvis_report.report.pictures.resample import Growth, resize
from cnnvis_report.store import load_run
from tests.conftest import command

RUN = ("run", "tests.factories:seven_bands", "--device", "cpu", "--metrics", "none")
METHODS = "gradient,saliency,guided_backprop,grad_cam"


def tiles(folder: Path, bands: int = 7) -> Path:
    folder.mkdir()
    for number in range(2):
        values = np.random.default_rng(number).integers(0, 4096, (bands, 30, 26), "u2", endpoint=True)
        np.save(folder / f"{number}.npy", values)
    return folder


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bands")
    more = ("-m", METHODS, "--inspect", "quick", "--rgb", "6,2,5", "-o", folder / "r")
    command(*RUN, tiles(folder / "tiles"), *more)
    return folder / "r"


def text(page: Path) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.read_text(encoding="utf-8"))).split())


def test_the_folder_keeps_every_band_of_the_maps_whose_bands_are_shown(report: Path) -> None:
    stored = load_run(report)
    assert stored.record.network.channels == 7
    assert stored.record.network.bands == ShownBands((6, 2, 5), stretched=True)
    for image in stored.images():
        arrays = stored.maps(image)
        assert arrays["picture"].shape == (24, 24, 3)
        pixel = [record for record in image.maps if stored.record.method(record.method).kind is Kind.PIXEL]
        first = {record.key for record in pixel if record.target == image.targets[0].index}
        assert {arrays[key].shape for key in first} == {(7, 24, 24)}
        assert {arrays[record.key].shape for record in pixel if record.key not in first} <= {(24, 24)}


def test_the_picture_is_that_of_the_chosen_bands(report: Path) -> None:
    image = next(load_run(report).images())
    shown = load_run(report).maps(image)["picture"]
    stored = np.load(report.parent / "tiles" / image.name).astype(np.float32)
    for channel, band in enumerate((6, 2, 5)):
        small = Image.fromarray(stored[band - 1]).resize((24, 24), Image.Resampling.BILINEAR)
        low, high = np.percentile(np.asarray(small), (2, 98))
        expected = np.clip((np.asarray(small) - low) / (high - low), 0, 1) * 255
        np.testing.assert_allclose(shown[..., channel], expected, atol=0.6)


def test_the_page_of_an_image_shows_each_band(report: Path) -> None:
    stored = load_run(report)
    image = next(stored.images())
    page = report / "images" / f"{image.id}.html"
    words = text(page)
    assert (
        "Of 7 bands, the picture shows bands 6, 2, 5 as red, green and blue, each from its 2nd to its 98th percentile."
    ) in words
    assert "sum over the bands" in words and "color channel" not in words
    html = page.read_text(encoding="utf-8")
    assert html.count('class="band-row"') == 3, "one for each method of pixels"
    assert html.count('class="band"') == 3 * 8, "all together, and seven bands"
    for method in ("gradient", "saliency", "guided_backprop"):
        (address,) = re.findall(rf"url\('([^']+/bands-{method}\.webp)'\)", html)
        with Image.open(page.parent / address) as sheet:
            assert sheet.size == (8 * 112, 112)
        record = next(record for record in image.maps if record.method == method)
        shares = band_shares(stored.maps(image)[record.key].astype(np.float32))
        assert sum(shares) == pytest.approx(1)


def test_the_sheet_has_the_bands_in_order_on_one_scale(report: Path) -> None:
    stored = load_run(report)
    image = next(stored.images())
    record = next(record for record in image.maps if record.method == "saliency")
    values = stored.maps(image)[record.key].astype(np.float32)
    with Image.open(report / "stills" / "inspection" / image.id / "bands-saliency.webp") as sheet:
        cells = np.asarray(sheet.convert("RGB")).astype(np.float64).reshape(112, 8, 112, 3)
    end = limit(values, clipped=True)
    expected = [resize(colors(band, end, Sign.POSITIVE).astype(float), (112, 112), Growth.NEAREST) for band in values]
    for index in range(7):
        distances = [float(np.abs(cells[:, index + 1] - other).mean()) for other in expected]
        assert np.argmin(distances) == index and distances[index] < min(np.delete(distances, index)) / 2


def test_the_plan_says_what_is_assumed(tmp_path: Path) -> None:
    options = ("-m", "gradient", "--inspect", "none", "-o", tmp_path / "r")
    result = command(*RUN, tiles(tmp_path / "tiles"), *options)
    assert "Of 7 bands, pages show bands 1, 2, 3 as red, green and blue; --rgb chooses others." in result.output
    assert "Nothing says how the 7 bands are normalized" in result.output and "take 7 numbers each" in result.output
    numbers = ",".join(["0.5"] * 7)
    options = ("-m", "gradient", "--inspect", "none", "-o", tmp_path / "s")
    given = ("--mean", numbers, "--std", numbers, "--range", "0,4095", "--rgb", "7")
    result = command(*RUN, tmp_path / "tiles", *options, *given)
    assert "--rgb chooses others" not in result.output and "are normalized" not in result.output
    assert load_run(tmp_path / "s").record.network.bands == ShownBands((7,))
    assert "the picture shows band 7 as gray." in text(next((tmp_path / "s" / "images").iterdir()))


@pytest.mark.parametrize("bands", ["0,1,2", "1,2", "1,2,8", "1.5", "a", "1,2,3,4"])
def test_bands_that_there_are_not_are_one_line(bands: str, tmp_path: Path) -> None:
    tiles(tmp_path / "tiles")
    result = command(*RUN, tmp_path / "tiles", "--rgb", bands, "-o", tmp_path / "r", code=2)
    assert "--rgb" in result.output and not (tmp_path / "r").exists()


def test_transparent_pictures_are_four_bands_and_others_are_skipped(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    values = np.random.default_rng(0).integers(0, 255, (24, 24, 4), "u1")
    Image.fromarray(values).save(tmp_path / "images" / "a.png")
    Image.fromarray(values[..., :3]).save(tmp_path / "images" / "b.png")
    run = ("run", "tests.factories:four_bands", "--device", "cpu", "--metrics", "none", "--inspect", "none")
    result = command(*run, tmp_path / "images", "-m", "gradient", "-o", tmp_path / "r", "--strict", code=3)
    assert "b.png: it has 3 bands, and the network reads 4" in result.output
    stored = load_run(tmp_path / "r")
    (image,) = stored.images()
    assert np.array_equal(stored.maps(image)["picture"], values[..., :3]), "8 bits are shown as they are"
    html = (tmp_path / "r" / "index.html").read_text(encoding="utf-8")
    (address,) = re.findall(r"url\('([^']+/bands-gradient\.webp)'\)", html)
    assert (tmp_path / "r" / address).is_file(), "the overview of one image is its page"


def test_one_file_holds_the_bands(report: Path, tmp_path: Path) -> None:
    command(*RUN, report.parent / "tiles", "-m", "gradient", "--inspect", "none", "--single-file", "-o", tmp_path / "r")
    html = (tmp_path / "r" / "index.html").read_text(encoding="utf-8")
    assert html.count("background-image: url('data:image/webp;base64,") == 2
