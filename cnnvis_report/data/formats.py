"""What a file is, by its ending and by its first bytes, and what to do with those that aren't read."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

# Pillow's decoders that are let near a file; no other is. Older Pillows lack some, and say so.
FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF", "JPEG2000", "PPM")


def _endings(text: str) -> frozenset[str]:
    return frozenset(text.split())


EXTENSIONS = _endings(
    ".jpg .jpeg .jpe .jfif .pjpeg .pjp .mpo .png .apng .webp .bmp .dib .tif .tiff .gif .avif .avifs "
    ".jp2 .j2k .j2c .jpc .jpf .jpx .ppm .pgm .pbm .pnm"
)
LISTS = frozenset((".txt", ".csv", ".tsv"))

CONVERT = "convert it to PNG or JPEG"
SLICES = "export its slices as PNG or TIFF"
ARRAY = "save its arrays as .npy, PNG or TIFF"
UNPACK = "unpack it, and give the folder"
# pictures and volumes that aren't read: what they are, and what to do instead
UNREAD = {
    ending: (what, advice)
    for what, advice, endings in (
        ("a JPEG XL picture", CONVERT, ".jxl"),
        ("a JPEG XR picture", CONVERT, ".jxr .wdp .hdp"),
        ("a camera's raw picture", CONVERT, ".cr2 .cr3 .crw .nef .nrw .arw .sr2 .srf .dng .orf .rw2 .raf .pef .srw .3fr"
         " .erf .kdc .mrw .x3f .iiq"),
        ("a drawing", CONVERT, ".svg .svgz .eps .ai .emf .wmf"),
        ("a layered picture", CONVERT, ".psd .psb .xcf .kra"),
        ("a picture of a format of its own", CONVERT, ".ico .cur .icns .tga .icb .vda .vst .pcx .sgi .rgb .xbm .xpm "
         ".dds .qoi .flif .pam .pfm .ras .fli .flc"),
        ("a picture of high dynamic range", CONVERT, ".exr .hdr .rgbe"),
        ("a volume", SLICES, ".nrrd .nhdr .mha .mhd .mgz .mgh .mnc .img .vti .vtk"),
        ("a microscope's file", SLICES, ".czi .lif .nd2 .oib .oif .lsm .vsi .stk .svs .ndpi .scn .mrxs .bif .zarr"),
        ("a FITS file", SLICES, ".fits .fit .fts"),
        ("a NumPy archive", "give it as IMAGES itself", ".npz"),
    )
    for ending in endings.split()
}  # fmt: skip
# what may hold images and is no image: one line where it is given, counted where it lies among images
HOLDERS = {
    ending: (what, advice)
    for what, advice, endings in (
        ("a zip archive", UNPACK, ".zip"),
        ("a tar archive", UNPACK, ".tar .tgz .tar.gz .tar.bz2 .tar.xz .tbz2 .txz"),
        ("an archive", UNPACK, ".7z .rar .gz .bz2 .xz .zst"),
        ("a MATLAB file", ARRAY, ".mat"),
        ("an HDF5 file", ARRAY, ".h5 .hdf5 .hdf"),
        ("a film", "save its frames as PNG or JPEG", ".mp4 .avi .mov .mkv .webm .m4v .mpg .mpeg .wmv"),
        ("a web page", "download the picture itself", ".html"),
        ("a PDF document", "save its pages as PNG or JPEG", ".pdf"),
        ("a table", "write its images as files, with a .txt list of path, tab, label", ".parquet .arrow .feather .jsonl"
         " .json .xlsx .xls .ods .sqlite .db"),
        ("a database or record file", "write its images as files", ".lmdb .mdb .tfrecord .tfrecords .rec .ubyte"
         " .pkl .pickle .pt .pth .beton"),
    )
    for ending in endings.split()
}  # fmt: skip
# files that never hold an image, however they begin
ASIDE = _endings(
    ".txt .csv .tsv .json .jsonl .xml .yaml .yml .toml .ini .cfg .md .rst .html .htm .css .js .py .ipynb .m .r .sh "
    ".log .pt .pth .onnx .safetensors .pkl .zip .tar .gz .tgz .7z .rar .doc .docx .xls .xlsx .ppt .pptx .wav .mp3"
)
HEIC = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
TWO_PARTS = {".nii.gz"}  # endings of what is read
HEAD = 1 << 12  # bytes that tell what a file is


def ending(path: Path) -> str:
    """The ending in lower case, both parts where there are two that count, as in .nii.gz."""
    last_two = "".join(path.suffixes[-2:]).lower()
    return last_two if last_two in TWO_PARTS or last_two in UNREAD or last_two in HOLDERS else path.suffix.lower()


def unread(path: Path) -> str:
    """Why a file of this ending isn't read, and what to do; empty where it is read or no picture at all."""
    return reason(ending(path))


