"""Images in a store, by fsspec's own in memory: read by parts, and only where its address was typed."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cnnvis_report.errors import BadRequest
from tests.data.archives.archive_files import SHADES, labels, pictures, png, read, reasons, shades, write_tar, write_zip
from tests.extras.needs import needs

needs("fsspec")

import fsspec  # noqa: E402


@pytest.fixture
def store() -> Iterator[Any]:
    filesystem = fsspec.filesystem("memory")
    yield filesystem
    filesystem.store.clear()
    filesystem.pseudo_dirs[:] = [""]


def test_a_zip_archive_is_read_by_parts(store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    members = pictures() | {"cat/large.bmp": bytes(range(256)) * 20_000}
    store.pipe("/b/photos.zip", write_zip(tmp_path / "p.zip", members, 0).read_bytes())
    counts: list[int] = []
    original = type(store).cat_file

    def counted(self: Any, path: str, start: int | None = None, end: int | None = None, **options: Any) -> bytes:
        content: bytes = original(self, path, start, end, **options)
        counts.append(len(content))
        return content

    monkeypatch.setattr(type(store), "cat_file", counted)
    images = read("memory://b/photos.zip")
    assert shades(images) | {"cat/large.bmp": 0} == SHADES | {"cat/large.bmp": 0}
    assert labels(images)["dog/9.png"] == ["dog"]
    assert sum(counts[:3]) < 2 << 20, "listing reads the directory alone"
    assert images.notices[0].startswith("memory://b/photos.zip is read over the network")


@pytest.mark.parametrize("mode", ["w", "w:gz"], ids=["plain", "gzip"])
def test_shards_are_read_by_braces_and_as_a_folder(store: Any, tmp_path: Path, mode: str) -> None:
    ending = ".tar.gz" if mode == "w:gz" else ".tar"
    for number in range(2):
        members = {"0.png": png(number + 1), "0.cls": b"1"}
        store.pipe(f"/s/train-{number}{ending}", write_tar(tmp_path / f"t{ending}", members, mode).read_bytes())
    for text in (f"memory://s/train-{{0..1}}{ending}", "memory://s"):
        images = read(text)
        assert shades(images) == {"train-0/0.png": 1, "train-1/0.png": 2}
        assert set(map(tuple, labels(images).values())) == {("dog",)}
    assert len({item.fingerprint for item in read("memory://s")}) == 2, "the same offset in two archives is two images"


def test_folders_and_files_are_read(store: Any) -> None:
    for name, content in pictures().items():
        store.pipe(f"/set/{name}", content)
    store.pipe("/set/readme.md", b"x")
    images = read("memory://set")
    assert shades(images) == {"cat/1.png": 10, "cat/2.png": 20, "dog/9.png": 40, "dog/10.png": 30}
    assert labels(images)["dog/10.png"] == ["dog"]
    assert shades(read("memory://set/cat/1.png")) == {"1.png": 10}


def test_what_is_gone_when_it_is_read_is_a_reason(store: Any) -> None:
    store.pipe("/set/a.png", png(1))
    images = read("memory://set")
    store.rm("/set/a.png")
    assert "the server can't be reached, or refuses it (FileNotFoundError)" in reasons(images)["a.png"]


REFUSED = {
    "nothing": ("memory://nowhere/a.png", "there is nothing at this address"),
    "text": ("memory://t/notes.md", "neither an image nor an archive of images"),
    "nested": ("zip://a.png::memory://t/a.zip", "an address within another one isn't read"),
    "cache": ("simplecache://memory/a.png", "addresses of simplecache:// aren't read"),
    "reference": ("reference://a.json", "addresses of reference:// aren't read"),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_other_addresses_are_one_line(store: Any, text: str, message: str) -> None:
    store.pipe("/t/notes.md", b"hello")
    with pytest.raises(BadRequest, match=message):
        read(text)


def test_passwords_and_keys_are_never_said(store: Any) -> None:
    with pytest.raises(BadRequest) as caught:
        read("memory://user:secret@nowhere/a.png?key=secret")
    assert "secret" not in str(caught.value)


def test_without_fsspec_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(
        BadRequest, match=r"fsspec is needed to read it and not installed: pip install 'cnnvis-report\[r"
    ):
        read("https://example.org/a.zip?key=secret")


def test_names_in_a_store_are_no_paths(store: Any) -> None:
    store.store["/set/../../evil.png"] = fsspec.implementations.memory.MemoryFile(store, "/x", png(1))
    store.pipe("/set/a.png", png(2))
    assert set(shades(read("memory://set"))) == {"a.png"}
