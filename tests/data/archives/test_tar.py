"""Tar archives and WebDataset shards: read in place, whatever a stranger has put into them."""

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest

from cnnvis_report.data.archives import decompressed
from cnnvis_report.data.archives.byte_source import LocalBytes
from cnnvis_report.data.archives.decompressed import Decompressed
from cnnvis_report.data.archives.tar_index import unpacked
from cnnvis_report.data.image_set import find_images
from cnnvis_report.errors import BadRequest
from tests.data.archives.archive_files import SHADES, labels, pictures, png, read, reasons, shades, write_tar

MODES = {"plain": ("w", ".tar"), "gzip": ("w:gz", ".tar.gz"), "bzip2": ("w:bz2", ".tbz2"), "xz": ("w:xz", ".tar.xz")}


@pytest.mark.parametrize(("mode", "ending"), MODES.values(), ids=MODES)
def test_images_are_read_in_place_and_labeled_by_folders(tmp_path: Path, mode: str, ending: str) -> None:
    path = write_tar(tmp_path / f"photos{ending}", {"./": b"", **pictures()}, mode)
    images = read(path)
    assert shades(images) == SHADES
    assert labels(images)["dog/9.png"] == ["dog"]
    assert [path.name for path in tmp_path.iterdir()] == [path.name], "nothing is unpacked"
    assert any("gzip, or none, is quicker" in notice for notice in images.notices) == (mode in ("w:bz2", "w:xz"))


def test_links_devices_and_names_that_lead_out(tmp_path: Path) -> None:
    path = tmp_path / "p.tar"
    with tarfile.open(path, "w") as archive:

        def add(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", content: bytes = b"") -> None:
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.size = kind, link, len(content)
            archive.addfile(info, io.BytesIO(content))

        add("cat/1.png", content=png(10))
        add("cat/again.png", tarfile.LNKTYPE, "cat/1.png")
        add("cat/soft.png", tarfile.SYMTYPE, "/etc/passwd")
        add("cat/hard.png", tarfile.LNKTYPE, "/etc/passwd")
        add("cat/pipe.png", tarfile.FIFOTYPE)
        add("../out.png", content=png(20))
        add("/abs.png", content=png(30))
    images = read(path)
    assert shades(images) == {"cat/1.png": 10}, "and the same file again is one image"
    assert reasons(images) == {
        "cat/soft.png": "a link, and links in archives aren't followed",
        "cat/hard.png": "a link to what isn't in the archive before it",
        "cat/pipe.png": "no regular file",
        "../out.png": "its name leads out of the archive",
        "abs.png": "its name leads out of the archive",
    }


def test_an_archive_that_is_cut_short_gives_what_comes_before(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "p.tar", pictures())
    path.write_bytes(path.read_bytes()[:1600])
    images = read(path)
    assert shades(images) == {"cat/1.png": 10, "cat/2.png": -1} or shades(images) == {"cat/1.png": 10}
    assert any("damaged: what comes before is read" in notice for notice in images.notices)
    path = write_tar(tmp_path / "p.tar.gz", pictures(), "w:gz")
    path.write_bytes(path.read_bytes()[:-20])
    assert next(iter(shades(read(path)).values())) == 10


def test_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decompressed, "FREE", 1 << 20)
    path = write_tar(tmp_path / "p.tar.gz", {"a.png": png(1), "b.png": bytes(1 << 24), "c.png": png(1)}, "w:gz")
    with pytest.raises(BadRequest, match="it unpacks to more than 200 times its size"):
        read(path)


@pytest.mark.parametrize("name", ["p.tar", "p.tgz", "p.tar.xz"])
def test_what_is_no_archive_is_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"nothing of the kind" * 100)
    with pytest.raises(BadRequest, match="not a tar archive, or a damaged one"):
        read(tmp_path / name)
    (tmp_path / "p.tar.zst").write_bytes(b"\x28\xb5\x2f\xfd")
    with pytest.raises(BadRequest, match="compressed by Zstandard, which isn't read; gzip is"):
        read(tmp_path / "p.tar.zst")


