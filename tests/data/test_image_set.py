"""Images as strangers make them: formats, modes, labels, names, and files that are no good."""

import errno
import io
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.models import get_model_weights

from cnnvis_report.data import pixels
from cnnvis_report.data.image_set import find_images, labeled
from cnnvis_report.data.pixels import UnusablePicture
from cnnvis_report.data.preprocessing.prepare import prepare
from cnnvis_report.data.preprocessing.preprocessing import Levels, Preprocessing
from cnnvis_report.errors import BadRequest
from cnnvis_report.models.loaders.torchvision_name import preprocessing_of
from cnnvis_report.records.images import Label
from tests.networks import Tiny  # noqa: F401 # so that the module is importable as users import theirs
from tests.picture_reading import read_picture

QUARTERS = np.zeros((20, 30, 3), np.uint8)
QUARTERS[:10, :15], QUARTERS[:10, 15:], QUARTERS[10:, :15] = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def saved(picture: Image.Image, kind: str, **options: Any) -> io.BytesIO:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    file.seek(0)
    return file


@pytest.mark.parametrize(
    ("kind", "options"),
    [("PNG", {}), ("BMP", {}), ("TIFF", {}), ("GIF", {}), ("WEBP", {"lossless": True}), ("JPEG", {"quality": 98})],
)
def test_formats(kind: Any, options: Any) -> None:
    found = np.asarray(read_picture(saved(Image.fromarray(QUARTERS), kind, **options)), np.int16)
    middle = found[[5, 5, 15, 15], [7, 22, 7, 22]]
    assert np.abs(middle - QUARTERS[[5, 5, 15, 15], [7, 22, 7, 22]]).max() <= 3


def test_an_animation_shows_its_first_frame() -> None:
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "lime", "blue")]
    file = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert read_picture(file).getpixel((4, 4)) == (255, 0, 0)


@pytest.mark.parametrize("turn", range(1, 9))
def test_pictures_are_turned_upright(turn: Any) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    upright = Image.fromarray(QUARTERS)
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    stored = upright.transpose(undo[turn]) if turn in undo else upright
    assert np.array_equal(np.asarray(read_picture(saved(stored, "PNG", exif=exif))), QUARTERS)


def test_modes() -> None:
    palette = Image.fromarray(QUARTERS).quantize(8)
    assert np.array_equal(np.asarray(read_picture(saved(palette, "PNG"))), QUARTERS)
    clear = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    clear.putpixel((0, 0), (255, 0, 0, 255))
    shown = read_picture(saved(clear, "PNG"))
    assert shown.getpixel((0, 0)) == (255, 0, 0) and shown.getpixel((2, 2)) == (255, 255, 255)
    half = read_picture(saved(Image.new("LA", (4, 4), (0, 128)), "PNG"))
    assert half.mode == "RGB" and abs(np.asarray(half)[1, 1, 0] - 127.0) <= 1
    assert read_picture(saved(Image.new("1", (4, 4), 1), "PNG")).getpixel((0, 0)) == 255
    cmyk = read_picture(saved(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "TIFF"))
    assert cmyk.mode == "RGB" and cmyk.getpixel((3, 3)) == (255, 0, 0)
    transparent = Image.new("P", (4, 4), 0)
    transparent.putpalette([255, 0, 0, 0, 255, 0])
    assert read_picture(saved(transparent, "PNG", transparency=0)).getpixel((1, 1)) == (255, 255, 255)


