"""Drawn sets: what decides the class is under the mask, all else says nothing, no stranger's file is touched."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from cnnvis_report.data.image_set import find_images
from cnnvis_report.synthetic import layers, shapes
from cnnvis_report.synthetic.write import KINDS
from tests.cli.test_cli import one_line
from tests.conftest import command, fill_disk

SIDE = 96
EVERYTHING = [(kind.name, variant) for kind in KINDS.values() for variant in kind.variants]


def white(mask: Any) -> Any:
    return np.asarray(mask.convert("L")) > 127


def grown(mask: Any, by: Any) -> Any:
    """The mask and all within so many pixels of it."""
    return np.asarray(Image.fromarray(np.uint8(mask) * 255).filter(ImageFilter.MaxFilter(2 * by + 1))) > 0


def drawn(index: int, variant: Any, side: Any = SIDE, seed: Any = 5) -> Any:
    drawing = layers.draw(index, seed, side, variant)
    assert drawing.picture.mode == "L" and drawing.picture.size == drawing.mask.size == (side, side)
    return drawing, np.asarray(drawing.picture).astype(float), white(drawing.mask)


def outline_of(mask: Any) -> Any:
    """The edge of the patch, one pixel wide at 96 a side."""
    return mask & grown(~mask, 1)


def files(folder: Path) -> Any:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("side", [24, 40, 64, 96])
def test_the_patch_lies_on_the_side_of_the_thick_line_that_the_class_says(side: int) -> None:
    for index in range(50):
        drawing, picture, patch = drawn(index, "shift", side)
        rows, columns = (patch.any(axis).nonzero()[0] for axis in (1, 0))
        assert patch.sum() == len(rows) * len(columns) > 0
        ink = np.where(patch, 0, 255 - picture)  # what is left of this scheme is the thick line
        assert (ink.sum(axis=0) > 0).all() and ink.max() > 200
        middle = (ink * np.arange(side)[:, None]).sum(axis=0) / ink.sum(axis=0)
        above, below = rows.max() < middle[columns].min(), rows.min() > middle[columns].max()
        assert (above, below) == (drawing.target == 0, drawing.target == 1)
        if side >= 64:  # clear of its ink too
            inked = np.flatnonzero((ink[:, columns] > 0).any(axis=1))
            assert rows.max() < inked.min() or rows.min() > inked.max()


def test_all_variants_of_a_number_share_the_scene() -> None:
    for index in range(12):
        masks = {variant: drawn(index, variant)[0] for variant in layers.VARIANTS}
        for drawing in masks.values():
            assert np.array_equal(white(drawing.mask), white(masks["gray"].mask)) and drawing.target == index % 2
        decoys = [white(drawing.others["decoys"]) for name, drawing in masks.items() if name != "shift"]
        assert all(np.array_equal(each, decoys[0]) and each.any() for each in decoys) and not masks["shift"].others
        assert not (decoys[0] & white(masks["gray"].mask)).any()


def test_stripes_are_shifted_by_a_share_of_their_period_in_the_patch_and_nowhere_else() -> None:
    for index in range(12):
        scene = layers._scene(np.random.default_rng([5, index]), index % 2, SIDE)
        still, quarter, half, shifted = (
            layers._ground(replace(scene, shift=shift), np.random.default_rng([5, index, 1]))
            for shift in (0.0, 0.25, 0.5, scene.shift)
        )
        drawing, picture, patch = drawn(index, "gray")
        assert np.array_equal(shifted[~patch], still[~patch])
        # sin p + sin(p + π) = 0, so the mean is all but the stripes; sin(p + s) = cos s · sin p + sin s · cos p
        rest, turn = (still + half) / 2, math.tau * scene.shift
        expected = rest + math.cos(turn) * (still - rest) + math.sin(turn) * (quarter - rest)
        np.testing.assert_allclose(shifted[patch], expected[patch], atol=1e-4)
        assert np.ptp((still - rest)[patch]) > 0.2
        assert np.corrcoef((shifted - rest)[patch], (still - rest)[patch])[0, 1] < -0.6
        bare = ~grown(white(drawing.others["decoys"]), 2)
        assert np.array_equal(picture[bare], np.floor(np.clip(shifted * 255, 0, 255))[bare])


def test_schemes_are_white_but_for_what_they_name() -> None:
    for index in range(12):
        _, shift, patch = drawn(index, "shift")
        annotated, picture, _ = drawn(index, "annotated")
        decoys, outline = white(annotated.others["decoys"]), outline_of(patch)
        assert (shift[patch & ~outline] == 255).all() and (shift[outline] < 30).all()
        assert np.array_equal(picture[~grown(decoys, 2)], shift[~grown(decoys, 2)]) and (picture[decoys] < 160).all()
        rows = (shift < 255).sum(axis=0)[~patch.any(axis=0)]
        assert rows.min() >= 3 and rows.max() <= 7  # beside the patch the line alone, 0.028 of a side thick


def test_the_marked_scene_differs_on_the_outline_alone() -> None:
    for index in range(12):
        _, gray, patch = drawn(index, "gray")
        _, marked, _ = drawn(index, "marked")
        assert np.array_equal(marked[~outline_of(patch)], gray[~outline_of(patch)])
        assert (marked[outline_of(patch)] == 255).all()


def test_the_misleading_mark_goes_with_the_class_by_its_shape_in_four_pictures_of_five() -> None:
    bearing, count = 0, 250
    for index in range(count):
        drawing, picture, patch = drawn(index, "misleading")
        mark = white(drawing.others["marks"])
        if not mark.any():
            continue
        bearing += 1
        top, left = (mark.any(axis).nonzero()[0].min() for axis in (1, 0))
        # 2/11 of the side in from a corner a disc has begun, a cross of thirds hasn't
        diagonal = [mark[top + row, left + column] for row in (2, 8) for column in (2, 8)]
        assert diagonal == [drawing.target == 0] * 4 and not (mark & patch).any()
        if index < 12:
            _, gray, _ = drawn(index, "gray")
            assert np.array_equal(picture[~grown(mark, 2)], gray[~grown(mark, 2)]) and (picture[mark] > 120).all()
    assert abs(bearing / count - 0.8) < 4 * math.sqrt(0.16 / count)


def test_decoys_say_nothing_of_the_class() -> None:
    found = []  # of each scene: how many above the line, below it, and of three corners
    for index in range(400):
        scene = layers._scene(np.random.default_rng([2, index]), index % 2, SIDE)
        centers = [np.mean(corners, axis=0) for corners in scene.decoys]
        below = sum(y > scene.line[int(x)] for x, y in centers)
        found.append((len(centers) - below, below, sum(len(corners) == 3 for corners in scene.decoys)))
    counts = np.array(found, float)
    first, second = counts[0::2], counts[1::2]
    chance = np.sqrt(first.var(axis=0) / 200 + second.var(axis=0) / 200)
    assert (np.abs(first.mean(axis=0) - second.mean(axis=0)) < 4 * chance).all()
    assert counts.min() >= 0 and counts[:, :2].mean() > 2


def test_the_corner_of_the_mark_says_nothing_of_the_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "_decoys", lambda *_: ())  # drawn before the corner, and slow
    count, corners = 12_000, np.zeros((2, 2, 2))
    for index in range(count):
        mark = layers._scene(np.random.default_rng([2, index]), index % 2, SIDE).mark
        if mark is not None:
            corners[index % 2, int(mark[1] > SIDE / 2), int(mark[0] > SIDE / 2)] += 1
    shares = corners / corners.sum(axis=(1, 2), keepdims=True)
    chance = math.sqrt(2 * 0.25 / (0.4 * count))
    assert np.abs(shares[0] - shares[1]).sum() / 2 < 4 * chance


def test_a_shape_has_one_color_under_its_mask() -> None:
    for index in range(25):
        drawing = shapes.draw(index, 3, 80)
        mask, pixels = white(drawing.mask), np.asarray(drawing.picture).astype(float)
        inner = ~grown(~mask, 3)
        if shapes.CLASSES[drawing.target] == "ring":  # its hole is part of what decides, and shows the ground
            center, radius = np.argwhere(mask).mean(axis=0), math.sqrt(mask.sum() / math.pi)
            away = np.linalg.norm(np.argwhere(mask) - center, axis=1) / radius
            inner = np.zeros_like(mask)
            inner[tuple(np.argwhere(mask)[(away > 0.66) & (away < 0.88)].T)] = True
        plain = inner & (pixels.max(axis=2) < 255) & (pixels.min(axis=2) > 0)  # not cut off by the grain
        apart = pixels[..., 0] - pixels[..., 1]  # the grain is the same in all channels
        if plain.sum() > 20:
            assert apart[plain].std() < 1.5 < apart[~grown(mask, 2)].std()


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


@pytest.mark.parametrize("there", ["note.txt", "dataset.json", "images/above/1.png"])
def test_a_folder_with_something_else_is_left_as_it_is(there: Any, tmp_path: Path) -> None:
    (tmp_path / there).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / there).write_text('{"format": "mine"}')
    before = files(tmp_path)
    assert "holds something else" in one_line(command("make-dataset", "layers", "-n", 2, "-o", tmp_path, code=2))
    assert "holds something else" in one_line(
        command("make-dataset", "layers", "-n", 2, "-o", tmp_path / there, code=2)
    )
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
