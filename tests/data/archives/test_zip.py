"""Zip archives: read in place, whatever a stranger has put into them."""

import json
import os
import stat
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

from cnnvis_report.data import entry
from cnnvis_report.data.archives.byte_source import LocalBytes
from cnnvis_report.data.archives.member import ZipEntry
from cnnvis_report.data.archives.zip_index import zip_members
from cnnvis_report.errors import BadRequest
from tests.data.archives.archive_files import SHADES, labels, pictures, png, read, reasons, shades, write_zip

METHODS = {"stored": zipfile.ZIP_STORED, "deflate": zipfile.ZIP_DEFLATED, "bzip2": zipfile.ZIP_BZIP2}


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_images_are_read_in_place_and_labeled_by_folders(tmp_path: Path, method: int) -> None:
    archive = write_zip(tmp_path / "photos.zip", pictures(), method)
    images = read(archive)
    assert shades(images) == {"cat/1.png": 10, "cat/2.png": 20, "dog/9.png": 40, "dog/10.png": 30}
    assert [item.labels[0].index for item in images] == [0, 0, 1, 1]
    assert [path.name for path in tmp_path.iterdir()] == ["photos.zip"], "nothing is unpacked"


def test_the_nearest_folder_that_is_a_class_labels(tmp_path: Path) -> None:
    members = {"photos/cat/1/a.png": png(1), "photos/dog/2/b.png": png(2), "photos/c.png": png(3)}
    images = read(write_zip(tmp_path / "p.zip", members))
    assert labels(images) == {"photos/c.png": ["photos"], "photos/cat/1/a.png": ["cat"], "photos/dog/2/b.png": ["dog"]}


def test_zip64_and_bytes_before_and_behind_are_read(tmp_path: Path) -> None:
    path = tmp_path / "p.zip"
    with zipfile.ZipFile(path, "w") as archive, archive.open("cat/1.png", "w", force_zip64=True) as file:
        file.write(png(10))
    path.write_bytes(b"#!/bin/sh\n" + path.read_bytes())  # as of an archive that unpacks itself
    assert shades(read(path)) == {"cat/1.png": 10}


HOSTILE = {
    "up": ("../evil.png", "its name leads out of the archive"),
    "deep": ("cat/../../evil.png", "its name leads out of the archive"),
    "absolute": ("/etc/evil.png", "its name leads out of the archive"),
    "drive": ("C:\\evil.png", "its name leads out of the archive"),
    "backslash": ("..\\evil.png", "its name leads out of the archive"),
    "long": (f"{'a' * 2000}.png", "its name has 2004 characters"),
}


