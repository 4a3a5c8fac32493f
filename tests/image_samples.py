"""Small files of every format that is read, and damage of the kinds that files meet."""

import gzip
import io
import random
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
from PIL import Image

RAMP = np.add.outer(np.arange(40), np.arange(48))
GRAY = Image.fromarray((RAMP * 2).astype(np.uint8))
COLOR = Image.merge("RGB", (GRAY, GRAY.transpose(Image.Transpose.ROTATE_180), Image.new("L", GRAY.size, 90)))
DEEP = (RAMP * 700).astype(np.uint16)
BITES = (b"\0", b"\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x80\0", b"\1\0\0\0")
Sample = tuple[str, str, bytes]


def saved(image: Image.Image, format: str, **options: Any) -> bytes:
    """A picture as Pillow writes it."""
    content = io.BytesIO()
    image.copy().save(content, format, **options)  # which leaves its settings with the picture
    return content.getvalue()


def samples() -> list[Sample]:
    """(format, ending, content) of each."""
    return [*_by_pillow(), *_arrays(), *_by_extras()]


def _by_pillow() -> Iterator[Sample]:
    two: dict[str, Any] = {"save_all": True, "append_images": [COLOR.transpose(Image.Transpose.ROTATE_180)]}
    yield from (("JPEG", ".jpg", saved(COLOR, "JPEG", **more)) for more in ({}, {"progressive": True}))
    yield "JPEG", ".jpg", saved(COLOR.convert("CMYK"), "JPEG")
    yield "MPO", ".mpo", saved(COLOR, "MPO", **two)
    yield from (
        ("PNG", ".png", saved(image, "PNG")) for image in (COLOR, GRAY, COLOR.convert("P"), Image.fromarray(DEEP))
    )
    yield "PNG", ".png", saved(COLOR, "PNG", **two)
    yield from (("WebP", ".webp", saved(COLOR, "WEBP", **more)) for more in ({}, {"lossless": True}, two))
    yield "BMP", ".bmp", saved(COLOR, "BMP")
    yield "GIF", ".gif", saved(COLOR, "GIF", **two)
    for compression in (None, "tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits"):
        yield "TIFF", ".tif", saved(COLOR, "TIFF", compression=compression)
    yield "TIFF", ".tif", saved(Image.fromarray(DEEP), "TIFF", **{**two, "append_images": [GRAY.copy()]})
    Image.init()  # after which Pillow knows what it can write; older ones have no AVIF
    if "AVIF" in Image.SAVE:
        yield "AVIF", ".avif", saved(COLOR, "AVIF")
    yield from (("JPEG 2000", ".jp2", saved(image, "JPEG2000")) for image in (COLOR, Image.fromarray(DEEP)))
    yield from (("PPM", ".ppm", saved(image, "PPM")) for image in (COLOR, GRAY, Image.fromarray(DEEP)))


def _arrays() -> Iterator[Sample]:
    for values in (DEEP, RAMP / 99, np.asarray(COLOR), np.moveaxis(np.asarray(COLOR), 2, 0)):
        content = io.BytesIO()
        np.save(content, values)
        yield "npy", ".npy", content.getvalue()


def _by_extras() -> Iterator[Sample]:
    if find_spec("tifffile"):
        yield from _tiffs()
    if find_spec("pillow_heif"):
        yield from _heics()
    if find_spec("pydicom"):
        yield from _dicoms()
    if find_spec("nibabel"):
        yield from _niftis()


def _tiffs() -> Iterator[Sample]:
    import tifffile

    planes = np.moveaxis(np.asarray(COLOR), 2, 0)
    for values, options in (
        (RAMP / 99, {"compression": "zlib"}),
        (DEEP.astype("i8"), {"compression": "lzma"}),
        (planes.astype("u2"), {"photometric": "rgb", "planarconfig": "separate"}),
        (DEEP.astype("f2"), {"tile": (16, 16), "bigtiff": True}),
        (np.stack([DEEP, DEEP]), {"ome": True}),
    ):
        content = io.BytesIO()
        tifffile.imwrite(content, values, **{"photometric": "minisblack", **options})
        yield "TIFF by tifffile", ".tif", content.getvalue()


def _heics() -> Iterator[Sample]:
    import pillow_heif

    deep = np.repeat(DEEP[..., None], 3, 2)
    for file in (pillow_heif.from_pillow(COLOR), pillow_heif.from_bytes("RGB;16", (48, 40), deep.tobytes())):
        content = io.BytesIO()
        file.save(content)
        yield "HEIC", ".heic", content.getvalue()


def _dicoms() -> Iterator[Sample]:
    from pydicom.encaps import encapsulate
    from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit, RLELossless

    from tests.extras.dicom.files import dataset, dicom, written

    window: dict[str, Any] = {"WindowCenter": 1000, "WindowWidth": 400, "RescaleSlope": 1, "RescaleIntercept": -24}
    yield "DICOM", ".dcm", dicom(DEEP, **window).getvalue()
    yield "DICOM", ".dcm", dicom(np.stack([DEEP, DEEP]), "MONOCHROME1").getvalue()
    yield "DICOM", ".dcm", dicom(np.asarray(COLOR), "RGB").getvalue()
    packed = dataset(DEEP, **window)
    packed.compress(RLELossless, DEEP)
    yield "DICOM", ".dcm", written(packed).getvalue()
    for syntax, format in ((JPEGBaseline8Bit, "JPEG"), (JPEG2000Lossless, "JPEG2000")):
        image = dataset(np.asarray(GRAY))
        image.file_meta.TransferSyntaxUID = syntax
        image.PixelData = encapsulate([saved(GRAY, format, **({"no_jp2": True} if format == "JPEG2000" else {}))])
        yield "DICOM", ".dcm", written(image).getvalue()


def _niftis() -> Iterator[Sample]:
    import nibabel

    volume = np.stack([DEEP, DEEP // 2, DEEP // 3], 2).astype(np.int16)
    for kind in (nibabel.Nifti1Image, nibabel.Nifti2Image):
        yield "NIfTI", ".nii", kind(volume, np.diag([2, 2, 3, 1])).to_bytes()
    yield "NIfTI, packed", ".nii.gz", gzip.compress(nibabel.Nifti1Image(volume / 7, np.eye(4)).to_bytes())


def damaged(sample: Sample, seed: int) -> bytes:
    """A file of the same kind with a few bytes changed, a part cut, doubled or moved; the same for the same seed."""
    draw = random.Random(seed)
    unpack: Callable[[bytes], bytes] = gzip.decompress if sample[1].endswith(".gz") and seed % 4 else bytes
    content = bytearray(unpack(sample[2]))
    for _ in range(draw.choice((1, 1, 2, 4, 8))):
        if not content:
            break
        near = min(len(content), draw.choice((64, 512, len(content))))
        at, length = draw.randrange(near), draw.choice((1, 2, 4, 16, 200))
        way = draw.randrange(7)
        if way == 0:
            content[at] ^= 1 << draw.randrange(8)
        elif way == 1:
            content[at : at + 1] = bytes((draw.randrange(256),))
        elif way == 2:
            bite = draw.choice(BITES)
            content[at : at + len(bite)] = bite
        elif way == 3:
            del content[at : at + length]
        elif way == 4:
            content[at:at] = content[at : at + length]
        elif way == 5:
            content[at : at + length] = draw.randbytes(length)
        else:
            del content[draw.randrange(len(content)) :]
    return gzip.compress(bytes(content), 1) if unpack is gzip.decompress else bytes(content)