@pytest.mark.parametrize("codec", ["gzip", "bzip2", "xz"])
def test_compressed_bytes_are_read_from_any_offset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, codec: str) -> None:
    monkeypatch.setattr(decompressed, "SPACING", 1 << 16)
    monkeypatch.setattr(decompressed, "MOST_STATES", 5)
    monkeypatch.setattr(decompressed, "CHUNK", 1 << 12)
    monkeypatch.setattr(decompressed, "MOST_BEHIND", dict.fromkeys(decompressed.MOST_BEHIND, 1 << 13))
    random = np.random.default_rng(0)
    content = random.integers(0, 30, 700_001, np.uint8).tobytes()
    compress = {"gzip": __import__("gzip"), "bzip2": __import__("bz2"), "xz": __import__("lzma")}[codec].compress
    path = tmp_path / "bytes"
    path.write_bytes(compress(content[:400_000]) + compress(content[400_000:]))  # two, one behind the other
    source = unpacked(LocalBytes(path))
    assert isinstance(source, Decompressed)
    for offset in (0, 5, *random.integers(0, len(content), 12).tolist(), 699_999, 700_001, 0):
        assert source.read_at(offset, 3000) == content[offset : offset + 3000], offset
    assert source.size == len(content)


SIDECARS = {
    "an index": ({"cls": b"1"}, ["dog"]),
    "a name": ({"cls": b"dog\n"}, ["dog"]),
    "a text": ({"txt": b"dog"}, ["dog"]),
    "a caption": ({"txt": b"a small dog that runs over the grass"}, []),
    "boxes": ({"txt": b"0 0.5 0.5 0.1 0.1"}, []),
    "an index and a caption": ({"cls": b"0", "txt": b"whatever it is"}, ["cat"]),
    "fields": ({"json": json.dumps({"url": "x", "label": 1}).encode()}, ["dog"]),
    "several": ({"json": json.dumps({"labels": ["cat", "dog"]}).encode()}, ["cat", "dog"]),
    "no json": ({"json": b"[" * 5000}, []),
}


@pytest.mark.parametrize(("beside", "expected"), SIDECARS.values(), ids=SIDECARS)
def test_labels_lie_beside_the_images(tmp_path: Path, beside: dict[str, bytes], expected: list[str]) -> None:
    members = {"a/000.png": png(1)} | {f"a/000.{kind}": text for kind, text in beside.items()}
    assert list(labels(read(write_tar(tmp_path / "s.tar", members))).values()) == [expected]


def shard(folder: Path, number: int, label: bytes) -> Path:
    members = {f"{key:06}.{kind}": png(10 * number + key) if kind == "png" else label
               for key in range(2) for kind in ("png", "cls")}  # fmt: skip
    return write_tar(folder / f"train-{number:03}.tar", members)


def test_shards_are_one_set(tmp_path: Path) -> None:
    for number in range(3):
        shard(tmp_path, number, b"%d" % (number % 2))
    (tmp_path / "classnames.txt").write_text("cat\ndog\n")
    names = {f"train-{number:03}/{key:06}.png": 10 * number + key for number in range(3) for key in range(2)}
    for text in (str(tmp_path / "train-{000..002}.tar"), str(tmp_path)):
        images = read(text)
        assert shades(images) == names
        assert labels(images)["train-001/000000.png"] == ["dog"]
        assert find_images([text]).classes == ("cat", "dog")
    images = read(str(tmp_path / "train-{000..004}.tar"))
    assert "2 of 5 archives aren't there: train-003.tar, train-004.tar." in images.notices
    with pytest.raises(BadRequest, match="none of the 2 archives is there"):
        read(str(tmp_path / "val-{0..1}.tar"))
    with pytest.raises(BadRequest, match="the braces name no archives"):
        read(str(tmp_path / "val-{3..1}.tar"))
    with pytest.raises(BadRequest, match="more than 100,000 archives"):
        read(str(tmp_path / "v-{0..99999999999}-{0..9}.tar"))


def test_splits_of_shards_are_folders(tmp_path: Path) -> None:
    for split in ("train", "test"):
        (tmp_path / split).mkdir()
        shard(tmp_path / split, len(split), b"1")
    assert len(read(tmp_path)) == 4
    assert set(shades(read(tmp_path, split="test"))) == {"train-004/000000.png", "train-004/000001.png"}
    with pytest.raises(BadRequest, match=r"--split 'val': .* has test, train"):
        read(tmp_path, split="val")


def test_a_folder_with_images_and_an_archive_stays_a_folder(tmp_path: Path) -> None:
    shard(tmp_path, 0, b"1")
    (tmp_path / "a.png").write_bytes(png(7))
    assert shades(read(tmp_path)) == {"a.png": 7}
