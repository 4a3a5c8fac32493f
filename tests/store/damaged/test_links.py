"""Links in the place of files and folders of a run."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from cnnvis_report.errors import BadRequest
from cnnvis_report.store import manifest
from cnnvis_report.store.own_files import pages_of
from tests.conftest import command
from tests.store.damaged.runs import refused
from tests.store.run_files import files


@pytest.mark.parametrize("name", ["arrays", "images", "stills", "assets"])
def test_no_link_is_followed_to_write_or_remove(name: str, report: Path, tmp_path: Path, again: Any) -> None:
    elsewhere = tmp_path / "elsewhere"
    shutil.move(report / name, elsewhere)
    (elsewhere / "precious.txt").write_text("mine")
    before = files(elsewhere)
    (report / name).symlink_to(elsewhere)
    (report / "pages.json").write_text(json.dumps([f"{name}/precious.txt", *pages_of(report)]))
    said = command("render", report, code=2).stderr
    assert "is a link" in said or "is no folder of a run's own" in said
    again("--seed", "1", code=2)
    assert files(elsewhere) == before


@pytest.mark.parametrize("name", ["run.json", "arrays"])
def test_a_link_in_the_place_of_a_file_is_not_read(name: str, report: Path, tmp_path: Path) -> None:
    path = report / name if name == "run.json" else sorted((report / name).iterdir())[0]
    shutil.move(path, tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    said = refused(report)
    assert "is a link" in said and path.name in said


def test_no_link_is_followed_to_read(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("{}")
    (tmp_path / "run.json").symlink_to("elsewhere")
    with pytest.raises(BadRequest, match="is a link, where a file has to be"):
        list(manifest.list_lines(tmp_path / "run.json"))


def test_a_link_in_the_place_of_a_page_gives_way(report: Path, tmp_path: Path) -> None:
    for name in ("index.html", "pages.json"):
        (tmp_path / name).write_bytes((report / name).read_bytes())
        (report / name).unlink()
        (report / name).symlink_to(tmp_path / name)
    before = (tmp_path / "index.html").read_bytes(), (tmp_path / "pages.json").read_bytes()
    command("render", report)
    assert not (report / "index.html").is_symlink() and not (report / "pages.json").is_symlink()
    assert before == ((tmp_path / "index.html").read_bytes(), (tmp_path / "pages.json").read_bytes())
