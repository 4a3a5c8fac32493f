"""What a file holds: remembered while nobody can have written to it, and else read again."""

import os
import time
from pathlib import Path

import pytest
from PIL import Image

from cnnvis_report.data.batches import read_item
from cnnvis_report.data.content import content_hash
from cnnvis_report.data.content.content_hash import FileContent
from cnnvis_report.data.image_set import find_images, labeled
from cnnvis_report.data.preprocessing.preprocessing import Preprocessing
from cnnvis_report.records.run import Skipped


def test_what_was_decoded_counts_not_what_the_file_holds_by_now(tmp_path: Path) -> None:
    path = tmp_path / "p.png"
    Image.new("RGB", (8, 8), "red").save(path)
    item = next(iter(labeled(find_images([path]), ())))
    red = read_item(item, Preprocessing())
    Image.new("RGB", (8, 8), "blue").save(path)
    assert item.fingerprint == red.content, "of the picture that was explained"
    blue = next(iter(labeled(find_images([path]), ()))).fingerprint
    assert blue != red.content
    again = read_item(item, Preprocessing())
    assert isinstance(again, Skipped) and "replaced" in again.reason and again.content == red.content


def test_a_file_that_was_just_written_is_not_remembered(tmp_path: Path) -> None:
    path = tmp_path / "p.bin"
    path.write_bytes(b"one")
    young = FileContent(path)
    young.digest()
    assert young.remembered == {}, "within a tick of the clock it could be written again"
    long_ago = time.time_ns() + 10 * content_hash.SETTLED
    for when in (time.time_ns() - 10**12, long_ago):
        os.utime(path, ns=(when, when))
        file = FileContent(path)
        file.digest()
        assert file.remembered == {}, "the time of writing can be set, that of the change can't; the future isn't over"


def test_a_file_is_remembered_by_more_than_its_size_and_time_of_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content_hash, "SETTLED", 0)
    path = tmp_path / "p.bin"
    path.write_bytes(b"one")
    file = FileContent(path)
    first = file.digest()
    (known,) = [file.remembered]
    again = FileContent(path)
    again.recall(known)
    assert again.remembered == known and again.digest() == first
    time.sleep(0.02)
    before = path.stat()
    path.write_bytes(b"two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    other = FileContent(path)
    other.recall(known)
    assert other.digest() != first
