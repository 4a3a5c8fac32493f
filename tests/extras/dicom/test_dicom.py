"""DICOM files: values of the scanner, the window that goes with them, frames, colors, and files without an image."""

import io
import math
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.extras.needs import needs

needs("pydicom")

from pydicom.dataset import Dataset  # noqa: E402
from pydicom.sequence import Sequence  # noqa: E402
from pydicom.uid import MPEG2MPML, DeflatedExplicitVRLittleEndian, JPEGLSLossless, RLELossless, RTStructureSetStorage  # noqa: E402

from cnnvis_report.data.decoding.decode import open_picture  # noqa: E402
from cnnvis_report.data.decoding.upright_picture import READING  # noqa: E402
from cnnvis_report.data.image_set import find_images, labeled  # noqa: E402
from cnnvis_report.data.pixels import UnusablePicture  # noqa: E402
from cnnvis_report.data.preprocessing.prepare import prepare  # noqa: E402
from cnnvis_report.data.preprocessing.preprocessing import NO_LEVELS, Levels, Preprocessing  # noqa: E402
from cnnvis_report.data.preprocessing.value_range import find_levels  # noqa: E402
from tests.data.deep_files import difference, network_input  # noqa: E402
from tests.extras.dicom.files import dataset, dicom, written  # noqa: E402
from tests.extras.no_metadata import secrets_told  # noqa: E402
from tests.picture_reading import opened_bytes, read_picture  # noqa: E402
from tests.pictures_with_metadata import SECRET  # noqa: E402

Array = npt.NDArray[Any]
RAMP = (np.arange(256, dtype=np.uint16) * 16).reshape(16, 16)


def shown(file: io.BytesIO, page: int = 0, levels: Levels = NO_LEVELS) -> tuple[Array, str]:
    picture = read_picture(file, page, levels)
    return np.asarray(picture).astype(int), picture.info.get(READING, "")


def between(values: Array, low: float, high: float) -> Array:
    """Black at low, white at high, in double precision."""
    return np.clip(np.rint((values.astype(float) - low) * (255 / (high - low))), 0, 255)


@pytest.mark.parametrize(
    ("elements", "expected", "reading"),
    [
        # C.11.2.1.2.1: from c - 0.5 - (w - 1) / 2 to c - 0.5 + (w - 1) / 2
        pytest.param({}, (800, 1199), "values from 800 (black) to 1199 (white), the window of the file", id="linear"),
        pytest.param({"VOILUTFunction": "LINEAR_EXACT"}, (800, 1200), "values from 800 (black) to 1200 (w", id="exact"),
    ],
)
def test_the_window_is_black_and_white(elements: dict[str, Any], expected: tuple[int, int], reading: str) -> None:
    pixels, words = shown(dicom(RAMP, WindowCenter=1000, WindowWidth=400, **elements))
    np.testing.assert_array_equal(pixels, between(RAMP, *expected))
    assert words.startswith(reading)


def test_a_window_is_in_the_values_of_the_scanner() -> None:
    scale: dict[str, Any] = {"RescaleSlope": 2, "RescaleIntercept": -1024}
    pixels, note = shown(dicom(RAMP, WindowCenter=[40.5, 9], WindowWidth=[401, 1], **scale))
    np.testing.assert_array_equal(pixels, between(RAMP * 2.0 - 1024, -160, 240))
    assert note == "values from -160 (black) to 240 (white), the window of the file"


def test_a_sigmoid_is_followed() -> None:
    pixels, note = shown(dicom(RAMP, WindowCenter=1000, WindowWidth=400, VOILUTFunction="SIGMOID"))
    expected = [round(255 / (1 + math.exp(-4 * (value - 1000) / 400))) for value in RAMP.ravel().tolist()]
    assert pixels.ravel().tolist() == expected and "a sigmoid" in note


def test_a_lookup_table_is_followed() -> None:
    table = Dataset()
    table.LUTDescriptor = [4, 100, 12]
    table["LUTDescriptor"].VR = "US"
    table.LUTData = [0, 4095, 1000, 2000]
    table["LUTData"].VR = "US"
    values = np.array([[0, 100, 101], [102, 103, 900]], np.uint16)
    pixels, note = shown(dicom(values, VOILUTSequence=Sequence([table]), WindowCenter=1, WindowWidth=1))
    assert pixels.tolist() == [[0, 0, 255], [62, 125, 125]], "the first and the last hold beyond the table"
    assert "the lookup table of the file" in note


