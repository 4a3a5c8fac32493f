"""DICOM files, written in memory."""

import io
from typing import Any

import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

COLORS = ("RGB", "YBR_FULL")


def dataset(values: npt.NDArray[Any], photometric: str = "MONOCHROME2", bits: int = 0, **elements: Any) -> Dataset:
    """A data set of one image H×W or H×W×3, or of several along a further first side.

    Args:
        bits: that are stored; all where 0. elements: that it has besides.
    """
    samples = 3 if photometric in COLORS else 1
    sides = values.shape[:-1] if samples == 3 else values.shape
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.file_meta.MediaStorageSOPClassUID = image.SOPClassUID = SecondaryCaptureImageStorage
    image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID = generate_uid()
    image.Rows, image.Columns = sides[-2:]
    if len(sides) == 3:
        image.NumberOfFrames = sides[0]
    image.SamplesPerPixel, image.PhotometricInterpretation = samples, photometric
    if samples == 3:
        image.PlanarConfiguration = 0
    image.BitsAllocated = 8 * values.itemsize
    image.BitsStored = bits or image.BitsAllocated
    image.HighBit = image.BitsStored - 1
    image.PixelRepresentation = int(values.dtype.kind == "i")
    for name, value in elements.items():
        setattr(image, name, value)
    image.PixelData = values.tobytes()
    image["PixelData"].VR = "OW" if values.itemsize > 1 else "OB"
    return image


def written(image: Dataset) -> io.BytesIO:
    """The file of a data set."""
    file = io.BytesIO()
    image.save_as(file, enforce_file_format=True)
    file.seek(0)
    return file


def dicom(values: npt.NDArray[Any], photometric: str = "MONOCHROME2", bits: int = 0, **elements: Any) -> io.BytesIO:
    """A file as `dataset` describes it."""
    return written(dataset(values, photometric, bits, **elements))
