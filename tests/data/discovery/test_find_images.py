"""Images are found, or it is said why not: links, formats, pages, frames, and samples of a set."""

import io
import os
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, features

from cnnvis_report.data.decoding.tiff_pages import tiff_pages
from cnnvis_report.data.image_set import ImageItem, find_images, labeled
from cnnvis_report.data.limit import Limit, chosen
from cnnvis_report.data.pixels import UnusablePicture
from cnnvis_report.errors import BadRequest
from cnnvis_report.records.images import Label
from tests.picture_reading import read_picture

RED = Image.new("RGB", (8, 6), (250, 0, 0))


def tree(top: Path, *names: str) -> Path:
    for name in names:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(encoded("PNG", Image.new("L", (4, 4), len(name))))
    return top


def encoded(kind: str, picture: Image.Image = RED, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def names(*paths: Path) -> list[str]:
    return [each.name for each in find_images(paths)]


def said(*paths: Path) -> str:
    return " ".join(find_images(paths).notices)


def test_links_are_followed(tmp_path: Path) -> None:
    tree(tmp_path / "store", "cats/a.png", "b.png")
    tree(tmp_path / "data", "c.png")
    (tmp_path / "data" / "0").symlink_to(tmp_path / "store" / "cats")
    (tmp_path / "data" / "d.png").symlink_to(tmp_path / "store" / "b.png")
    (tmp_path / "data" / "up").symlink_to("..")
    (tmp_path / "data" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / "data" / "lost").symlink_to(tmp_path / "nowhere")
    found = find_images([tmp_path / "data"])
    assert [each.name for each in found][:3] == ["c.png", "d.png", "0/a.png"]
    assert {each.name: each.reason for each in found.skipped} == dict.fromkeys(
        ["gone.png", "lost"], "a link to a file that isn't there"
    )


def test_loops_end_and_are_said(tmp_path: Path) -> None:
    tree(tmp_path, "a/x.png", "b/y.png")
    (tmp_path / "a" / "loop").symlink_to(tmp_path / "a")
    (tmp_path / "a" / "b").symlink_to(tmp_path / "b")
    (tmp_path / "b" / "a").symlink_to(tmp_path / "a")
    assert names(tmp_path) == ["a/x.png", "a/b/y.png"]
    assert "aren't followed again: a/b/a, a/loop, b" in said(tmp_path)


def test_a_file_that_is_reached_twice_is_taken_once_unless_its_label_differs(tmp_path: Path) -> None:
    tree(tmp_path, "cat/a.png", "dog/b.png")
    (tmp_path / "cat" / "again.png").symlink_to(tmp_path / "cat" / "a.png")
    (tmp_path / "dog" / "cat-too.png").symlink_to(tmp_path / "cat" / "a.png")
    assert names(tmp_path) == ["cat/a.png", "dog/b.png", "dog/cat-too.png"]
    assert "1 file is reached twice" in said(tmp_path)
    assert "1 image is in the set again in another folder" in said(tmp_path)
    assert len(find_images([tmp_path, tmp_path])) == 3


UNREAD = {
    "a.JXR": "a JPEG XR picture (.jxr), which isn't read; convert it", "scan.mha": "a volume", "f.npz": "NumPy",
    "raw.CR2": "a camera's raw picture", "x.psd": "a layered picture",
    "logo.svg": "a drawing", "light.exr": "high dynamic range", "new.jxl": "a JPEG XL picture", "t.tga": "a picture of",
}  # fmt: skip


def test_what_looks_like_an_image_and_is_not_read_is_listed(tmp_path: Path) -> None:
    tree(tmp_path, "a.png")
    for name in UNREAD:
        (tmp_path / name).write_bytes(b"\0" * 200)
    (tmp_path / "IM0001").write_bytes(b"\x76\x2f\x31\x01" + b"\0" * 99)
    (tmp_path / "new.jpg").write_bytes(b"\xff\x0a" + b"\0" * 99)
    found = find_images([tmp_path])
    assert [each.name for each in found] == ["a.png", "new.jpg"]
    reasons = {each.name: each.reason for each in found.skipped}
    assert set(reasons) == {*UNREAD, "IM0001"} and "high dynamic range" in reasons["IM0001"]
    assert all(says in reasons[name] for name, says in UNREAD.items())
    assert labeled(found, ()).skipped == found.skipped
    with pytest.raises(UnusablePicture, match=r"holds a JPEG XL picture .*convert it to PNG or JPEG"):
        labeled(found, ()).items[1].open()


def test_files_whose_library_is_not_installed_say_what_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cnnvis_report.extensions.requirements.importlib.util.find_spec", lambda _: None)
    tree(tmp_path, "a.png")
    for name in ("IMG_1.HEIC", "scan.dcm", "brain.nii.gz", "brain.nii"):
        (tmp_path / name).write_bytes(b"\0" * 200)
    (tmp_path / "IM0001").write_bytes(b"\0" * 128 + b"DICM" + b"\0" * 99)
    assert {file.name: file.reason for file in find_images([tmp_path]).skipped} == {
        "IMG_1.HEIC": "a HEIC picture, and pillow_heif is not installed: pip install 'cnnvis-report[heic]'",
        "scan.dcm": (dicom := "a DICOM file, and pydicom is not installed: pip install 'cnnvis-report[dicom]'"),
        "IM0001": dicom,
        "brain.nii": (nifti := "a NIfTI volume, and nibabel is not installed: pip install 'cnnvis-report[nifti]'"),
        "brain.nii.gz": nifti,
    }
    with pytest.raises(BadRequest, match=r"can be read. IM0001: a DICOM file, and pydicom is not installed"):
        find_images([tmp_path / "IM0001"])


def test_what_may_not_be_looked_into_is_listed_and_the_rest_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a folder is another user's; root may read everything, so the refusals are made up."""
    tree(tmp_path, "a.png", "closed/b.png", "near/c.png")
    (tmp_path / "link.png").symlink_to("closed/b.png")
    closed, link = tmp_path / "closed", tmp_path / "link.png"

    def guarded(call: Any) -> Any:
        def guard(given: Any, **by: Any) -> Any:
            inside = closed in Path(given).parents or (Path(given) == closed and call is scan)
            if inside or (Path(given) == link and by.get("follow_symlinks", True)):
                raise PermissionError(13, "Permission denied", str(given))
            return call(given, **by)

        return guard

    scan, stat = os.scandir, os.stat
    monkeypatch.setattr(os, "scandir", guarded(scan))
    monkeypatch.setattr(os, "stat", guarded(stat))
    found = find_images([tmp_path])
    assert [each.name for each in found] == ["a.png", "near/c.png"] and found.subfolders == ("closed", "near")
    assert {each.name: each.reason for each in found.skipped} == {
        "closed": "a folder that can't be read (Permission denied)",
        "link.png": "a link to a file that can't be reached (Permission denied)",
    }


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are Unicode")
def test_names_that_are_no_text_are_found_and_looked_for_in_tables(tmp_path: Path) -> None:
    name = os.fsdecode(b"v\xf6gel.png")
    tree(tmp_path, name, "a.png")
    assert sorted(names(tmp_path)) == ["a.png", name]
    (tmp_path / "labels.csv").write_bytes(b"file,label\nv\xf6gel.png,bird\n")
    assert any("labels.csv names images" in each for each in find_images([tmp_path]).notices)


def test_other_files_are_counted_and_hidden_ones_are_not(tmp_path: Path) -> None:
    tree(tmp_path, "a.png", ".b.png", ".checkpoints/c.png", "._d.png")
    for name in ("x.csv", "y.csv", "z.json", "notes", ".DS_Store", "Thumbs.db", "net.pth"):
        (tmp_path / name).write_text("nothing to see")
    assert names(tmp_path) == ["a.png"]
    assert "5 other files are left aside: 2 .csv, 1 .pth, 1 without an ending, 1 .json." in said(tmp_path)
    assert "of which these hold images: .checkpoints." in said(tmp_path)


@pytest.mark.parametrize("name", ["picture", "photo.jpg.1", "Bild vom 12.30", "x.BIN"])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF"])
def test_a_picture_without_its_ending_is_known_by_how_it_begins(tmp_path: Path, name: str, kind: Any) -> None:
    (tmp_path / name).write_bytes(encoded(kind))
    (item,) = labeled(find_images([tmp_path]), ())
    assert np.abs(np.asarray(item.open(), int)[3, 3] - [250, 0, 0]).max() < 9


@pytest.mark.parametrize(
    ("name", "kind", "feature"),
    [("a.PPM", "PPM", ""), ("b.jp2", "JPEG2000", "jpg_2000"), ("c.avif", "AVIF", "avif")],
)
def test_formats_that_pillow_has(tmp_path: Path, name: str, kind: Any, feature: Any) -> None:
    if feature and not features.check(feature):
        pytest.skip(f"this Pillow has no {kind}")
    (tmp_path / name).write_bytes(encoded(kind))
    (item,) = labeled(find_images([tmp_path]), ())
    assert np.abs(np.asarray(item.open(), int)[3, 3] - [250, 0, 0]).max() < 9


@pytest.mark.parametrize("name", ["d.parquet", "e.jxl", "f.pdf"])
def test_a_container_given_as_images_is_called_what_it_is(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"none of them")
    with pytest.raises(BadRequest, match=rf"No image in {name} can be read. {name}: .*, which isn't read; [a-z ,]+"):
        find_images([tmp_path / name])
    tree(tmp_path, "g.png")
    assert find_images([tmp_path / "g.png", tmp_path / name]).skipped[0].name == name


def pages_of(count: int, **options: Any) -> bytes:
    shades = [Image.new("L", (8, 6), 10 * number) for number in range(1, count + 1)]
    return encoded("TIFF", shades[0], save_all=True, append_images=shades[1:], **options)


def with_thumbnails(content: bytes) -> bytes:
    """Every second directory marked as a reduced copy: its ImageWidth entry becomes NewSubfileType 1."""
    made = bytearray(content)
    offset, number = struct.unpack_from("<I", made, 4)[0], 0
    while offset:
        count = struct.unpack_from("<H", made, offset)[0]
        if number % 2:
            for at in range(offset + 2, offset + 2 + 12 * count, 12):
                if struct.unpack_from("<H", made, at)[0] in (254, 262):
                    struct.pack_into("<HHII", made, at, 254, 4, 1, 1)
        offset, number = struct.unpack_from("<I", made, offset + 2 + 12 * count)[0], number + 1
    return bytes(made)


def corner(item: ImageItem) -> int:
    """The value of the first pixel of a gray picture."""
    picture = item.open()
    assert isinstance(picture, Image.Image)
    return int(np.asarray(picture)[0, 0])


def test_pages_of_a_tiff_are_images_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "stack.tif").write_bytes(pages_of(3))
    (tmp_path / "one.tiff").write_bytes(pages_of(1))
    found = labeled(find_images([tmp_path]), ())
    assert [item.name for item in found] == ["one.tiff", "stack.tif page 1", "stack.tif page 2", "stack.tif page 3"]
    assert [corner(item) for item in found] == [10, 10, 20, 30]
    assert len({item.id for item in found}) == len({item.fingerprint for item in found}) == 4
    assert "1 TIFF file has 3 pages" in said(tmp_path)