@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_the_lowest_value_of_monochrome1_is_white(dtype: str) -> None:
    values = (RAMP // 16).astype(dtype)
    pixels, note = shown(dicom(values, "MONOCHROME1"))
    np.testing.assert_array_equal(pixels, 255 - values.astype(int))
    assert note == ("" if dtype == "u1" else "values from 0 (white) to 255 (black), 8 bits")


def test_an_inverted_window_is_the_complement() -> None:
    window: dict[str, Any] = {"WindowCenter": 1000, "WindowWidth": 400}
    np.testing.assert_array_equal(shown(dicom(RAMP, "MONOCHROME1", **window))[0], 255 - shown(dicom(RAMP, **window))[0])


@pytest.mark.parametrize(
    ("levels", "ends"),
    [
        pytest.param(Levels(range=(10, 3000)), (10, 3000), id="range"),
        pytest.param(Levels(percentiles=(0, 100)), (0, 4080), id="percentiles"),
        pytest.param(Levels(windows=False), (0, 4095), id="full"),
        pytest.param(Levels(bits=16), (800, 1199), id="bits-of-other-files"),
    ],
)
def test_the_option_goes_over_the_window(levels: Levels, ends: tuple[int, int]) -> None:
    file = dicom(RAMP, bits=12, WindowCenter=1000, WindowWidth=400)
    np.testing.assert_array_equal(shown(file, levels=levels)[0], between(RAMP, *ends))


def test_eight_bits_with_a_window_are_read_by_it() -> None:
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    pixels, _ = shown(dicom(values, WindowCenter=128, WindowWidth=64, VOILUTFunction="LINEAR_EXACT"))
    np.testing.assert_array_equal(pixels, between(values, 96, 160))
    np.testing.assert_array_equal(shown(dicom(values))[0], values)


def test_signed_values_are_signed() -> None:
    values = RAMP.astype(np.int16) - 2000
    np.testing.assert_array_equal(
        shown(dicom(values, WindowCenter=0.5, WindowWidth=1001))[0], between(values, -500, 500)
    )


def test_frames_are_images_each_with_its_own_window(tmp_path: Path) -> None:
    per_frame = []
    for center in (500, 2000):
        window, scale, frame = Dataset(), Dataset(), Dataset()
        window.WindowCenter, window.WindowWidth, window.VOILUTFunction = center, 400, "LINEAR_EXACT"
        scale.RescaleSlope, scale.RescaleIntercept = 1, 100
        frame.FrameVOILUTSequence, frame.PixelValueTransformationSequence = Sequence([window]), Sequence([scale])
        per_frame.append(frame)
    file = dicom(np.stack([RAMP, RAMP[::-1]]), PerFrameFunctionalGroupsSequence=Sequence(per_frame))
    (tmp_path / "IM0001").write_bytes(file.getvalue())
    found = find_images([tmp_path])
    assert [(image.name, image.page, image.deep) for image in found] == [
        ("IM0001 frame 1", 0, True),
        ("IM0001 frame 2", 1, True),
    ]
    assert found.notices == ("1 file has 2 frames, each of which is an image of its own: IM0001.",)
    first, second = (opened_bytes(item) for item in labeled(found, ()))
    np.testing.assert_array_equal(first, between(RAMP + 100, 300, 700))
    np.testing.assert_array_equal(second, between(RAMP[::-1] + 100, 1800, 2200))


def test_windows_of_a_set_are_said_and_leave_the_others_alike(tmp_path: Path) -> None:
    sets: dict[str, dict[str, Any]] = {"a": {"WindowCenter": 9, "WindowWidth": 4}, "b": {}, "c": {}}
    for name, elements in sets.items():
        (tmp_path / f"{name}.dcm").write_bytes(dicom(RAMP, **elements).getvalue())
    levels, notices = find_levels(find_images([tmp_path]), NO_LEVELS, "--range")
    assert levels == Levels(bits=12)
    assert any(
        "1 of 3 images of more than 8 bits are read each in the range that its file brings" in n for n in notices
    )
    assert find_levels(find_images([tmp_path]), Levels(windows=False))[0] == Levels(bits=12, windows=False)


def test_colors_are_colors() -> None:
    values = np.random.default_rng(0).integers(0, 255, (8, 6, 3), np.uint8)
    np.testing.assert_array_equal(shown(dicom(values, "RGB"))[0], values)
    gray = np.full((8, 6, 3), 128, np.uint8)
    np.testing.assert_array_equal(shown(dicom(gray, "YBR_FULL"))[0], gray)
    reddish = np.full((8, 6, 3), (76, 85, 255), np.uint8)
    assert np.abs(shown(dicom(reddish, "YBR_FULL"))[0] - [254, 0, 0]).max() <= 1


def test_a_palette_gives_its_colors() -> None:
    elements: dict[str, Any] = {}
    for color, entries in (("Red", [0, 65535]), ("Green", [65535, 0]), ("Blue", [256, 512])):
        elements[f"{color}PaletteColorLookupTableDescriptor"] = [2, 0, 16]
        elements[f"{color}PaletteColorLookupTableData"] = np.array(entries, "<u2").tobytes()
    pixels, _ = shown(dicom(np.array([[0, 1]] * 2, np.uint8), "PALETTE COLOR", **elements))
    assert pixels[0].tolist() == [[0, 255, 1], [255, 0, 2]]


def test_run_length_coding_is_read() -> None:
    image = dataset(RAMP, WindowCenter=1000, WindowWidth=400)
    image.compress(RLELossless, RAMP)
    np.testing.assert_array_equal(shown(written(image))[0], between(RAMP, 800, 1199))


def without(*names: str) -> io.BytesIO:
    image = dataset(RAMP)
    for name in names:
        delattr(image, name)
    image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID = RTStructureSetStorage
    return written(image)


def packed_as(syntax: Any) -> io.BytesIO:
    image = dataset(RAMP)
    image.compress(RLELossless, RAMP)
    image.file_meta.TransferSyntaxUID = syntax
    return written(image)


def deflated() -> io.BytesIO:
    image = dataset(RAMP)
    image.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    return written(image)


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        pytest.param(lambda: without("PixelData"), r"without an image \(RT Structure Set Storage\)", id="no-pixels"),
        pytest.param(lambda: without("PixelData", "Rows"), "without an image", id="no-sides"),
        pytest.param(lambda: packed_as(MPEG2MPML), "packed as MPEG2 .*, which isn't read", id="a-film"),
        pytest.param(deflated, "its data set is deflated, which isn't read", id="deflated"),
        pytest.param(lambda: dicom(RAMP, Rows=30000, Columns=30000), "30000×30000 pixels; at most 120", id="large"),
        pytest.param(lambda: dicom(RAMP, WindowCenter=5, WindowWidth=-3), "center 5 and the width -3", id="window"),
        pytest.param(lambda: dicom(RAMP, Rows=300), "damaged or cut short", id="cut"),
        pytest.param(lambda: io.BytesIO(bytes(128) + b"DICM"), "without an image|damaged", id="nothing"),
    ],
)
def test_what_is_no_image_is_one_line(file: Any, reason: str) -> None:
    with pytest.raises(UnusablePicture, match=reason) as error:
        read_picture(file(), ending=".dcm")
    assert "\n" not in str(error.value)


