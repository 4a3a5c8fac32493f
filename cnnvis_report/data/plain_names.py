"""Names as people write them, made comparable: of classes, of columns, of parts of a set."""

import re
from unicodedata import normalize


def plain(name: str) -> str:
    """Give a name whatever its case, and the marks that a folder's name has for a blank, or hasn't at all.

    A hyphen before a number and behind no word is its sign: -1 isn't 1.
    """
    whole = normalize("NFC", name)  # some disks hold letters and their accents apart
    words = re.sub(r"[_,/\s]|-(?!(?<![^\W_]-)\d)", " ", re.sub(r"['’`]", "", whole))
    return normalize("NFC", " ".join(words.casefold().split()))  # folding takes some letters apart
