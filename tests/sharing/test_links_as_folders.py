"""No command that writes a folder writes through a link, wherever it leads: the same line for all of them."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import command

COMMANDS = {
    "run": (("run", "resnet18", "photos", "-o"), "-o "),
    "inspect": (("inspect", "resnet18", "photos", "-o"), "-o "),
    "demo": (("demo", "-o"), "-o "),
    "compare": (("compare", "report", "other", "-o"), "-o "),
    "export": (("export", "report", "-o"), "-o "),
    "make-dataset": (("make-dataset", "shapes", "-n", "5", "-o"), "-o "),
    "copy": (("render", "report", "--anonymous", "--copy"), "--copy "),
    "train": (("train", "photos", "--report"), "--report "),
    "render": (("render",), ""),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_link_is_refused_in_one_line_and_nothing_is_written(
    name: str, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words, option = COMMANDS[name]
    monkeypatch.chdir(small.parent)
    shutil.copytree(small, "other")
    target = small if name == "render" else Path("elsewhere")
    target.mkdir(exist_ok=True)
    before = {path: path.stat().st_mtime_ns for path in target.rglob("*")}
    Path("link").symlink_to(target)
    refused = command(*words, "link", code=2).stderr
    assert refused == (
        f"Error: {option}link: is a link to {target.resolve()}, and nothing is written through a link. "
        "Give that folder itself, or another name.\n"
    )
    assert before == {path: path.stat().st_mtime_ns for path in target.rglob("*")}
    Path("link").unlink()
    Path("link").symlink_to("nowhere")
    if name != "render":
        lost = command(*words, "link", code=2).stderr
        assert lost == f"Error: {option}link: is a link, and nothing is written through a link. Give another name.\n"


def test_a_folder_below_a_link_is_written_into(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(small.parent)
    Path("disk").mkdir()
    Path("link").symlink_to("disk")
    command("export", "report", "-o", "link/maps")
    assert Path("disk/maps/manifest.json").is_file()


def test_a_file_in_its_place_is_called_one_by_the_option_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("mine", encoding="utf-8")
    said = [command("train", "photos", "--report", path, code=2).stderr for path in ("file", "file/report")]
    assert said[0] == "Error: --report file: is a file. Give the name of a folder.\n"
    assert said[1].startswith("Error: --report file/report: ") and "is a file, and no folder can be made" in said[1]
