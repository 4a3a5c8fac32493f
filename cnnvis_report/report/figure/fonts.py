"""Text that fits: measured in the font that it is drawn with, wrapped, shortened, and spelled in its letters."""

import unicodedata
from functools import cache, lru_cache
from typing import Protocol

from PIL import ImageFont

from cnnvis_report.errors import printable

ELLIPSIS = "…"
SPELLED = str.maketrans({"×": "x", "−": "-", "–": "-", "’": "'", "\u202f": " ", "\u00a0": " "})


class Font(Protocol):
    """What a format draws its text with."""

    def width(self, text: str, size: float) -> float:
        """The width of a line of text in points, at a size in points."""
        ...

    def has(self, letter: str) -> bool:
        """Whether the font can draw a letter."""
        ...


class PillowFont:
    """Aileron, which Pillow brings along: the same on every machine, with the letters of English.

    Args:
        dpi: of the pixels that it is drawn with, which widen letters to whole ones; 0 for none.
    """

    def __init__(self, dpi: int = 0) -> None:
        self.scale = dpi / 72

    def width(self, text: str, size: float) -> float:
        """As measured at 64 times the size, where no pixel rounds it, or as wide as it is drawn where that is wider."""
        drawn = _length(text, size * self.scale) / self.scale if self.scale else 0.0
        return max(_length(text, 64 * size) / 64, drawn)

    def has(self, letter: str) -> bool:
        """Printable ASCII, and what the font has beside it that is used here."""
        return " " <= letter <= "~" or letter in "…·±°"


class AnyFont(PillowFont):
    """A font of the reader's machine, which has every letter; those that Pillow's has not are given much room."""

    def width(self, text: str, size: float) -> float:
        """As if unknown letters were as wide as the font is high, or two thirds of it where they aren't Asian."""
        known = "".join(letter for letter in text if super(AnyFont, self).has(letter))
        wide = sum(
            1.0 if unicodedata.east_asian_width(letter) in "WF" else 0.67 for letter in text if letter not in known
        )
        return super().width(known, size) + wide * size

    def has(self, letter: str) -> bool:
        """All of them."""
        return True


@lru_cache(maxsize=4096)
def _length(text: str, size: float) -> float:
    """The width in pixels; a figure is laid out three times, with the same words."""
    return float(pillow_font(size).getlength(text))


@cache
def pillow_font(size: float) -> ImageFont.FreeTypeFont:
    """Aileron at a size in pixels."""
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):  # of a Pillow that was built without FreeType
        raise ImportError("Pillow was built without FreeType, and has no letters to draw.")
    return font


def spelled(text: str, font: Font, instead: str = "") -> str:
    """A text in the letters of a font, without control characters.

    Args:
        instead: what is written where the font lacks a letter that has no plainer form.
    """
    plain = printable(text, " ")
    for candidate in (plain, plain.translate(SPELLED), _without_accents(plain.translate(SPELLED))):
        if all(map(font.has, candidate)):
            return " ".join(candidate.split())
    if instead:
        return spelled(instead, font)
    return "".join(letter if font.has(letter) else "?" for letter in plain)


def shortened(text: str, room: float, size: float, font: Font) -> str:
    """A text that fits, with an ellipsis in its middle where it is too long: names differ most at their ends."""
    if font.width(text, size) <= room:
        return text
    for letters in range(len(text) - 1, 0, -1):
        head = (letters + 1) // 2
        cut = text[:head].rstrip() + ELLIPSIS + (text[len(text) - letters + head :].lstrip() if letters > head else "")
        if font.width(cut, size) <= room:
            return cut
    return ELLIPSIS if font.width(ELLIPSIS, size) <= room else ""


def wrapped(text: str, room: float, size: float, font: Font, most: int) -> list[str]:
    """A text in at most so many lines, broken between words, and within a word that is longer than a line.

    What is still too long is shortened.
    """
    lines: list[str] = []
    for word in text.split():
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and (len(lines) == most or font.width(joined, size) <= room):
            lines[-1] = joined
            continue
        while len(lines) + 1 < most and font.width(word, size) > room:
            part = _hyphenated(word, room, size, font)
            if not part:
                break
            lines.append(part)
            word = word[len(part.removesuffix("-")) :].removeprefix("-")
        lines.append(word)
    return [shortened(line, room, size, font) for line in lines]


def _hyphenated(word: str, room: float, size: float, font: Font) -> str:
    """The beginning of a word that a line holds, up to a hyphen; empty where too little of it would stay together."""
    ends = [end for end, letter in enumerate(word) if letter == "-" and end]
    if word.isalpha():
        ends = list(range(4, len(word) - 3))
        ends.sort(key=lambda end: word[end].isupper() and word[end - 1].islower())  # SmoothGrad: Smooth-Grad first
    parts = [f"{word[:end]}-" for end in ends]
    return next((part for part in reversed(parts) if font.width(part, size) <= room), "")


def _without_accents(text: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
