"""What the terminal says, compared with files: REWRITE_GOLD=1 pytest tests/cli writes them anew, to be looked at."""

import os
import re
from pathlib import Path

FOLDER = Path(__file__).with_name("gold")
SCRUBBED = (
    (r"\u202f", " "),
    (r"\b(\d+ h )?(\d+ min )?\d+(\.\d+)? s\b", "<time>"),
    (r"about <time>|less than a second", "<estimate>"),
    (r"\d+(\.\d+)? ?%", "<share>"),
    (r"(?m)^ {10}most of it: .*\n", ""),  # said of what takes a second
    (r"loss \d+\.\d+", "loss <loss>"),
    (r"(?m)(?<=accuracy)\s+<share>", " <share>"),
    (r"\d+(\.\d+)? (bytes|kB|MB)", "<size>"),
    (r"; <time> per image", ""),  # said where it is long enough
    (r": \d+\.\d+ × the theoretical minimum, <time> for its passes alone", ""),
    (r"(?m)^ {10}(\w+ <time> *)+\n", ""),  # which methods took long enough to be named
    (r"(?m)  (<estimate> left|<time>)?( +best so far)?$", ""),
    (r"(?m)^(Explain|Train|Read|Pages) +\d+ of \d+, .*\n", ""),  # progress, where a machine is slow
)


def scrubbed(text: str, *folders: Path) -> str:
    """The text without times, shares and sizes that another machine has otherwise, and without this one's folders."""
    for folder in folders:
        text = text.replace(str(folder), "<folder>")
    for pattern, instead in SCRUBBED:
        text = re.sub(pattern, instead, text)
    return text


def check(name: str, text: str) -> None:
    """Compare with the file of that name, or write it where REWRITE_GOLD is set."""
    path = FOLDER / f"{name}.txt"
    if os.environ.get("REWRITE_GOLD"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"{path.name} isn't what is said now; see {Path(__file__).name}"
