"""The collector of garbage is as it was, whatever becomes of a search."""

import gc
from pathlib import Path

import pytest
from PIL import Image

from cnnvis_report.data import image_set
from cnnvis_report.data.discovery.garbage_collection import YOUNG, growing
from cnnvis_report.errors import BadRequest


def test_threshold_is_raised_while_a_set_grows_and_given_back() -> None:
    before = gc.get_threshold()
    with growing():
        assert gc.get_threshold() == (YOUNG, *before[1:])
    assert gc.get_threshold() == before


def test_threshold_is_given_back_where_nothing_is_there(tmp_path: Path) -> None:
    before = gc.get_threshold()
    with pytest.raises(BadRequest):
        image_set.find_images([tmp_path / "nothing"])
    assert gc.get_threshold() == before


def test_a_search_raises_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    raised = []
    monkeypatch.setattr(gc, "set_threshold", lambda *numbers: raised.append(numbers[0]))
    image_set.labeled(image_set.find_images([tmp_path]), [])
    assert raised.count(YOUNG) == 2
