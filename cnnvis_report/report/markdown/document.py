"""A summary in Markdown that GitHub takes whole: sections that don't fit are left out, the last ones first.

Its picture is a file beside it, or a part of the text.
"""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from cnnvis_report.evidence.markdown import plain
from cnnvis_report.rules.judge import Outcome
from cnnvis_report.store.files.names import FIGURE_SOFTWARE

LONGEST = 65_536  # characters of a comment on GitHub; a summary has fewer
LONGEST_TEXT = 300  # characters of a name, or of a sentence around one
BRACKETS = str.maketrans("[]\\", "()/")  # which would end the words for a picture
MARK = "<!-- cnnvis-report summary -->"  # by which a later summary may replace this one
SCREEN = 1200  # pixels: as wide as a pull request shows it, and a quarter of the bytes of a figure for print
LARGEST = 36_000  # bytes, of which the text has 48 000 characters
WIDTHS = (1000, 800, 640, 480, 320)


@dataclass(frozen=True)
class Section:
    """A heading with the Markdown that stands below it."""

    heading: str
    body: str


@dataclass(frozen=True)
class Document:
    """A summary.

    title: a plain text. opening: lists in Markdown, before the picture. sections: the most important first.
    alt: what the picture shows, in words; empty where there is none.
    """

    title: str
    opening: tuple[str, ...]
    sections: tuple[Section, ...]
    alt: str = ""

    def text(self, picture: str = "") -> str:
        """The summary with its picture at an address; without one where there is none, or where it doesn't fit."""
        opening = [MARK, f"# {short(self.title)}", *self.opening]
        image = f"![{short(self.alt.translate(BRACKETS))}]({picture})"
        pictures = [[image], []] if picture and self.alt else [[]]
        for left_out in range(len(self.sections) + 1):
            sections = [f"## {part.heading}\n\n{part.body}" for part in self.sections[: len(self.sections) - left_out]]
            rest = [f"Left out, for the length: {left_out} more of the report's tables."] if left_out else []
            for shown in pictures:
                text = "\n\n".join([*opening, *shown, *sections, *rest]) + "\n"
                if len(text) < LONGEST:
                    return text
        return "\n\n".join(opening)[: LONGEST - 2].rsplit("\n", 1)[0] + "\n"


def short(text: str) -> str:
    """A plain text on one line of Markdown, cut where it goes on and on."""
    return plain(text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT].rstrip()}…")


def bullets(lines: Iterable[str]) -> str:
    """A list of lines in Markdown."""
    return "\n".join(f"- {line}" for line in lines)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of plain texts."""
    lines = [list(map(short, head)), ["---"] * len(head), *(list(map(short, row)) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def rules_list(outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """A list of which rules hold, and which don't; nothing without rules."""
    ordered = sorted(outcomes, key=lambda outcome: not outcome.fails)
    return (bullets(map(_line, ordered)),) if outcomes else ()


def _line(outcome: Outcome) -> str:
    rule, measured = short(outcome.rule.text), short(outcome.describe())
    if outcome.problem:
        return f"❌ **Fails**: {rule} can't be judged: {measured}"
    return f"{'❌ **Fails**' if outcome.holds else '✅ Passes'}: {rule}, as {measured}"


def screen_png(png: bytes) -> bytes:
    """A figure as narrow as a screen needs it, which is said to be one of this program's."""
    info, file = PngInfo(), BytesIO()
    info.add_text("Software", FIGURE_SOFTWARE)
    _narrowed(Image.open(BytesIO(png)), SCREEN).save(file, "PNG", pnginfo=info)
    return file.getvalue()


def picture_address(png: bytes) -> str:
    """The picture as a data address, as wide as the length of a summary allows; empty where none is narrow enough."""
    picture = Image.open(BytesIO(png))
    for width in WIDTHS:
        file = BytesIO()
        _narrowed(picture, width).save(file, "WEBP", quality=60)
        if file.tell() <= LARGEST:
            return f"data:image/webp;base64,{b64encode(file.getvalue()).decode('ascii')}"
    return ""


def _narrowed(picture: Image.Image, width: int) -> Image.Image:
    """The picture in RGB, no wider than that."""
    scale = min(1.0, width / picture.width)
    size = (round(picture.width * scale), max(1, round(picture.height * scale)))
    return picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)