def reason(kind: str) -> str:
    """Why files of this ending aren't read, and what to do; empty where they are read or no pictures at all."""
    what, advice = UNREAD.get(kind, HOLDERS.get(kind, ("", "")))
    return f"{what} ({kind}), which isn't read; {advice}" if what else ""


def looks_like_a_picture(head: bytes) -> bool:
    """Whether a file that begins so is of a format that is read."""
    if head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a")):
        return True
    if head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return True
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return True
    if head.startswith((b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")):
        return True
    return head[4:12] in (b"ftypavif", b"ftypavis") or (head[:2] == b"BM" and head[6:10] == b"\0" * 4)


def content(head: bytes) -> str:
    """The ending that a file which begins so should have, where its format is known and isn't read; else empty."""
    for name, matches in (
        (".jxl", head.startswith((b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"))),
        (".psd", head.startswith(b"8BPS")),
        (".pdf", head.startswith(b"%PDF")),
        (".eps", head.startswith((b"%!PS", b"\xc5\xd0\xd3\xc6"))),
        (".svg", b"<svg" in head[:1000]),
        (".ico", head.startswith((b"\0\0\1\0", b"\0\0\2\0"))),
        (".h5", head.startswith(b"\x89HDF\r\n\x1a\n")),
        (".mat", head.startswith(b"MATLAB 5.0 MAT-file")),
        (".exr", head.startswith(b"\x76\x2f\x31\x01")),
        (".hdr", head.startswith((b"#?RADIANCE", b"#?RGBE"))),
        (".fits", head.startswith(b"SIMPLE  =")),
        (".tar", head[257:262] == b"ustar"),
        (".zip", head.startswith(b"PK\x03\x04")),
        (".gz", head.startswith(b"\x1f\x8b")),
        (".mp4", head[4:8] == b"ftyp" and head[8:12] in (b"isom", b"iso2", b"mp41", b"mp42", b"qt  ", b"M4V ")),
        (".html", head.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html"))),
    ):  # fmt: skip
        if matches:
            return name
    return ""


def from_start(source: Path | BinaryIO) -> Path | BinaryIO:
    """A file as libraries take it, a path or an open one, which stands at its beginning then."""
    if not isinstance(source, Path):
        source.seek(0)
    return source


@contextmanager
def opened(source: Path | BinaryIO) -> Iterator[BinaryIO]:
    """A file to be read from its beginning; one that is open already stays open."""
    source = from_start(source)
    if not isinstance(source, Path):
        yield source
        return
    with source.open("rb") as file:
        yield file


def head_of(source: Path | BinaryIO) -> bytes:
    """The first bytes of a file; nothing where it can't be read or is no regular file."""
    try:
        if isinstance(source, Path) and not source.is_file():  # a pipe would never answer
            return b""
        with opened(source) as file:
            return file.read(HEAD)
    except OSError:
        return b""


def channels_and_bits(head: bytes) -> tuple[int, int]:
    """Of a JPEG 2000 file, as the first marker of its code stream says; 0 and 0 of any other."""
    start = head.find(b"\xff\x4f\xff\x51")
    if start < 0 or not head.startswith((b"\0\0\0\x0cjP  ", b"\xff\x4f")) or len(head) < start + 43:
        return 0, 0
    return int.from_bytes(head[start + 40 : start + 42], "big"), (head[start + 42] & 0x7F) + 1
