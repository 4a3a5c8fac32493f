"""docs/run-folder.md says what lies in a run folder: every file, every array, every part of run.json, and no other."""

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.run import RunRecord
from cnnvis_report.store.array_files.array_checks import INSPECTION
from cnnvis_report.store.array_files.arrays import names_in

DOCS = (Path(__file__).parents[2] / "docs" / "run-folder.md").read_text(encoding="utf-8")
TREE = DOCS.partition("```\n")[2].partition("```")[0].splitlines()[1:]
FILES = [line.split()[0] for line in TREE]
MAPS = re.findall(r'^maps\["([^"]+)"\]', DOCS, re.MULTILINE)


def pattern(name: str) -> re.Pattern[str]:
    return re.compile(re.escape(name).replace(r"\*\*", ".+").replace(r"\*", "[^/]+"))


@pytest.fixture(scope="module")
def content(report: Path) -> Any:
    return json.loads((report / "run.json").read_text(encoding="utf-8"))


def test_every_file_is_in_the_tree_and_every_line_of_it_has_a_file(report: Path) -> None:
    there = [path.relative_to(report).as_posix() for path in report.rglob("*") if path.is_file()]
    assert [name for name in there if not any(pattern(line).fullmatch(name) for line in FILES)] == []
    assert [line for line in FILES if not any(pattern(line).fullmatch(name) for name in there)] == []


def test_every_kind_of_array_of_layers_has_a_row_and_every_row_is_one() -> None:
    rows = set(re.findall(r"^\| `(\w+)/", DOCS, re.MULTILINE)) | set(re.findall(r", `(\w+)/\w+` \|", DOCS))
    assert rows - {"IMAGE"} == set(INSPECTION)


def test_every_array_that_a_run_writes_is_one_of_these(report: Path) -> None:
    for path in (report / "inspection").iterdir():
        row = "network" if path.stem == "network" else "an image"
        for name in names_in(path):
            kind = name.partition("/")[0]
            assert re.search(rf"^\| .*`{kind}/[^|]*\| {row} \|", DOCS, re.MULTILINE), name
    words = {name for name in MAPS if "/" not in name}
    for path in (report / "arrays").iterdir():
        assert {name for name in names_in(path) if "/" not in name} <= words


def test_run_json_has_the_parts_and_the_digests_that_are_told(content: Any) -> None:
    assert "`run.json` has `format`, `run`, a [RunRecord]" in DOCS and "`sha256` stands in `run`" in DOCS
    assert set(content) == {"format", "run", "images"}
    assert set(content["run"]) == {field.name for field in fields(RunRecord)} | {"sha256"}
    for image in content["images"]:
        assert set(image) == {field.name for field in fields(ImageRecord)} | {"sha256"}


def test_every_fact_of_the_provenance_is_told(content: Any) -> None:
    (row,) = re.findall(r"^\| `provenance` .*", DOCS, re.MULTILINE)
    assert set(re.findall(r'"(\w+)"', row)) == set(content["run"]["provenance"]) - {"sha256"}
