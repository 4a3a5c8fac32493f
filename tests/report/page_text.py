"""What a page says, as lines of text; in brackets what only a pointer or a screen reader finds."""

import re
from html.parser import HTMLParser

BLOCKS = {
    "p",
    "h1",
    "h2",
    "h3",
    "li",
    "tr",
    "dt",
    "figcaption",
    "summary",
    "section",
    "figure",
    "label",
    "title",
    "div",
}
UNSEEN = {"script", "style"}
TOLD = ("title", "alt", "aria-label", "placeholder")
SCRUBBED = (
    (r"\b\d+(\.\d+)? ?(s|min|h)\b(?! a)", "TIME"),
    (r"[0-9a-f]{32}", "FINGERPRINT"),
    (r"-[0-9a-f]{10}\b", "-ID"),
    (r"\d+\.\d+\.\d+\S*", "VERSION"),
)


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = [""]
        self._unseen, self._drawn = 0, 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unseen += tag in UNSEEN
        self._drawn += tag == "svg"
        if self._drawn and tag in ("title", "desc", "text"):
            self.lines[-1] += " | "
        elif tag in BLOCKS or tag == "br":
            self.lines.append("")
        if tag in ("th", "td"):
            self.lines[-1] += " | "
        if tag == "option":
            self.lines[-1] += " / "
        for name, value in attrs:
            if name in TOLD and value:
                self.lines[-1] += f" [{value}] "

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in UNSEEN
        self._drawn -= tag == "svg"
        if tag in BLOCKS and not self._drawn:
            self.lines.append("")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.lines[-1] += data


def page_text(html: str) -> str:
    """The lines of a page, its times, versions and digests scrubbed."""
    parser = _Text()
    parser.feed(html)
    lines = (re.sub(r"\s+", " ", line).strip() for line in parser.lines)
    text = "\n".join(line for line in lines if line)
    for pattern, word in SCRUBBED:
        text = re.sub(pattern, word, text)
    return text + "\n"
