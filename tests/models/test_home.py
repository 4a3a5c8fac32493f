"""Paths from a home folder, of users that there are and of others."""

from pathlib import Path

import pytest

from cnnvis_report.models.home import from_home
from tests.conftest import command


def test_a_home_folder_takes_the_place_of_its_sign() -> None:
    assert from_home("~/net.py:net") == str(Path.home() / "net.py:net")
    assert from_home("resnet~50") == "resnet~50"


@pytest.mark.parametrize("model", ["~nobody123x", "~nobody123x/net.py:net", "~nobody123x/model.pt"])
def test_a_user_that_nobody_knows_is_a_name_that_nobody_knows(model: str, tmp_path: Path) -> None:
    said = command("run", model, tmp_path, "-o", tmp_path / "r", code=2).output
    assert said.count("\n") == 1 and model.partition(":")[0] in said
