"""Which images a gallery shows, and in which order: the pure functions, called in Chromium."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pages.browser import Visit

pytestmark = pytest.mark.browser

ITEMS = {
    "ids": ["a", "b", "c", "d", "e"],
    "names": ["cat/10.png", "cat/9.png", "dog/1.png", "DOG/2 & <b>.png", "none.png"],
    "byName": [1, 0, 2, 3, 4],
    "classes": ["cat", "dog"],
    "labels": [[0], [0], [1], [1], []],
    "predicted": [[0], [1], [0], [0], [1]],
    "scores": [0.9, 0.5, 0.95, 0.3, 1.0],
    "verdicts": [["correct", "✓"], ["misclassified", "✗"], ["unknown", ""]],
    "verdict": [0, 1, 1, 1, 2],
    "measures": {"mass": [0.5, None, 0.1, 0.7, None]},
}


@pytest.fixture(scope="module")
def scripts(chromium: Any, moved: Path) -> Iterator[Any]:
    visit = Visit(chromium)
    yield visit.open(moved / "methods.html")
    visit.is_quiet()
    visit.close()


@pytest.mark.parametrize(
    ("state", "ids"),
    [
        ({}, "abcde"),
        ({"verdict": "misclassified"}, "bcd"),
        ({"label": "dog"}, "cd"),
        ({"predicted": "dog"}, "be"),
        ({"confidence": "0.5-0.9"}, "b"),
        ({"confidence": "0.9-1"}, "ace"),
        ({"q": "DOG 2"}, "d"),
        ({"q": "<b>"}, "d"),
        ({"q": "bird"}, ""),
        ({"sort": "lowest"}, "dbace"),
        ({"sort": "highest"}, "ecabd"),
        ({"sort": "name"}, "bacde"),
        ({"sort": "predicted"}, "acdbe"),
        ({"sort": "lowest-mass"}, "cadbe"),
        ({"sort": "highest-mass"}, "dacbe"),
        ({"sort": "highest-unknown"}, "abcde"),
        ({"sort": "nonsense"}, "abcde"),
        ({"group": "label"}, "abcde"),
        ({"group": "predicted", "sort": "lowest"}, "dacbe"),
        ({"group": "pair"}, "cdbae"),
    ],
    ids=lambda value: str(value) or "none",
)
def test_images_are_chosen_and_ordered(scripts: Any, state: dict[str, str], ids: str) -> None:
    assert scripts.evaluate("([items, state]) => CnnVis.galleryOrder(items, state)", [ITEMS, state]) == list(ids)


def test_a_filter_is_a_text_and_back(scripts: Any) -> None:
    nothing = dict.fromkeys(("verdict", "label", "predicted", "confidence", "sort", "group", "q"), "")
    state = {**nothing, "label": "a & b=c", "sort": "lowest", "q": "é #"}
    text = scripts.evaluate("(state) => CnnVis.formatFilter({ ...state, show: 'cam', start: '61' })", state)
    assert text == "label=a+%26+b%3Dc&q=%C3%A9+%23&sort=lowest"
    assert scripts.evaluate("(text) => CnnVis.parseFilter(text)", text) == state
    assert scripts.evaluate("CnnVis.formatFilter(CnnVis.parseFilter('nothing=1'))") == ""


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("CnnVis.firstShown('1', 150)", 0),
        ("CnnVis.firstShown('61', 150)", 60),
        ("CnnVis.firstShown('100', 150)", 60),
        ("CnnVis.firstShown('9999', 150)", 120),
        ("CnnVis.firstShown('-5', 150)", 0),
        ("CnnVis.firstShown('nonsense', 150)", 0),
        ("CnnVis.firstShown('61', 0)", 0),
        ("CnnVis.folderOf('file:///home/me/my%20report/index.html#q=1')", "/home/me/my report"),
        ("CnnVis.folderOf('file:///C:/reports/one/index.html')", "C:/reports/one"),
        ("CnnVis.folderOf('file:///%E0%A4%A/index.html')", "RUN"),
        ("CnnVis.folderOf('https://example.org/report/index.html')", "RUN"),
        (
            "CnnVis.figureCommand(\"/it's here\", ['01-a', '02-b'], ['cam'])",
            "cnnvis-report figure '/it'\\''s here' --images 01-a,02-b --methods cam -o figure.pdf",
        ),
    ],
)
def test_pure_functions_of_the_gallery(scripts: Any, code: str, expected: Any) -> None:
    assert scripts.evaluate(f"() => {code}") == expected
