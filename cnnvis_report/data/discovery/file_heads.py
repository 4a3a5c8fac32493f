"""What the heads of image files tell before any is decoded: pages, animations, more than 8 bits a channel."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO

from cnnvis_report.data.decoding.band_tiff import stands_for_bands
from cnnvis_report.data.decoding.tiff_pages import MOST_PAGES, tiff_pages
from cnnvis_report.data.discovery.frames import holds_more, is_animated
from cnnvis_report.data.formats import EXTENSIONS, channels_and_bits, ending, head_of
from cnnvis_report.data.image_file import ImageFile, several
from cnnvis_report.data.reader import FALLBACK, Reader, Source, reader_for
from cnnvis_report.records.bands import USUAL

# formats whose heads tell what decoding alone would: several pages, frames, more than 8 bits
LOOKED_INTO = EXTENSIONS - {".bmp", ".dib", ".pbm"}


@dataclass
class _Remarks:
    """Names of files that hold more than one picture."""

    animated: list[str] = field(default_factory=list)
    fuller: list[str] = field(default_factory=list)
    stacks: list[str] = field(default_factory=list)
    pages: int = 0
    counted: dict[str, list[str]] = field(default_factory=dict)  # by what an image of them is called, once an image

    def notices(self) -> list[str]:
        """What a user has to know of them."""
        notices = []
        if self.stacks:
            what = "1 TIFF file has" if len(self.stacks) == 1 else f"{len(self.stacks)} TIFF files have"
            each_is = "each of which is an image of its own"
            notices.append(f"{what} {self.pages} pages, {each_is}: {several(self.stacks)}.")
        for unit, names in self.counted.items():
            files = list(dict.fromkeys(names))
            what = "1 file has" if len(files) == 1 else f"{len(files)} files have"
            each_is = "each of which is an image of its own"
            notices.append(f"{what} {len(names)} {unit}s, {each_is}: {several(files)}.")
        if self.animated:
            what = "1 file is an animation" if len(self.animated) == 1 else f"{len(self.animated)} files are animations"
            notices.append(f"{what}, of which the first frame is taken: {several(self.animated)}.")
        if self.fuller:
            what = "1 JPEG file holds" if len(self.fuller) == 1 else f"{len(self.fuller)} JPEG files hold"
            notices.append(f"{what} several pictures, of which the first is taken: {several(self.fuller)}.")
        return notices


def looked_into(images: Sequence[ImageFile], channels: int) -> tuple[list[ImageFile], list[str]]:
    """The images with what their heads tell, pages of a TIFF one by one, and what a user has to know of it."""
    remarks = _Remarks()
    images = [part for image in images for part in _parts(image, channels, remarks)]
    return images, remarks.notices()


def _parts(image: ImageFile, channels: int, remarks: _Remarks) -> list[ImageFile]:
    """The images that a file holds."""
    # what has no ending, or a wrong one, is what its head says
    kind = ending(image.path)
    head = _head(image) if kind in LOOKED_INTO or kind not in EXTENSIONS else b""
    reader = reader_for(head, kind)
    if reader.name != FALLBACK:
        parts = _of_reader(image, reader)
        if len(parts) > 1:
            remarks.counted.setdefault(reader.unit, []).extend([image.name] * len(parts))
        return parts
    if head[:2] in (b"II", b"MM"):
        pages = list(_pages(image, channels))
        if len(pages) > 1:
            remarks.stacks.append(image.name)
            remarks.pages += len(pages)
        return pages
    # of an entry its first bytes have to do: to read all of it takes as long as to decode it
    source: Source = image.path if image.entry is None else BytesIO(head)
    if is_animated(source, head):
        remarks.animated.append(image.name)
    elif holds_more(source, head):
        remarks.fuller.append(image.name)
    return [replace(image, deep=True) if _is_deep(head) else image]


def _head(image: ImageFile) -> bytes:
    return head_of(image.path) if image.entry is None else image.entry.head()


def _whole(image: ImageFile) -> Source | None:
    """All of a file, to be looked into; None where it can't be read, as decoding will say."""
    if image.entry is None:
        return image.path if image.path.is_file() else None
    try:
        return image.source()
    except Exception:  # of whatever holds it
        return None


def _of_reader(image: ImageFile, reader: Reader) -> list[ImageFile]:
    """The images of a file that another reader than Pillow's opens."""
    source = _whole(image) if reader.count is not None or not isinstance(reader.deep, bool) else None
    try:
        count = reader.count(source) if reader.count is not None and source is not None else 1
    except Exception:  # says so when it is decoded
        count = 1
    deep = _reader_is_deep(source, reader)
    if count <= 1:
        return [replace(image, deep=deep)]
    return [
        replace(image, name=f"{image.name} {reader.unit} {page + 1}", page=page, deep=deep)
        for page in range(min(count, MOST_PAGES))
    ]


def _reader_is_deep(source: Source | None, reader: Reader) -> bool:
    if isinstance(reader.deep, bool):
        return reader.deep
    try:
        return source is not None and reader.deep(source)
    except Exception:  # says so when it is decoded
        return False


def _is_deep(head: bytes) -> bool:
    """Whether the head of a PNG, a PGM or a JPEG 2000 file says that it has more than 8 bits a channel."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return head[24:25] == b"\x10"
    if head[:2] == b"P5":
        return b"255" not in head[:100]
    return channels_and_bits(head)[1] > 8


def _pages(image: ImageFile, channels: int) -> Iterator[ImageFile]:
    """The pages of a TIFF; thumbnails within it, and smaller copies, are none."""
    source = _whole(image)
    pages = tiff_pages(source) if source is not None else ()
    whole = [page for page in pages if not page.reduced]
    if len(whole) <= 1 or (channels not in USUAL and stands_for_bands(whole, channels)):
        first = whole[0] if whole else None
        yield replace(image, page=first.index, deep=first.bits > 8) if first is not None else image
        return
    for number, page in enumerate(whole, start=1):
        yield replace(image, name=f"{image.name} page {number}", page=page.index, deep=page.bits > 8)