@pytest.mark.parametrize(("name", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_names_are_no_paths(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path.parent / "evil.png").write_bytes(png(99))
    images = read(write_zip(tmp_path / "p.zip", {"cat/1.png": png(10), name: png(66)}))
    assert shades(images) == {"cat/1.png": 10}
    assert list(reasons(images).values()) == [reason]


def test_links_encrypted_members_and_other_methods_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "p.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("cat/1.png", png(10))
        link = zipfile.ZipInfo("cat/link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("cat/lzma.png", png(20), zipfile.ZIP_LZMA)
        archive.writestr("cat/secret.png", png(30))
    content = bytearray(path.read_bytes())
    flags = content.rindex(b"cat/secret.png") - 46 + 8  # in the directory
    content[flags] |= 1
    path.write_bytes(content)
    assert reasons(read(path)) == {
        "cat/link.png": "a link, and links in archives aren't followed",
        "cat/lzma.png": "compressed by method 14 of zip, which isn't read; deflate is",
        "cat/secret.png": "it is encrypted",
    }


def test_of_doubled_names_the_last_counts_and_it_is_said(tmp_path: Path) -> None:
    path = tmp_path / "p.zip"
    with zipfile.ZipFile(path, "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("cat/1.png", png(10))
        archive.writestr("cat/1.png", png(20))
    images = read(path)
    assert shades(images) == {"cat/1.png": 20}
    assert "1 name is in the archive more than once, of which the last counts: cat/1.png." in images.notices


def test_what_systems_add_is_passed_over(tmp_path: Path) -> None:
    extra = {"__MACOSX/cat/._1.png": png(1), "cat/.DS_Store": b"x", ".hidden/a.png": png(2), "cat/Thumbs.db": b"x"}
    images = read(write_zip(tmp_path / "p.zip", pictures() | extra | {"notes.md": b"hello"}))
    assert set(shades(images)) == set(SHADES) and not images.skipped
    assert "1 other file is left aside: 1 .md." in images.notices


@pytest.mark.parametrize(
    ("stored", "shown"),
    [("Ägypten".encode(), "Ägypten"), ("Ägypten".encode("cp437"), "Ägypten"), ("日本".encode("shift_jis"), None)],
    ids=["utf-8 without a flag", "code page 437", "shift-jis"],
)
def test_names_in_other_encodings_are_read(tmp_path: Path, stored: bytes, shown: str | None) -> None:
    path = write_zip(tmp_path / "p.zip", {f"{'x' * len(stored)}/1.png": png(10)})
    path.write_bytes(path.read_bytes().replace(b"x" * len(stored), stored))
    (item,) = read(path)
    assert shown is None or item.name == f"{shown}/1.png"
    assert list(shades(read(path)).values()) == [10]


def test_a_member_that_is_larger_than_it_says_is_not_unpacked(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "p.zip", {"cat/1.png": png(10), "cat/bomb.png": bytes(1 << 26)})
    content = bytearray(path.read_bytes())
    size = content.rindex(b"cat/bomb.png") - 46 + 24
    assert reasons(read(path)) == {"cat/bomb.png": "it unpacks to more than 200 times its size"}
    content[size : size + 4] = struct.pack("<I", 100)
    path.write_bytes(content)
    assert reasons(read(path)) == {"cat/bomb.png": "its bytes aren't those that the archive's directory says"}


def test_no_more_is_unpacked_than_an_image_may_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry, "MOST_BYTES", 1 << 20)
    noise = np.random.default_rng(0).integers(0, 255, 2 << 20, np.uint8).tobytes()
    assert reasons(read(write_zip(tmp_path / "p.zip", {"a.png": png(1), "b.bmp": noise}))) == {
        "b.bmp": "2 MB; at most 1 are read"
    }


def test_members_that_share_bytes_are_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "p.zip", {"1.png": png(10), "2.png": png(20)})
    content = bytearray(path.read_bytes())
    offset = content.rindex(b"2.png") - 46 + 42
    content[offset : offset + 4] = bytes(4)
    path.write_bytes(content)
    with pytest.raises(BadRequest, match=r"'1\.png' and '2\.png' share bytes"):
        read(path)


def test_damage_is_one_line_or_a_reason(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "p.zip", {"1.png": png(10), "2.png": png(20)})
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    with pytest.raises(BadRequest, match="not a zip archive, or a damaged one"):
        read(path)
    at = whole.index(b"2.png") + 12
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :])
    assert set(reasons(read(path))) == {"2.png"}
    crc = whole.rindex(b"2.png") - 46 + 16  # in the directory
    path.write_bytes(whole[:crc] + bytes([whole[crc] ^ 255]) + whole[crc + 1 :])
    assert reasons(read(path)) == {"2.png": "its bytes aren't those that the archive's directory says"}
    (tmp_path / "e.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    with pytest.raises(BadRequest, match=r"No image in e\.zip\."):
        read(tmp_path / "e.zip")


def test_a_directory_that_claims_too_much_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.zip"
    with path.open("wb") as file:
        os.truncate(file.fileno(), 1 << 31)  # a hole
        file.seek(1 << 31)
        file.write(b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, 9, 9, (1 << 31) - 64, 64, 0))
    with pytest.raises(BadRequest, match=r"can't be read as a zip archive|not a zip archive|too large"):
        zip_members(LocalBytes(path), "p.zip")


def test_the_first_bytes_cost_little(tmp_path: Path) -> None:
    content = np.random.default_rng(0).integers(0, 255, 1 << 20, np.uint8).tobytes()
    path = write_zip(tmp_path / "p.zip", {"a.bmp": content})
    (entry,) = [member.entry for member in zip_members(LocalBytes(path), "p.zip")]
    assert isinstance(entry, ZipEntry) and entry.head() == content[:4096]
    assert entry.read() == content and entry.crc == zlib.crc32(content)


