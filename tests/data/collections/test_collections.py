"""Collections: their entries are images like others, and are told by their bytes."""

import dataclasses
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnvis_report.data.batches import DecodedImage, read_item
from cnnvis_report.data.collection import Selection, collection_for
from cnnvis_report.data.discovery.file_heads import looked_into
from cnnvis_report.data.entry import Entry
from cnnvis_report.data.image_file import FoundImages, ImageFile
from cnnvis_report.data.image_set import labeled
from cnnvis_report.data.masks.annotation import Annotation
from cnnvis_report.data.pixels import UnusablePicture
from cnnvis_report.data.preprocessing.preprocessing import Preprocessing
from cnnvis_report.errors import BadRequest

WHOLE = Preprocessing((0.0,) * 3, (1.0,) * 3)


@dataclasses.dataclass(frozen=True)
class Slice(Entry):
    """Bytes within a file, which the test can look at."""

    first: int
    count: int

    def read(self) -> bytes:
        assert self.container is not None
        content = self.container.read_bytes()[self.first : self.first + self.count]
        if len(content) < self.count:
            raise UnusablePicture("cut short")
        return content


@dataclasses.dataclass(frozen=True)
class Half(Annotation):
    """The left half of a picture of 4×2 pixels."""

    says: str

    @property
    def digest(self) -> str:
        return self.says

    def draw(self, labels: list[str]) -> Image.Image:  # type: ignore[override]
        if labels[0] != "cat":
            raise UnusablePicture("no such object")
        return Image.fromarray(np.array([[255, 255, 0, 0]] * 2, np.uint8))


def png(value: int) -> bytes:
    stream = BytesIO()
    Image.new("RGB", (4, 2), (value, 0, 0)).save(stream, "PNG")
    return stream.getvalue()


def entries(path: Path, *pictures: bytes) -> FoundImages:
    path.write_bytes(b"".join(pictures))
    ends = np.cumsum([len(picture) for picture in pictures]).tolist()
    files = [
        ImageFile(
            Path(f"{number}.png"),
            f"cat/{number}.png",
            "cat",
            entry=Slice(path, str(number), end - len(picture), len(picture)),
            mask=Half("left"),
        )
        for number, (picture, end) in enumerate(zip(pictures, ends, strict=True))
    ]
    return FoundImages(tuple(files))


def test_an_entry_is_decoded_and_labeled_like_a_file(tmp_path: Path) -> None:
    images = labeled(entries(tmp_path / "all.bin", png(10), png(200)), ["cat", "dog"])
    results = [read_item(item, WHOLE) for item in images]
    assert [item.labels[0].index for item in images] == [0, 0]
    for result, value in zip(results, (10, 200), strict=True):
        assert isinstance(result, DecodedImage) and result.mask is not None
        assert np.array_equal(result.picture.seen[..., 0], np.full((2, 4), value))
        assert result.mask.tolist() == [[True, True, False, False]] * 2
    assert len({item.fingerprint for item in images}) == len({item.id for item in images}) == 2


def test_an_entry_that_changes_is_told(tmp_path: Path) -> None:
    path = tmp_path / "all.bin"
    (before,) = labeled(entries(path, png(10)), ["cat"])
    fingerprint = before.fingerprint
    path.write_bytes(png(11))
    with pytest.raises(UnusablePicture, match="replaced by another file while the run went on"):
        before.open()
    (after,) = labeled(entries(path, png(11)), ["cat"])
    assert after.fingerprint != fingerprint
    path.write_bytes(png(11)[:-8])
    assert getattr(read_item(after, WHOLE), "reason", "") == "cut short"
    assert after.files[0].problem() == ""


def test_what_an_annotation_says_is_part_of_the_fingerprint(tmp_path: Path) -> None:
    files = entries(tmp_path / "all.bin", png(10))
    other = dataclasses.replace(files, files=(dataclasses.replace(files[0], mask=Half("right")),))
    (one,), (two,) = labeled(files, ["cat"]), labeled(other, ["cat"])
    assert one.fingerprint != two.fingerprint and one.content == two.content


def test_a_mask_that_cannot_be_drawn_costs_its_image(tmp_path: Path) -> None:
    files = entries(tmp_path / "all.bin", png(10))
    renamed = dataclasses.replace(files, files=(dataclasses.replace(files[0], labels=("dog",)),))
    (item,) = labeled(renamed, ["cat", "dog"])
    assert getattr(read_item(item, WHOLE), "reason", "") == "no such object"


def test_an_unreadable_container_is_a_reason(tmp_path: Path) -> None:
    (item,) = labeled(entries(tmp_path / "all.bin", png(10)), ["cat"])
    (tmp_path / "all.bin").unlink()
    assert "what holds it can't be read" in getattr(read_item(item, WHOLE), "reason", "")
    assert item.fingerprint == "unreadable+left"


def test_pages_of_an_entry_are_images(tmp_path: Path) -> None:
    stream = BytesIO()
    frames = [Image.new("L", (4, 2), value) for value in (1, 2)]
    frames[0].save(stream, "TIFF", save_all=True, append_images=frames[1:])
    files = entries(tmp_path / "all.bin", stream.getvalue())
    whole = [dataclasses.replace(files[0], path=Path("a.tif"), name="a.tif", mask=None)]
    pages, notices = looked_into(whole, 3)
    assert [page.name for page in pages] == ["a.tif page 1", "a.tif page 2"] and "2 pages" in notices[0]
    values = [read_item(item, WHOLE) for item in labeled(FoundImages(tuple(pages)), [])]
    assert [int(result.picture.seen[0, 0, 0]) for result in values if isinstance(result, DecodedImage)] == [1, 2]


def test_what_a_collection_has_no_use_for_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("a.png\n")
    holder = collection_for(str(path))
    assert holder is not None and holder.name == "image_list"
    with pytest.raises(BadRequest, match=r"--split 'val': .*list\.txt is a list of images, which has no use for"):
        holder.check(str(path), Selection(split="val"))
    assert collection_for(str(tmp_path)) is None