def test_thumbnails_within_a_tiff_are_no_images(tmp_path: Path) -> None:
    (tmp_path / "pyramid.tif").write_bytes(with_thumbnails(pages_of(4)))
    assert [page.reduced for page in tiff_pages(tmp_path / "pyramid.tif")] == [False, True, False, True]
    found = labeled(find_images([tmp_path]), ())
    assert [corner(item) for item in found] == [10, 30]
    (tmp_path / "pyramid.tif").write_bytes(with_thumbnails(pages_of(2)))
    assert names(tmp_path) == ["pyramid.tif"]


def test_tiff_heads_from_strangers_end(tmp_path: Path) -> None:
    whole = pages_of(2)
    first = struct.unpack_from("<I", whole, 4)[0]
    count = struct.unpack_from("<H", whole, first)[0]
    looped = bytearray(whole)
    struct.pack_into("<I", looped, first + 2 + 12 * count, first)
    for content, pages in ((bytes(looped), 1), (whole[: first + 9], 0), (b"II*\0\xff\xff\xff\xff", 0), (b"", 0)):
        (tmp_path / "x.tif").write_bytes(content)
        assert len(tiff_pages(tmp_path / "x.tif")) == pages


def test_of_an_animation_the_first_frame_is_taken_and_that_is_said(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 6), color) for color in ("red", "lime", "blue")]
    for kind in ("GIF", "PNG", "WEBP"):
        moving = encoded(kind, frames[0], save_all=True, append_images=frames[1:])
        (tmp_path / f"moving.{kind.lower()}").write_bytes(moving)
        (tmp_path / f"still.{kind.lower()}").write_bytes(encoded(kind))
    assert len(find_images([tmp_path])) == 6
    assert "3 files are animations, of which the first frame is taken: moving.gif, moving.png, moving.webp." in said(
        tmp_path
    )


def test_a_pointer_of_git_lfs_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n")
    with pytest.raises(UnusablePicture, match="a pointer of Git LFS, not the picture itself; fetch it: git lfs pull"):
        read_picture(path)


def test_a_single_class_is_said_as_one() -> None:
    folders = [""] * 9
    labels = [(Label("cat", 0),) if number < 5 else () for number in range(9)]
    assert chosen(folders, labels, Limit(2))[1][0].startswith("2 of 9 images: 1 of one class, and 1 without a label")
    assert "the first ones, 2 of one folder." in chosen(folders, [()] * 9, Limit(2, "first"))[1][0]
