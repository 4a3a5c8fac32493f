"""The record of a comparison, which may be a stranger's: read as it was written, or refused in a line."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from cnnvis_report.comparison.read import write_compared
from cnnvis_report.errors import BadRequest
from cnnvis_report.store.comparison.comparison_file import BEHIND_IMAGES, FIRST_LINE, load_comparison
from cnnvis_report.store.files.digests import SEAL, sealed
from tests.comparison.runs import CLASSES, Planted, planted_run

IMAGES = 3


@pytest.fixture
def record(tmp_path: Path) -> Path:
    images = [Planted(f"{number}.png", label=1) for number in range(IMAGES)]
    write_compared([planted_run(tmp_path / name, images, classes=CLASSES) for name in ("old", "new")], tmp_path)
    return tmp_path / "comparison.json"


def rewrite(record: Path, change: Callable[[list[dict[str, Any]]], object]) -> None:
    """Change images, with a seal that is right for what they say then."""
    content = json.loads(record.read_text("utf-8"))
    change(content["images"])
    head = f"{FIRST_LINE}\n" + ",\n".join(map(json.dumps, content["images"])) + f"\n{BEHIND_IMAGES}"
    rest = {name: value for name, value in content["comparison"].items() if name != SEAL}
    rest = sealed(rest, sha256(head.encode()).hexdigest())
    record.write_text(f'{head}"comparison": {json.dumps(rest)}}}\n', "utf-8")


def test_images_are_read_as_they_were_written(record: Path) -> None:
    before = tuple(load_comparison(record.parent).images)
    rewrite(record, lambda images: None)
    assert before == tuple(load_comparison(record.parent).images) and len(before) == IMAGES


@pytest.mark.parametrize(
    ("field", "values", "says"),
    [
        ("ids", ["a"], r"image.ids is a list of 1 in the place of 2"),
        ("predictions", [], r"image.predictions is a list of 0 in the place of 2"),
        ("targets", ["", "", ""], r"image.targets is a list of 3 in the place of 2"),
        ("flips", [], r"image.flips is a list of 0 in the place of 1"),
        ("movement", [0.5, 0.5], r"image.movement is a list of 2 in the place of 1"),
        ("keys", {"cam": ["cam/0"]}, r"image.keys\['cam'\] is a list of 1 in the place of 2"),
        ("moved", {"cam": []}, r"image.moved\['cam'\] is a list of 0 in the place of 1"),
        ("mask_energy", {"cam": [0.5]}, r"image.mask_energy\['cam'\] is a list of 1 in the place of 2"),
    ],
)
def test_an_image_says_as_much_of_each_run(record: Path, field: str, values: object, says: str) -> None:
    rewrite(record, lambda images: images[1].update({field: values}))
    images = load_comparison(record.parent).images
    assert images[0].name == "0.png"
    with pytest.raises(BadRequest, match=says):
        images[1]


@pytest.mark.parametrize("behind", ["a line", "its last line", "all of it"])
def test_nothing_stands_behind_the_end(record: Path, behind: str) -> None:
    text = record.read_text("utf-8")
    more = {"a line": "{}\n", "its last line": text.splitlines(keepends=True)[-1], "all of it": text}
    record.write_text(text + more[behind], "utf-8")
    with pytest.raises(BadRequest, match="was changed after"):
        load_comparison(record.parent)


@pytest.mark.parametrize("line", ["\n", "{},\n", "null,\n"])
def test_lines_that_hold_no_image_take_no_memory(record: Path, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    text = record.read_text("utf-8").replace(FIRST_LINE + "\n", FIRST_LINE + "\n" + line * 1000)
    record.write_text(text, "utf-8")
    monkeypatch.setattr("cnnvis_report.store.comparison.comparison_file.lines_at", lambda path: counted(path, read))
    with pytest.raises(BadRequest, match="was changed after"):
        load_comparison(record.parent)
    assert len(read) == 2, "the first of them ends the reading"


def counted(path: Path, read: list[int]) -> Any:
    from cnnvis_report.store.manifest import lines_at

    for start, line in lines_at(path):
        read.append(start)
        yield start, line


def test_a_line_that_a_parser_unfolds_is_not_parsed(record: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = load_comparison(record.parent).images  # and then somebody changes the file
    monkeypatch.setattr("cnnvis_report.store.manifest.MOST_VALUES", 5)
    with pytest.raises(BadRequest, match="in the place of"):
        images[0]
