"""What a DICOM file says of its values: which of the scanner's they are, and which of these are black and white."""

from typing import TYPE_CHECKING, Any

import numpy as np

from cnnvis_report.data.pixels import UnusablePicture, Values, Window

if TYPE_CHECKING:
    from pydicom import Dataset

STEP = 1e-6  # of a window of one value, which has no width
MOST_BITS = 16  # of a lookup table
SCALES = ("RescaleSlope", "RescaleIntercept", "ModalityLUTSequence")
WINDOWS = ("WindowCenter", "VOILUTSequence")


def needs_range(frame: "Dataset") -> bool:
    """Whether gray values are no bytes as they are: they have more bits, a scale or a window."""
    return frame.BitsAllocated > 8 or any(frame.get(name) not in (None, "") for name in (*SCALES, *WINDOWS))


def scanner_values(values: Values, frame: "Dataset") -> Values:
    """The values in the scanner's own units, such as Hounsfield's."""
    from pydicom.pixels import apply_modality_lut

    scaled: Values = apply_modality_lut(values, frame)
    if scaled.dtype.kind == "f" and np.array_equal(np.rint(scaled), scaled) and np.abs(scaled).max(initial=0) < 2**31:
        return scaled.astype(np.int32)  # by a slope of 1, as most are
    return scaled.astype(np.int16) if scaled.dtype == np.uint8 else scaled


def display_window(frame: "Dataset") -> Window | None:
    """The first lookup table or window of a frame; None where it has none.

    Follows DICOM PS3.3, section C.11.2.1.2, and C.11.2.1.3 of functions that aren't linear.

    Raises:
        UnusablePicture: its numbers mean nothing.
    """
    tables = frame.get("VOILUTSequence")
    if tables:
        return _of_table(tables[0])
    center, width = _first(frame.get("WindowCenter")), _first(frame.get("WindowWidth"))
    if center is None or width is None:
        return None
    if not (np.isfinite(center) and np.isfinite(width)) or width <= 0:
        raise UnusablePicture(f"its window has the center {center:g} and the width {width:g}")
    function = str(frame.get("VOILUTFunction") or "LINEAR")
    if function == "SIGMOID":
        curve = lambda values: 1 / (1 + np.exp(np.clip(-4 * (values - center) / width, -700, 700)))  # noqa: E731
        return Window(center - width / 2, center + width / 2, "the window of the file, a sigmoid", curve)
    if function == "LINEAR_EXACT":
        return Window(center - width / 2, center + width / 2, "the window of the file")
    half = max(width - 1, STEP) / 2
    return Window(center - 0.5 - half, center - 0.5 + half, "the window of the file")


def _of_table(table: "Dataset") -> Window:
    entries, first, bits = (int(number) for number in table.LUTDescriptor)
    content: Any = table.LUTData
    data = np.frombuffer(content, "<u2") if isinstance(content, bytes) else np.atleast_1d(np.asarray(content, "<u2"))
    data = data[: entries or 1 << MOST_BITS]
    if not data.size or not 1 <= bits <= MOST_BITS:
        raise UnusablePicture(f"its lookup table has {data.size} values of {bits} bits")

    def curve(values: Values) -> Values:
        return np.asarray(data[np.clip(np.rint(values) - first, 0, data.size - 1).astype(np.int64)] / ((1 << bits) - 1))

    return Window(first, first + data.size - 1, "the lookup table of the file", curve)


def _first(number: Any) -> float | None:
    """A number, or the first of several; None where there is none."""
    first = number[0] if isinstance(number, list | tuple) or type(number).__name__ == "MultiValue" else number
    return None if first in (None, "") else float(first)