@pytest.mark.skipif(find_spec("pylibjpeg") is not None, reason="pylibjpeg decodes it")
def test_a_coding_whose_decoder_is_missing_says_what_decodes_it() -> None:
    with pytest.raises(UnusablePicture, match=r"packed as JPEG-LS.*, for which pydicom needs .*pylibjpeg"):
        read_picture(packed_as(JPEGLSLossless))


def test_no_report_tells_who_is_in_a_picture(tmp_path: Path) -> None:
    names = (
        "PatientName",
        "PatientID",
        "InstitutionName",
        "ReferringPhysicianName",
        "StudyDescription",
        "PatientComments",
    )
    image = dataset(RAMP, WindowCenter=1000, WindowWidth=400, WindowCenterWidthExplanation=SECRET)
    for name in names:
        setattr(image, name, SECRET)
    private = image.private_block(0x0029, "A SCANNER", create=True)
    private.add_new(0x10, "LO", SECRET)
    item = Dataset()
    item.CodeMeaning = item.LUTExplanation = SECRET
    image.ViewCodeSequence = Sequence([item])
    assert secrets_told(written(image).getvalue(), "IM0001", tmp_path) == []


@pytest.mark.parametrize("element", ["PatientName", "SOPClassUID"])
def test_no_reason_tells_who_is_in_a_file_without_an_image(element: str) -> None:
    image = dataset(RAMP)
    del image.PixelData
    setattr(image, element, "1.2.3.4711" if element == "SOPClassUID" else SECRET)
    image.file_meta.MediaStorageSOPClassUID = image.SOPClassUID
    with pytest.raises(UnusablePicture) as error:
        read_picture(written(image))
    assert SECRET not in str(error.value) and "4711" not in str(error.value)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("photometric", ["MONOCHROME2", "MONOCHROME1"])
@pytest.mark.parametrize("function", ["LINEAR", "SIGMOID"])
def test_the_network_reads_the_window_without_steps(function: str, photometric: str, channels: int) -> None:
    window: dict[str, Any] = {"WindowCenter": 1000, "WindowWidth": 400, "VOILUTFunction": function}
    values = np.random.default_rng(0).integers(600, 1400, (50, 70)).astype(np.uint16)
    linear = np.clip((values.astype(float) - 800) / 399, 0, 1)
    shares = linear if function == "LINEAR" else 1 / (1 + np.exp(-4 * (values.astype(float) - 1000) / 400))
    shares = 1 - shares if photometric == "MONOCHROME1" else shares
    preprocessing = Preprocessing((0.5,) * channels, (0.25,) * channels, resize=32, crop=(28, 28))
    found = prepare(open_picture(dicom(values, photometric, **window)), preprocessing)
    assert difference(found.values, network_input(shares, preprocessing)) < 4e-6
