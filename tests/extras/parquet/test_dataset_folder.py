"""Folders of Hugging Face datasets: the pictures, labels, names and parts that the library itself gives."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnvis_report.data.batches import DecodedImage, read_item
from cnnvis_report.data.collection import Selection
from cnnvis_report.data.discovery.find_images import find_images
from cnnvis_report.data.image_set import ImageSet, labeled
from cnnvis_report.data.preprocessing.preprocessing import Preprocessing
from cnnvis_report.errors import BadRequest
from tests.extras.needs import needs

needs("pyarrow")

import pyarrow  # noqa: E402
from pyarrow import parquet  # noqa: E402

NAMES = ["ant", "bee", "cat"]
UNNAMED = [f"class {number}" for number in range(3)]
WHOLE = Preprocessing((0.0,) * 3, (1.0,) * 3)


def pictures(count: int) -> list[Image.Image]:
    values = np.random.default_rng(1).integers(0, 256, (count, 6, 8, 3), dtype=np.uint8)
    return [Image.fromarray(picture) for picture in values]


def png(picture: Image.Image) -> bytes:
    stream = BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def table(labels: list[Any], features: dict[str, Any] | None = None, **columns: list[Any]) -> pyarrow.Table:
    """Pictures and labels as the library writes them."""
    images = [{"bytes": png(picture), "path": None} for picture in pictures(len(labels))]
    content = pyarrow.table({"image": images, "label": labels, **columns})
    known = {"image": {"_type": "Image"}, "label": {"_type": "ClassLabel", "names": NAMES}} | (features or {})
    return content.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": known}})})


def save(folder: Path, content: pyarrow.Table) -> Path:
    """As `save_to_disk` does, in two files."""
    folder.mkdir(parents=True)
    names = [f"data-{number:05d}-of-00002.arrow" for number in range(2)]
    for number, name in enumerate(names):
        part = content.slice(*((0, 2) if number == 0 else (2, len(content))))
        with pyarrow.ipc.new_stream(str(folder / name), content.schema) as writer:
            writer.write_table(part)
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": name} for name in names]}))
    (folder / "dataset_info.json").write_text("{}")
    return folder


def opened(folder: Path, classes: list[str], **selection: Any) -> ImageSet:
    return labeled(find_images([folder], selection=Selection(**selection)), classes)


def check(images: ImageSet, labels: list[int], first: int = 0) -> None:
    expected = pictures(first + len(labels))[first:]
    assert [item.labels[0].index for item in images] == labels
    assert len({item.id for item in images}) == len(labels)
    for item, picture in zip(images, expected, strict=True):
        result = read_item(item, WHOLE)
        assert isinstance(result, DecodedImage)
        assert np.array_equal(result.picture.seen, np.asarray(picture))


def test_a_saved_dataset(tmp_path: Path) -> None:
    folder = save(tmp_path / "one", table([0, 1, 2, 0, 1]))
    images = opened(folder, UNNAMED)
    check(images, [0, 1, 2, 0, 1])
    assert images.order == tuple(NAMES)
    check(opened(folder, ["cat", "ant", "bee"]), [1, 2, 0, 1, 2])


def test_parts_of_a_saved_dictionary(tmp_path: Path) -> None:
    save(tmp_path / "all" / "train", table([0, 1, 2]))
    save(tmp_path / "all" / "validation", table([2, 1]))
    (tmp_path / "all" / "dataset_dict.json").write_text('{"splits": ["train", "validation"]}')
    check(opened(tmp_path / "all", NAMES, split="val"), [2, 1])
    both = opened(tmp_path / "all", NAMES)
    assert [item.name for item in both] == [f"train/{n:06d}" for n in range(3)] + [
        f"validation/{n:06d}" for n in (3, 4)
    ]
    assert any("has the parts train, validation, and all are taken" in notice for notice in both.notices)
    with pytest.raises(BadRequest, match=r"--split 'test': .* has train, validation"):
        opened(tmp_path / "all", NAMES, split="test")


@pytest.mark.parametrize("names", [("train-00000-of-00001", "test-00000-of-00001"), ("train", "test")])
def test_parquet_files_as_on_the_hub(tmp_path: Path, names: tuple[str, str]) -> None:
    (tmp_path / "data").mkdir()
    for name, labels in zip(names, ([0, 1], [2, 0, 1]), strict=True):
        parquet.write_table(table(labels), tmp_path / "data" / f"{name}.parquet", row_group_size=2)
    check(opened(tmp_path, NAMES, split="test"), [2, 0, 1])


def test_columns_of_labels(tmp_path: Path) -> None:
    several = {"_type": "Sequence", "feature": {"_type": "ClassLabel", "names": NAMES}}
    folder = save(tmp_path / "several", table([[0, 2], [1], []], {"label": several}))
    assert [[label.index for label in item.labels] for item in opened(folder, NAMES)] == [[0, 2], [1], []]
    content = table([0, 1, 2], kind=["bee", "bee", "dog"])
    folder = save(tmp_path / "chosen", content)
    chosen = opened(folder, NAMES, label_columns=("kind",))
    assert [item.labels[0].index for item in chosen] == [1, 1, None]


def test_what_cannot_be_read_is_one_line_or_one_image(tmp_path: Path) -> None:
    content = pyarrow.table({"image": [{"bytes": None, "path": "/etc/passwd"}, {"bytes": b"no", "path": "a.png"}]})
    folder = save(tmp_path / "paths", content)
    reasons = [getattr(read_item(item, WHOLE), "reason", "") for item in opened(folder, NAMES)]
    assert reasons[0] == "no bytes of an image are in its row" and reasons[1]
    folder = save(tmp_path / "texts", pyarrow.table({"text": ["a", "b"]}))
    with pytest.raises(BadRequest, match=r"no column of data-00000-of-00002\.arrow holds images, but text"):
        opened(folder, NAMES)
    (folder / "data-00000-of-00002.arrow").write_bytes(b"\xff" * 100)
    with pytest.raises(BadRequest, match="can't be read as an Arrow file"):
        opened(folder, NAMES)


@pytest.mark.parametrize("seed", range(60))
def test_a_damaged_arrow_file_never_ends_the_process(tmp_path: Path, seed: int) -> None:
    folder = save(tmp_path / "damaged", table([0, 1, 2, 0, 1]))
    path = folder / "data-00001-of-00002.arrow"
    random, content = np.random.default_rng(seed), bytearray(path.read_bytes())
    for at in random.integers(0, len(content), 4):
        content[at] = random.integers(256)
    path.write_bytes(bytes(content))
    try:
        for item in opened(folder, NAMES):
            read_item(item, WHOLE)
    except BadRequest as error:
        assert "\n" not in str(error)


def test_names_of_files_are_not_trusted(tmp_path: Path) -> None:
    folder = save(tmp_path / "one", table([0, 1, 2]))
    outside = save(tmp_path / "other", table([0, 0]))
    names = ["../other/data-00000-of-00002.arrow", str(outside / "data-00000-of-00002.arrow"), 3]
    listed = [{"filename": name} for name in (*names, "data-00000-of-00002.arrow")]
    (folder / "state.json").write_text(json.dumps({"_data_files": listed}))
    assert len(opened(folder, NAMES)) == 2


def test_a_table_beside_images_is_no_dataset(tmp_path: Path) -> None:
    parquet.write_table(pyarrow.table({"file": ["a.png"], "label": [0]}), tmp_path / "labels.parquet")
    pictures(1)[0].save(tmp_path / "a.png")
    assert [item.name for item in opened(tmp_path, NAMES)] == ["a.png"]


def test_what_the_library_itself_writes(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=NAMES)})
    content = datasets.Dataset.from_dict({"image": pictures(4), "label": [2, 0, 1, 2]}, features=features)
    datasets.DatasetDict({"train": content, "test": content.select([1, 2])}).save_to_disk(tmp_path / "saved")
    (tmp_path / "hub").mkdir()
    content.to_parquet(tmp_path / "hub" / "test-00000-of-00001.parquet")
    check(opened(tmp_path / "saved", NAMES, split="train"), [2, 0, 1, 2])
    check(opened(tmp_path / "saved", NAMES, split="test"), [0, 1], first=1)
    check(opened(tmp_path / "hub", NAMES), [2, 0, 1, 2])
