"""Sets on the disk: the same bytes for the same command, whole or said not to be, and nobody else's files touched."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cnnvis_report.data.image_set import find_images
from cnnvis_report.synthetic import layers
from cnnvis_report.synthetic import write as writing_sets
from cnnvis_report.synthetic.write import KINDS
from tests.cli.words import one_line
from tests.conftest import command, fill_disk
from tests.synthetic.test_synthetic import white

EVERYTHING = [(kind.name, variant) for kind in KINDS.values() for variant in kind.variants]


def files(folder: Path) -> Any:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("kind", "variant"), EVERYTHING)
def test_the_same_command_draws_the_same_bytes(kind: Any, variant: Any, tmp_path: Path) -> None:
    words = ("make-dataset", kind, "-n", 6, "--variant", variant, "--size", 33, "-q")
    for name, seed in (("a", 4), ("b", 4), ("c", 5)):
        command(*words, "-o", tmp_path / name, "--seed", seed)
    first, again, other = (files(tmp_path / name) for name in "abc")
    assert first == again and first.keys() == other.keys()
    pictures = [name for name in first if name.startswith("images/")]
    assert all(first[name] != other[name] for name in pictures)
    described = json.loads(first["dataset.json"])
    assert sorted(described["files"]) == sorted(first.keys() - {"dataset.json"}) and described["complete"] is True
    classes = KINDS[kind].classes
    assert sorted(pictures) == sorted(f"images/{classes[at % len(classes)]}/{at + 1}.png" for at in range(6))
    for name in pictures:
        with Image.open(tmp_path / "a" / name) as picture, Image.open(tmp_path / "a" / f"masks/{name[7:]}") as mask:
            assert picture.size == mask.size == (33, 33) and mask.mode == "1" and white(mask).any()


def test_what_cannot_be_drawn_is_refused_in_one_line(tmp_path: Path) -> None:
    for words, said in (
        (("layer",), "Did you mean 'layers'?"),
        (("layers", "--variant", "graz"), "Did you mean 'gray'?"),
        (("shapes", "--variant", "gray"), "Known: plain"),
        (("layers", "--size", 23), "24 to 4096"),
        (("shapes", "-n", 4), "5 classes"),
    ):
        assert said in one_line(command("make-dataset", *words, "-o", tmp_path / "new", code=2))
    assert not (tmp_path / "new").exists()


def test_a_set_that_is_deleted_half_way_is_drawn_again_by_the_same_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever deletes a folder takes its list first, say, and pictures are written meanwhile."""
    out = tmp_path / "set"
    words = ("make-dataset", "layers", "-n", 6, "-o", out, "-q")

    def deleted(*_: Any) -> None:
        (out / "dataset.json").unlink()
        (out / "images" / "above" / "1.png").unlink()
        (out / "images" / "above" / ".2.png.0123abcd.new").touch()
        raise FileNotFoundError(2, "No such file or directory", str(out / "images" / "above" / "1.png"))

    with monkeypatch.context() as patch:
        patch.setattr(writing_sets, "_settle", deleted)
        one_line(command(*words, code=1))
    assert not files(out)
    command(*words)
    assert json.loads((out / "dataset.json").read_text())["complete"] is True


@pytest.mark.parametrize("there", ["note.txt", "dataset.json", "images/above/1.png"])
def test_a_folder_with_something_else_is_left_as_it_is(there: Any, tmp_path: Path) -> None:
    (tmp_path / there).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / there).write_text('{"format": "mine"}')
    before = files(tmp_path)
    assert "holds something else" in one_line(command("make-dataset", "layers", "-n", 2, "-o", tmp_path, code=2))
    of_file = one_line(command("make-dataset", "layers", "-n", 2, "-o", tmp_path / there, code=2))
    assert of_file.endswith(f"{there}: is a file. Give the name of a folder.\n")
    assert files(tmp_path) == before


def test_no_set_is_drawn_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    assert "file" in one_line(command("make-dataset", "layers", "-n", 2, "-o", tmp_path / "file" / "set", code=2))


