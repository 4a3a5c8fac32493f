"""All that stands in the files of a report, packed or not."""

import base64
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

PACKED = re.compile(rb"[A-Za-z0-9+/]{24,}={0,2}")
# of the file format, or of the program that drew a figure
HARMLESS = {
    "Software",
    "dpi",
    "jfif",
    "jfif_version",
    "jfif_unit",
    "jfif_density",
    "loop",
    "background",
    "timestamp",
    "duration",
}


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Each file's bytes, what is packed in base64 in them, and what is in archives, with a name."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        content = path.read_bytes()
        name = path.relative_to(folder).as_posix()
        yield name, content
        if content[:2] == b"PK":
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                yield from ((f"{name}/{entry}", archive.read(entry)) for entry in archive.namelist())
            continue
        for number, match in enumerate(PACKED.finditer(content)):
            packed = match[0].rstrip(b"=")
            inner = base64.b64decode(packed + b"=" * (-len(packed) % 4) if len(packed) % 4 != 1 else packed[:-1])
            yield f"{name} base64 {number}", inner
            for inflate in (zlib.decompress, gzip.decompress, lambda data: zlib.decompress(data, -15)):
                try:
                    yield f"{name} base64 {number}, inflated", inflate(inner)
                except (zlib.error, OSError, EOFError):
                    continue


def metadata(content: bytes) -> set[str]:
    """What a picture says of itself besides its pixels; nothing where it is no picture."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            image.load()
            return {*map(str, image.info), *(f"exif {tag}" for tag in image.getexif())} - HARMLESS
    except Exception:
        return set()


def said_in(folder: Path, secret: str) -> list[str]:
    """The files that tell a secret in any of the usual encodings, and pictures that say anything of themselves."""
    forms = [secret.encode(code).lower() for code in ("utf-8", "utf-16-le", "utf-16-be")]
    tells = []
    for name, content in contents(folder):
        if any(form in content.lower() for form in forms):
            tells.append(name)
        if content[:4] in (b"\x89PNG", b"RIFF", b"GIF8") or content[:3] == b"\xff\xd8\xff":
            tells += [f"{name}: {word}" for word in metadata(content)]
    return tells
