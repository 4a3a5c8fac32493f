"""DICOM files: the image of a frame, in the values of its scanner and with the window that goes with them."""

import logging
import os
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cnnvis_report.data.decoding.dicom_window import display_window, needs_range, scanner_values
from cnnvis_report.data.formats import from_start, head_of
from cnnvis_report.data.pixels import Pixels, UnusablePicture, Values, check_size
from cnnvis_report.data.reader import Source, reader

if TYPE_CHECKING:
    from pydicom import Dataset

# all that is ever read of a file: names and dates of patients are passed over
TAGS = [
    *("SOPClassUID", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames"),
    *("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelSpacing"),
    *(f"{color}PaletteColorLookupTableDescriptor" for color in ("Red", "Green", "Blue")),
    *(f"{color}PaletteColorLookupTableData" for color in ("Red", "Green", "Blue")),
    *(f"Segmented{color}PaletteColorLookupTableData" for color in ("Red", "Green", "Blue")),
    *("RescaleIntercept", "RescaleSlope", "ModalityLUTSequence"),
    *("WindowCenter", "WindowWidth", "VOILUTFunction", "VOILUTSequence"),
    *("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"),
]
FRAME_TAGS = ("PixelValueTransformationSequence", "FrameVOILUTSequence")  # in place of those of the file
DEFLATED = b"1.2.840.10008.1.2.1.99"
LEAST_FRAME = 8  # bytes that a frame takes, however it is compressed
GRAY = ("MONOCHROME1", "MONOCHROME2")


def is_dicom(head: bytes) -> bool:
    """Whether a file begins as DICOM files do."""
    return head[128:132] == b"DICM"


def frames(source: Source) -> int:
    """How many frames a file has; never more than fit into its bytes."""
    size = source.stat().st_size if isinstance(source, Path) else source.seek(0, os.SEEK_END)
    return max(1, min(int(_header(source).get("NumberOfFrames") or 1), size // LEAST_FRAME))


def is_deep(source: Source) -> bool:
    """Whether its values become black and white by a range."""
    header = _of_frame(_header(source), 0)
    return needs_range(header) if header.PhotometricInterpretation in GRAY else header.BitsAllocated > 8


@reader(
    title="a DICOM file",
    endings={".dcm", ".dicom", ".dic", ".ima"},
    recognizes=is_dicom,
    count=frames,
    deep=is_deep,
    requires=("pydicom",),
    install="cnnvis-report[dicom]",
    unit="frame",
)
def dicom(source: Source, page: int) -> Pixels:
    """Decode a frame; its own window, or lookup table, is its range.

    Raises:
        UnusablePicture: it has no pixels, too many of them, or pixels that are compressed in a way that isn't read.
    """
    header = _of_frame(_header(source), page)
    if "Rows" not in header or "Columns" not in header:
        raise UnusablePicture(f"a DICOM file without an image{_what(header)}")
    check_size((header.Columns, header.Rows), deep=header.BitsAllocated > 8)
    values = _decoded(source, header, page)
    photometric = header.PhotometricInterpretation
    if photometric == "PALETTE COLOR":
        return Pixels.of_array(_of_palette(values, header))
    if values.ndim != 2:
        return Pixels.of_array(values)
    if header.BitsAllocated == 1:
        return Pixels.of_array(values.astype(np.uint8) * 255)
    inverted = photometric == "MONOCHROME1"
    if not needs_range(header):
        most = (1 << header.BitsStored) - 1
        return Pixels.of_array(most - values if inverted else values)
    pixels = Pixels.of_array(scanner_values(values, header))
    return replace(pixels, window=display_window(header), inverted=inverted)


def _header(source: Source) -> "Dataset":
    """What a file says of its pixels."""
    import pydicom

    head = head_of(source)
    if not is_dicom(head):
        raise UnusablePicture("not a DICOM file: it doesn't begin as one")
    if DEFLATED in head:  # which a few bytes could inflate without end
        raise UnusablePicture("its data set is deflated, which isn't read; save it with another transfer syntax")
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)  # what it says of a damaged file is said here
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pydicom.dcmread(from_start(source), specific_tags=TAGS, stop_before_pixels=True)


def _of_frame(header: "Dataset", page: int) -> "Dataset":
    """The same with what is said of all frames, and of this one, where files of several frames say it."""
    per_frame = header.get("PerFrameFunctionalGroupsSequence") or []
    for groups in (*(header.get("SharedFunctionalGroupsSequence") or [])[:1], *per_frame[page : page + 1]):
        for name in FRAME_TAGS:
            for item in (groups.get(name) or [])[:1]:
                header.update(item)
    return header


def _decoded(source: Source, header: "Dataset", page: int) -> Values:
    """The stored values of a frame: H×W, or H×W×3 as RGB."""
    from pydicom.pixels import get_decoder, pixel_array

    syntax = header.file_meta.TransferSyntaxUID
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError as error:
        raise UnusablePicture(f"packed as {_name(syntax)}, which isn't read") from error
    if not decoder.is_available:
        needed = " or ".join(missing.partition(" - requires ")[2] for missing in decoder.missing_dependencies)
        raise UnusablePicture(f"packed as {_name(syntax)}, for which pydicom needs {needed}")
    try:
        values: Values = pixel_array(from_start(source), index=page)
    except AttributeError as error:
        raise UnusablePicture(f"a DICOM file without an image{_what(header)}") from error
    return values


def _of_palette(values: Values, header: "Dataset") -> Values:
    """Colors of 8 bits."""
    from pydicom.pixels import apply_color_lut

    colors: Values = apply_color_lut(values, header)
    return colors if colors.dtype == np.uint8 else (colors >> 8).astype(np.uint8)


def _what(header: "Dataset") -> str:
    """What a file is in place of an image; its own texts, which may be anything, are never told."""
    name = _name(header.get("SOPClassUID") or header.file_meta.get("MediaStorageSOPClassUID") or "")
    return f" ({name})" if name else ""


def _name(uid: str) -> str:
    """What the standard calls something; empty where it doesn't know it."""
    name = str(getattr(uid, "name", ""))
    return "" if name == str(uid) else name
