"""Whatever a decoder says of a bad file, as the reason why it isn't read."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image, UnidentifiedImageError

from cnnvis_report.data.decoding.tiff_pages import tiff_pages
from cnnvis_report.data.decoding.tifffile_page import INSTALL, has_tifffile
from cnnvis_report.data.formats import FORMATS, content, head_of, reason
from cnnvis_report.data.pixels import MOST_PIXELS, UnusablePicture
from cnnvis_report.data.reader import Source


@contextmanager
def decoding(source: Source) -> Iterator[None]:
    """Whatever a decoder says of a bad file, in one family and without the file's path."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's of 89 million pixels too: the limit is ours
            yield
    except UnusablePicture:
        raise
    except UnidentifiedImageError as error:
        raise UnusablePicture(_unknown(source)) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnusablePicture(f"more pixels than the {MOST_PIXELS // 10**6} million that are read") from error
    except MemoryError as error:
        raise UnusablePicture("too large for the memory") from error
    except FileNotFoundError as error:
        raise UnusablePicture("there is no such file") from error
    except PermissionError as error:
        raise UnusablePicture("may not be read (permission denied)") from error
    except Exception as error:  # decoders of damaged files raise whatever comes
        raise UnusablePicture("damaged or cut short") from error


def _unknown(source: Source) -> str:
    """What a file is that no decoder takes."""
    head = head_of(source)
    if why := reason(content(head)):
        return f"holds {why}"
    if head.startswith(b"version https://git-lfs"):
        return "a pointer of Git LFS, not the picture itself; fetch it: git lfs pull"
    page = next(iter(tiff_pages(source)), None)
    if page is not None:
        return (
            f"a TIFF of {page.samples} channels with {page.bits} bits each, which can't be decoded; save it with 1 "
            f"channel or 3, of 8 or 16 bits{'' if has_tifffile() else f', or {INSTALL}'}"
        )
    return f"not an image of a known format ({', '.join(FORMATS)})"