@pytest.fixture
def cut_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A set of layers whose drawing was stopped at the fourth picture."""

    def stops(index: int, seed: int, side: int, variant: Any) -> Any:
        if index >= 3:
            raise KeyboardInterrupt
        return layers.draw(index, seed, side, variant)

    with monkeypatch.context() as patched:
        patched.setitem(KINDS, "layers", replace(KINDS["layers"], draw=stops))
        command("make-dataset", "layers", "-n", 8, "-o", tmp_path / "set", "--size", 24, "-q", code=130)
    return tmp_path / "set"


def test_an_incomplete_set_is_refused_and_can_be_drawn_to_its_end(cut_short: Any, tmp_path: Path) -> None:
    assert len(list(cut_short.glob("images/*/*.png"))) >= 1
    said = "this set wasn't drawn to its end. Draw it again"
    assert said in one_line(command("train", cut_short, "-o", tmp_path / "m.pt", code=2))
    assert said in one_line(command("run", "tests.factories:tiny", cut_short, "-o", tmp_path / "r", code=2))
    for folder in (cut_short, tmp_path / "fresh"):
        command("make-dataset", "layers", "-n", 8, "-o", folder, "--size", 24, "-q")
    assert files(cut_short) == files(tmp_path / "fresh")


def test_another_set_leaves_nothing_of_one_that_was_cut_short(cut_short: Any, tmp_path: Path) -> None:
    for folder in (cut_short, tmp_path / "fresh"):
        command("make-dataset", "shapes", "-n", 5, "-o", folder, "--size", 24, "-q")
    assert files(cut_short).keys() == files(tmp_path / "fresh").keys()


@pytest.mark.parametrize("full", ["dataset.json", "images/below/2.png"])
def test_on_a_full_disk_no_set_says_that_it_is_complete_and_is_not(
    full: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("make-dataset", "layers", "-n", 4, "-o", tmp_path / "set", "--size", 24, "-q")
    command(*words)
    fill_disk(monkeypatch, full.rpartition("/")[2])
    said = one_line(command(*words, "--seed", 1, code=1))
    assert "No space left on device" in said
    described = json.loads((tmp_path / "set" / "dataset.json").read_text())
    missing = [name for name in described["files"] if not (tmp_path / "set" / name).is_file()]
    assert not (described["complete"] and missing), missing


HOSTILE = {
    "up": ["../precious.txt"],
    "up and down": ["images/../../precious.txt"],
    "by a link": ["link/precious.txt"],
    "a folder": ["images", "images/above", "mine"],
    "itself": ["", ".", "images/."],
    "below a file": ["dataset.json/x", "images/above/1.png/x"],
    "no name": ["\0", "a\0b", "\ud800", "x" * 3000],
    "no text": [5, None, ["x"], {"a": 1}],
    "no list": "images/above/1.png",
}


@pytest.mark.parametrize("listed", [*HOSTILE, "absolute"])
def test_a_list_that_was_tampered_with_never_leads_out(listed: Any, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "deep").mkdir(parents=True)
    for name in (tmp_path / "precious.txt", outside / "precious.txt"):
        name.write_text("kept")
    words = ("make-dataset", "layers", "-n", 2, "-o", tmp_path / "set", "--size", 24, "-q")
    command(*words)
    fresh = files(tmp_path / "set")
    (tmp_path / "set" / "mine").mkdir()
    (tmp_path / "set" / "mine" / "note").write_text("kept")
    if listed == "by a link":
        (tmp_path / "set" / "link").symlink_to(outside)
    path = tmp_path / "set" / "dataset.json"
    names = HOSTILE.get(listed, [str(tmp_path / "precious.txt")])
    path.write_text(json.dumps(json.loads(path.read_text()) | {"files": names, "images": "../outside", "masks": "/"}))
    read = find_images([tmp_path / "set"])
    assert [each.name for each in read] == ["above/1.png", "below/2.png"]
    assert all(
        each.path.is_relative_to(tmp_path / "set") and each.mask == tmp_path / "set/masks" / each.name for each in read
    )
    command(*words)
    assert {
        name: there for name, there in files(tmp_path / "set").items() if not name.startswith(("mine", "link"))
    } == fresh
    assert (tmp_path / "precious.txt").read_text() == (outside / "precious.txt").read_text() == "kept"
    assert (tmp_path / "set" / "mine" / "note").read_text() == "kept" and (outside / "deep").is_dir()