def test_sixteen_bits_become_eight() -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    found = np.asarray(read_picture(saved(Image.fromarray(ramp), "PNG")), np.int16).ravel()
    assert np.abs(found - np.arange(256)).max() <= 1
    dark = saved(Image.fromarray(ramp // 300), "PNG")
    assert np.asarray(read_picture(dark, levels=Levels(bits=16))).max() <= 1, "a dark picture among bright ones"
    floating = np.asarray(read_picture(saved(Image.fromarray(np.full((4, 4), 0.5, np.float32)), "TIFF")))
    assert abs(int(floating[0, 0]) - 128) <= 1


def reason(path: Path) -> str:
    (item,) = labeled(find_images([Path(path)]), ())
    with pytest.raises(UnusablePicture) as caught:
        item.open()
    assert str(path) not in str(caught.value) and "\n" not in str(caught.value)
    return str(caught.value)


def test_files_that_are_no_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = saved(Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)), "PNG").getvalue()
    for name, content, says in [
        ("empty.jpg", b"", "an empty file"),
        ("text.png", b"hello", "not an image of a known format"),
        ("cut.png", whole[: len(whole) // 2], "damaged or cut short"),
        (
            "postscript.jpg",
            b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
            "holds a drawing (.eps), which isn't read",
        ),
    ]:
        (tmp_path / name).write_bytes(content)
        assert says in reason(tmp_path / name)
    os.mkfifo(tmp_path / "pipe.jpg")
    assert "not a regular file" in reason(tmp_path / "pipe.jpg")
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (tmp_path / "list.txt").write_text("gone.jpg\nneverwas.jpg\n")
    with pytest.raises(BadRequest, match=r"none of the 2 files that it names is there, such as gone\.jpg"):
        find_images([tmp_path / "list.txt"])
    (tmp_path / "wide.png").write_bytes(saved(Image.new("1", (4000, 3000)), "PNG").getvalue())
    monkeypatch.setattr(pixels, "MOST_PIXELS", 10_000_000)
    assert "4000×3000 pixels; at most 10 million" in reason(tmp_path / "wide.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    assert "more pixels than" in reason(tmp_path / "wide.png")


def test_a_wrong_extension_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "really-a-png.jpg").write_bytes(saved(Image.fromarray(QUARTERS), "PNG").getvalue())
    (item,) = labeled(find_images([tmp_path]), ())
    assert np.array_equal(np.asarray(item.open()), QUARTERS)


def tree(top: Path, *names: str) -> Path:
    for name in names:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(QUARTERS).save(top / name, "PNG")
    return top


def test_folders_are_searched_in_natural_order(tmp_path: Path) -> None:
    tree(tmp_path, "dog10.png", "dog2.PNG", "b/cat.jpeg", "b/c/bird.webp", ".hidden/x.png", "notes.md.png")
    (tmp_path / "readme.md").write_text("no image")
    names = [item.name for item in labeled(find_images([tmp_path]), ())]
    assert names == ["dog2.PNG", "dog10.png", "notes.md.png", "b/cat.jpeg", "b/c/bird.webp"]
    assert [found.name for found in find_images([tmp_path / "b", tmp_path / "dog2.PNG"])] == [
        "b/cat.jpeg", "b/c/bird.webp", "dog2.PNG",
    ]  # fmt: skip
    assert len(find_images([tmp_path, tmp_path])) == 5, "each once"


def test_ids_are_plain_and_unique(tmp_path: Path) -> None:
    tree(tmp_path, "a.png", "x/a.png", "Ünïcode “quotes” <script>.png", "кот.png", "%2e%2e.png", f"{'l' * 120}.png")
    ids = [item.id for item in labeled(find_images([tmp_path]), ())]
    assert len(set(ids)) == 6
    assert all(set(id) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") and len(id) < 60 for id in ids)


def test_labels(tmp_path: Path) -> None:
    classes = ("tabby cat", "dog", "crane", "crane")
    tree(tmp_path, "Tabby_Cat/1.png", "dog/2.png", "crane/3.png", "other/4.png", "5.png")
    by_name = {item.name: item.label for item in labeled(find_images([tmp_path]), classes)}
    assert by_name == {
        "Tabby_Cat/1.png": Label("tabby cat", 0),
        "dog/2.png": Label("dog", 1),
        "crane/3.png": Label("crane"),  # two classes have this name
        "other/4.png": Label("other"),
        "5.png": None,
    }
    every = {item.name: item.label for item in labeled(find_images([tmp_path]), classes, labels="folders")}
    assert every["other/4.png"] == Label("other") and every["5.png"] is None


def test_folders_stand_for_classes_in_order_where_there_are_as_many(tmp_path: Path) -> None:
    tree(tmp_path, "ants/1.png", "bees/2.png", "wasps/3.png")
    classes = ("class 0", "class 1", "class 2")
    found = labeled(find_images([tmp_path]), classes, labels="folders")
    assert [item.label for item in found] == [Label("ants", 0), Label("bees", 1), Label("wasps", 2)]


def test_lists(tmp_path: Path) -> None:
    tree(tmp_path, "pictures/a.png", "pictures/b.png", "c.png")
    (tmp_path / "list.txt").write_text("# a comment\npictures/a.png\tdog\n\npictures/b.png\t0\nc.png\tunheard of\n")
    items = list(labeled(find_images([tmp_path / "list.txt"]), ("cat", "dog")))
    assert [item.name for item in items] == ["pictures/a.png", "pictures/b.png", "c.png"]
    assert [item.label for item in items] == [Label("dog", 1), Label("cat", 0), Label("unheard of")]
    (tmp_path / "abs.txt").write_text(f"{tmp_path}/c.png\n../{tmp_path.name}/pictures/a.png\n")
    shown = [item.name for item in labeled(find_images([tmp_path / "abs.txt"]), ())]
    assert shown == ["c.png", "a.png"], "no folder shows"


def test_nothing_to_look_at(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="there is no such file or folder"):
        find_images([tmp_path / "nowhere"])
    (tmp_path / "readme.md").write_text("no image")
    with pytest.raises(BadRequest, match=r"No image in .*\.webp are looked for"):
        find_images([tmp_path])


def test_a_fingerprint_changes_with_the_content(tmp_path: Path) -> None:
    tree(tmp_path, "a.png")

    def fingerprint() -> Any:
        return next(iter(labeled(find_images([tmp_path]), ()))).fingerprint

    first = fingerprint()
    assert first == fingerprint()
    Image.new("RGB", (30, 20)).save(tmp_path / "a.png")
    assert fingerprint() != first


@pytest.mark.parametrize("size", [(320, 240), (240, 320), (224, 224), (100, 60), (1000, 90), (257, 255)])
@pytest.mark.parametrize("name", ["squeezenet1_1", "resnet50", "efficientnet_b0"])
def test_preparing_equals_torchvision(size: Any, name: str) -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (size[1], size[0], 3), np.uint8)
    picture = Image.fromarray(pixels)
    for version in get_model_weights(name):
        ours = prepare(picture, preprocessing_of(version))
        torch.testing.assert_close(ours.values, version.transforms()(picture))
        assert ours.original == (size[1], size[0])
        restored = (preprocessing_of(version).restore(ours.values) * 255).round().permute(1, 2, 0)
        assert np.array_equal(restored.numpy().astype(np.uint8), ours.seen), "what is shown is what was seen"


def test_any_aspect_and_gray() -> None:
    picture = Image.fromarray(QUARTERS)
    own = prepare(picture, Preprocessing())
    assert own.values.shape == (3, 20, 30) and np.array_equal(own.seen, QUARTERS)
    whole = prepare(picture, Preprocessing(resize=(64, 48)))
    assert whole.values.shape == (3, 64, 48)
    gray = prepare(picture, Preprocessing((0.5,), (0.5,), resize=(8, 8)))
    assert gray.values.shape == (1, 8, 8) and gray.seen.shape == (8, 8)
    assert float(gray.values.min()) >= -1 and float(gray.values.max()) <= 1


def test_an_image_is_called_alike_in_whichever_order_they_are_given(tmp_path: Path) -> None:
    places = (("one", "cat.png"), ("one", "Dög (1).png"), ("two", "cat.png"), ("two", "kot/cat.png"), ("a", "b.png"))
    for folder, name in places:
        path = tmp_path / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4)).save(path)

    def ids(*folders: str) -> dict[str, str]:
        found = find_images([tmp_path / folder for folder in folders])
        items = labeled(found, ()).items
        assert len({item.id for item in items}) == len(items)
        return {str(each.path.relative_to(tmp_path)): item.id for each, item in zip(found, items, strict=True)}

    both = ids("one", "two")
    assert both == ids("two", "one") and len(both) == 4
    more = ids("a", "two", "one")
    assert len(more) == 5 and both == {path: more[path] for path in both}
    assert all(re.fullmatch(r"(cat|d-g-1|dg-1)-[0-9a-f]{10}", each) for each in both.values()), both


def test_a_file_that_may_not_be_looked_at_is_not_said_to_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    (item,) = labeled(find_images([tmp_path / "a.png"]), ())

    def closed(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "stat", closed)
        with pytest.raises(UnusablePicture, match=r"it can't be looked at \(Permission denied\)"):
            item.open()
    (tmp_path / "a.png").unlink()
    with pytest.raises(UnusablePicture, match="there is no such file"):
        item.open()
