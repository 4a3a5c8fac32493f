"""Pictures of all formats with a secret in every place where a camera, a program or a clinic writes about them."""

import io
from collections.abc import Callable
from typing import Any

from PIL import Image, ImageCms, PngImagePlugin, TiffImagePlugin

SECRET = "Zebra-Quartz-4711"  # of which no report may tell
TEXT = SECRET.encode()
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:li>' + TEXT + b"</rdf:li></x:xmpmeta>"
SIDE = 12


def exif() -> Image.Exif:
    """A name, a comment, a position and a serial number."""
    data = Image.Exif()
    for tag in (0x010E, 0x010F, 0x0110, 0x013B, 0x8298):  # description, make, model, artist, copyright
        data[tag] = SECRET
    data.get_ifd(0x8769).update({0x9286: b"ASCII\0\0\0" + TEXT, 0xA431: SECRET, 0xA430: SECRET})
    data.get_ifd(0x8825).update({1: "N", 2: (48.0, 12.0, 34.5), 3: "E", 4: (11.0, 7.0, 6.5), 27: TEXT})
    return data


def profile() -> bytes:
    """A color profile that is described by the secret; of the same length as before."""
    content = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    copyright_at = content.rfind(b"\0N\0o")
    text = SECRET.encode("utf-16-be")
    assert copyright_at > 0
    return content[:copyright_at] + text + content[copyright_at + len(text) :]


def _segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2, "big") + content


def _jpeg(image: Image.Image) -> bytes:
    iptc = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + (len(TEXT) + 5).to_bytes(4, "big")
    iptc += b"\x1c\x02\x50" + len(TEXT).to_bytes(2, "big") + TEXT
    content = _saved(image, "JPEG", exif=exif(), icc_profile=profile(), comment=TEXT, xmp=XMP)
    return content[:2] + _segment(0xED, iptc) + content[2:] + TEXT  # and behind the end


def _png(image: Image.Image) -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", SECRET)
    info.add_text("Comment", SECRET, zip=True)
    info.add_itxt("XML:com.adobe.xmp", XMP.decode(), zip=False)
    return _saved(image, "PNG", exif=exif(), icc_profile=profile(), pnginfo=info)


def _tiff(image: Image.Image) -> bytes:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    for tag in (269, 270, 271, 272, 285, 305, 315, 316, 33432):
        tags[tag] = SECRET
    tags[700] = XMP
    return _saved(image, "TIFF", tiffinfo=tags, exif=exif(), icc_profile=profile())


def _saved(image: Image.Image, format: str, **options: Any) -> bytes:
    content = io.BytesIO()
    image.save(content, format, **options)
    return content.getvalue()


PICTURES: dict[str, Callable[[Image.Image], bytes]] = {
    "a.jpg": _jpeg,
    "b.png": _png,
    "c.webp": lambda image: _saved(image, "WEBP", exif=exif(), icc_profile=profile(), xmp=XMP),
    "d.tif": _tiff,
    "e.gif": lambda image: _saved(image, "GIF", comment=TEXT),
    "f.jp2": lambda image: _saved(image, "JPEG2000", comment=SECRET),
    "g.avif": lambda image: _saved(image, "AVIF", exif=exif(), icc_profile=profile(), xmp=XMP),
    "h.ppm": lambda image: b"P6\n# " + TEXT + f"\n{SIDE} {SIDE}\n255\n".encode() + image.tobytes(),
}


def color(value: int) -> Image.Image:
    """A small picture of one color."""
    return Image.new("RGB", (SIDE, SIDE), (value, value // 2, 99))