def test_a_table_in_the_archive_labels_its_images(tmp_path: Path) -> None:
    table = "file_name,label,split\nimages/1.png,cat,train\nimages/2.png,dog,val\nimages/gone.png,dog,val\n"
    members = {"images/1.png": png(10), "images/2.png": png(20), "images/3.png": png(30), "all.csv": table.encode()}
    path = write_zip(tmp_path / "p.zip", members)
    images = read(path)
    assert labels(images) == {"images/1.png": ["cat"], "images/2.png": ["dog"]}
    said = " ".join(images.notices)
    assert "all.csv in the archive: paths in column 'file_name', labels in column 'label'." in said
    assert "all.csv in the archive: 1 image is not in it and left out: images/3.png." in said
    assert labels(read(path, split="validation")) == {"images/2.png": ["dog"]}
    lines = '{"file_name": "images/3.png", "label": "dog"}\n'
    members = {"images/3.png": png(30), "images/metadata.jsonl": lines.replace("images/", "").encode()}
    assert labels(read(write_zip(tmp_path / "q.zip", members))) == {"images/3.png": ["dog"]}


SPLITS = {"phase": ("train", "val"), "subset": ("train", "valid"), "is_valid": ("0", "1"), "Is Test": ("True", "False")}


@pytest.mark.parametrize("column", SPLITS)
def test_a_table_in_an_archive_is_read_as_one_beside_it(column: str, tmp_path: Path) -> None:
    first, second = SPLITS[column]
    table = f"file,cat,dog,{column}\n1.png,1,0,{first}\n2.png,1,1,{second}\n3.png,0,0,{second}\n"
    members = {name: png(10) for name in ("1.png", "2.png", "3.png")}
    path = write_zip(tmp_path / "p.zip", {**members, "all.csv": table.encode()})
    split = "test" if column == "Is Test" else "val"
    wanted = {"1.png": ["cat"]} if split == "test" else {"2.png": ["cat", "dog"], "3.png": []}
    assert labels(read(path, split=split)) == wanted
    rest = "2 images are in none" if split == "test" else "1 image is in none"
    assert f"all.csv in the archive: {rest} of these rows and left out: " in str(read(path, split=split).notices)
    with pytest.raises(BadRequest, match=r"--split 'x': all\.csv in the archive has no such part\. Its parts are"):
        read(path, split="x")
    with pytest.raises(BadRequest, match="No column is called 'bird'"):
        read(path, label_columns=("bird",))


def test_a_key_with_two_values_in_one_record_is_said(tmp_path: Path) -> None:
    lines = '{"file_name": "3.png", "label": "dog", "label": "cat"}\n'
    images = read(write_zip(tmp_path / "p.zip", {"3.png": png(30), "metadata.jsonl": lines.encode()}))
    assert "metadata.jsonl in the archive isn't read as a table of labels: line 1: 'label' is there twice" in str(
        images.notices
    )
    assert labels(images) == {"3.png": []}


AMBIGUOUS = {
    "all.csv": (
        "file,label,label\n3.png,dog,cat\n",
        "columns 2 and 3 are both called 'label', and row 1 of one holds 'dog', of the other 'cat'",
    ),
    "all.jsonl": (
        json.dumps({"file": "3.png"} | dict.fromkeys(map(str, range(4000)), 1)) + '\n{"file": "3.png"}' * 3000,
        "its 3,001 objects have 4,001 different keys, and few of these each",
    ),
}


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_a_table_that_reads_in_two_ways_is_said_and_not_read(name: str, tmp_path: Path) -> None:
    content, reason = AMBIGUOUS[name]
    images = read(write_zip(tmp_path / "p.zip", {"3.png": png(30), name: content.encode()}))
    assert f"{name} in the archive isn't read as a table of labels: {reason}" in str(images.notices).replace("\\", "")
    assert labels(images) == {"3.png": []}


def test_two_columns_of_a_name_that_say_the_same_are_one(tmp_path: Path) -> None:
    content = b"file,label,label\n3.png,dog,dog\n"
    assert labels(read(write_zip(tmp_path / "p.zip", {"3.png": png(30), "all.csv": content}))) == {"3.png": ["dog"]}


def test_a_split_is_a_folder(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "p.zip", {"set/train/cat/1.png": png(1), "set/val/cat/2.png": png(2)})
    assert list(shades(read(path, split="val")).values()) == [2]
    with pytest.raises(BadRequest, match=r"--split 'test': no folder in p\.zip is called so; its folders are"):
        read(path, split="test")


def test_many_listings_touch_no_file_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cat").symlink_to("/")
    seen: list[str] = []
    real = os.path.realpath

    def noted(path: str, **options: bool) -> str:
        seen.append(str(path))
        return real(path, **options)

    monkeypatch.setattr(os.path, "realpath", noted)
    read(write_zip(tmp_path / "p.zip", pictures()))
    assert not [path for path in seen if not os.path.isabs(path)]  # noqa: PTH117
