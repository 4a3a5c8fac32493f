"""Nothing that a picture says of itself reaches a report: no position, name, comment, profile or serial number."""

import base64
from pathlib import Path

import pytest

from tests.conftest import command
from tests.pictures_with_metadata import PICTURES, SECRET, TEXT, color
from tests.report_bytes import said_in

RUN = ("run", "tests.factories:bright", "-m", "gradient,grad_cam", "--device", "cpu", "--metrics", "none")


@pytest.mark.parametrize("single", [False, True], ids=["site", "single-file"])
def test_no_report_tells_what_a_picture_says_of_itself(single: bool, tmp_path: Path) -> None:
    for number, (name, write) in enumerate(PICTURES.items()):
        content = write(color(20 * number + 30))
        assert name == "e.gif" or TEXT.lower() in content.lower(), "the secret is in the picture"
        (tmp_path / "set" / "class 1").mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / "class 1" / name).write_bytes(content)
    command(*RUN, tmp_path / "set", "-o", tmp_path / "r", *(["--single-file"] if single else []))
    assert said_in(tmp_path / "r", SECRET) == []


def test_a_secret_would_be_seen(tmp_path: Path) -> None:
    picture = PICTURES["b.png"](color(9))
    (tmp_path / "page.html").write_bytes(b'<img src="data:image/png;base64,' + base64.b64encode(picture) + b'">')
    (tmp_path / "wide.json").write_bytes(SECRET.encode("utf-16-le"))
    tells = said_in(tmp_path, SECRET)
    assert "page.html base64 0" in tells and "wide.json" in tells and any("icc_profile" in entry for entry in tells)
