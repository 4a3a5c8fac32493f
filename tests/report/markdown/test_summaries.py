"""Summaries in Markdown: whole, within GitHub's length, and harmless whatever files and classes are called."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cnnvis_report.evidence.markdown import plain
from cnnvis_report.report.job_results import results_of_comparison, results_of_run
from cnnvis_report.report.markdown.comparison import comparison_document
from cnnvis_report.report.markdown.document import LARGEST, LONGEST, MARK, Document, Section, picture_address
from cnnvis_report.rules.judge import judge
from cnnvis_report.rules.rule import RuleText
from cnnvis_report.store.run_folder import load_run
from tests.conftest import HOSTILE
from tests.rules.compared import HOSTILE as NAME
from tests.rules.compared import PAIR, THREE

ESCAPED = re.compile(r"\\[!-/:-@\[-`{-~]")  # a letter that Markdown shows as it is


def live(text: str) -> list[str]:
    """What Markdown or GitHub would make something of, but for what a summary has itself."""
    text = re.sub(r"(?m)^(- )?(❌ |✅ )?\*\*[^*]+\*\*", "", ESCAPED.sub("", text.removeprefix(MARK)))
    text = re.sub(r"(?m)^!\[[^\]]*\]\([\w.%:;/,+=-]+\)$|^#+ |^\| | \|$| \| ", "", text)
    return re.findall(r"[<>`$|]|\]\(|\]:|\]\[|@\w|#\d|://|www\.|\*\*", text)


@pytest.mark.parametrize(
    "name",
    [
        *HOSTILE,
        NAME,
        "- [x] a",
        "# head",
        "1. one",
        "---",
        "***",
        "a\nb\r\n# c",
        "https://evil.example",
        "www.evil.example",
        "@user",
        "user@evil.example",
        "GH-12 #12",
        "&lt;b&gt; &#64;user",
        "~~gone~~ $$x$$",
        "\u202egnp.exe",
        "[a]: javascript:x",
    ],
    ids=str,
)
def test_no_name_is_more_than_text(name: str) -> None:
    text = plain(name)
    assert live(text) == [] and "\n" not in text
    assert not re.match(r"[#>+-]\s|\d+[.)]\s|(---|\*\*\*)$", text)
    shown = ESCAPED.sub(lambda match: match[0][1], text).replace("\u2060", "")
    assert shown == " ".join("".join(letter if letter.isprintable() else " " for letter in name).split())


def test_a_summary_of_a_run_says_what_its_pages_say_and_nothing_lives_in_it(report: Path) -> None:
    results = results_of_run(load_run(report))
    outcomes = [judge(RuleText().parse(text), results.values) for text in ("images>1", "recall[*]<0")]
    text = results.document(outcomes).text("figure%20a.png")
    assert text.startswith(f"{MARK}\n\n# What tiny looks at in ") and len(text) < LONGEST
    assert "- ❌ **Fails**: images\\>1, as images is 6\n- ✅ Passes: recall[\\*]\\<0, as " in text
    assert "](figure%20a.png)\n" in text
    for topic, sentence in results.findings:
        assert f"- **{topic}**: {plain(sentence)}\n" in text
    assert live(text) == []
    parser = _Tags()
    parser.feed(ESCAPED.sub("", text))
    assert parser.tags == []


def test_a_summary_of_a_comparison_has_a_column_a_run() -> None:
    text = comparison_document(THREE, []).text()
    assert "|  | old | b | c |\n" in text and "## Broken (1)" in text
    assert "| 1.png | cat | ✓ cat (75.0%) | ✗ dog (75.0%) | ✓ cat (75.0%) |" in text
    assert "| Accuracy | 90% [80, 100] | 70% [60, 80] | 80% [70, 90] |" in text
    assert "| Accuracy, difference to the first |  | −20 points [−40, 10] | −10 points [−40, 10] |" in text
    assert "| Cam | 0.30 [0.20, 0.40] | 0.10 [0.00, 0.20] | 80% [70, 90] | 60% [50, 70] | 40% [30, 50] |" in text
    assert "| 1.png | 0.100 | 0.100 | cat |" in text


def test_nothing_lives_in_a_summary_of_a_comparison() -> None:
    text = results_of_comparison(PAIR, lambda: b"").document([]).text("a.png")
    assert live(text) == [] and NAME not in text
    table = [line for line in text.splitlines() if line.startswith("| ")]
    columns = [len(re.findall(r"(?<!\\)\|", line)) for line in table]
    assert columns and all(count in (3, 4, 5, 6) for count in columns)


def test_beside_a_run_both_are_summed_up(report: Path) -> None:
    later = results_of_run(load_run(report))
    results = results_of_comparison(PAIR, lambda: b"", later)
    text = results.document([]).text()
    assert text.index("- **Accuracy**: fell on") < text.index(f"- **Accuracy**: {plain(later.findings[0][1])}")
    assert "## Broken (2)" in text and "## Classes, lowest recall first" in text
    labels = [value.label for value in results.values]
    assert len(labels) == len(set(labels)) and {"broken", "recall[circle]"} <= set(labels)
    (accuracy,) = [value for value in results.values if value.label == "accuracy"]
    assert accuracy in later.values, "its own, on all of its images"


def test_what_does_not_fit_is_left_out_from_the_end() -> None:
    sections = tuple(Section(f"Part {number}", "x" * 20_000) for number in range(5))
    text = Document("Title", ("- opening",), sections, "picture").text("a.png")
    assert len(text) < LONGEST and "![picture](a.png)" in text
    assert re.findall(r"## Part (\d)", text) == ["0", "1", "2"]
    assert text.endswith("Left out, for the length: 2 more of the report's tables.\n")


@pytest.mark.parametrize("images", [60, 6000])
def test_a_large_comparison_stays_within_the_length(images: int) -> None:
    many = tuple(replace(image, name=f"{number} {NAME * 20}") for number, image in enumerate([*PAIR.images] * images))
    text = comparison_document(replace(PAIR, images=many, notices=(NAME * 9,) * 300), []).text("a" * 48_000)
    assert len(text) < LONGEST and text.count("\n## ") >= 3


def test_a_picture_in_the_text_is_small_enough(report: Path) -> None:
    png = results_of_run(load_run(report)).picture()
    address = picture_address(png)
    assert address.startswith("data:image/webp;base64,") and len(address) < LARGEST * 4 / 3 + 30


class _Tags(HTMLParser):
    """The tags of a text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attributes: object) -> None:
        self.tags.append(tag)
