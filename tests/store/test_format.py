"""Run folders of this format load, for good; those of another one are refused with what to do."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from cnnvis_report.errors import BadRequest
from cnnvis_report.store import NETWORK, load_run
from tests.fixtures.make_run import FOLDER


def test_a_run_that_somebody_kept_still_loads() -> None:
    stored = load_run(FOLDER)
    images = list(stored.images())
    assert stored.record.images == len(images) == 2
    for image in images:
        maps = stored.maps(image)
        assert {record.key for record in image.maps} <= set(maps)
        assert stored.inspection_arrays(image.id)
    assert stored.inspection_arrays(NETWORK)


@pytest.mark.parametrize(
    ("new", "old", "says"),
    [
        ("cnnvis-report/2", "cnnvis-report/1", "is of format 'cnnvis-report/1', and this version reads"),
        ('"methods": [', '"cards": [', "cards is unknown"),
        ('"inspection": {', '"inside": {', "run.inside is unknown"),
        ('"snapshots": []', '"films": []', "run.films is unknown"),
    ],
    ids=["format 1", "cards", "inside", "films"],
)
def test_an_older_run_is_refused_in_one_line_that_says_how_to_make_it_again(
    tmp_path: Path, new: Any, old: Any, says: str
) -> None:
    shutil.copytree(FOLDER, tmp_path / "r")
    manifest = tmp_path / "r" / "run.json"
    text = manifest.read_text(encoding="utf-8")
    assert new in text
    manifest.write_text(text.replace(new, old, 1), encoding="utf-8")
    with pytest.raises(BadRequest) as refusal:
        load_run(tmp_path / "r")
    said = str(refusal.value)
    assert says in said and "Start the run again with its command." in said and "\n" not in said
