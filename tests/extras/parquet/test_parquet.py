"""Parquet files of paths, and of the images themselves."""

from tests.extras.needs import needs

needs("pyarrow")

import io  # noqa: E402
import json  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402
import pyarrow  # noqa: E402
import pytest  # noqa: E402
from PIL import Image  # noqa: E402
from pyarrow import parquet  # noqa: E402

from cnnvis_report.data.batches import DecodedImage, read_item  # noqa: E402
from cnnvis_report.data.image_set import labeled  # noqa: E402
from cnnvis_report.data.preprocessing.preprocessing import Preprocessing  # noqa: E402
from cnnvis_report.errors import BadRequest  # noqa: E402
from tests.data.labels.test_class_names import tree  # noqa: E402
from tests.data.tables.label_tables import CLASSES, by_file, indices, notices, opened, opener_of  # noqa: E402

WHOLE = Preprocessing((0.0,) * 3, (1.0,) * 3)
NAMES = {"info": {"features": {"label": {"names": ["dog", "cat", "bird"], "_type": "ClassLabel"}}}}


def png(value: int) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (3, 2), (value, 0, 0)).save(stream, "PNG")
    return stream.getvalue()


def write(path: Path, columns: dict[str, Any], notes: object = None, **options: Any) -> Path:
    table = pyarrow.table(columns)
    if notes is not None:
        table = table.replace_schema_metadata({b"huggingface": json.dumps(notes).encode()})
    parquet.write_table(table, path, **options)
    return path


def test_a_table_of_paths(tmp_path: Path) -> None:
    tree(tmp_path, "a.png", "b.png", "images/a.png", "images/b.png")
    columns = {"file": ["a.png", "b.png"], "label": [0, 1], "many": [["cat", "bird"], []], "split": ["train", "val"]}
    path = write(tmp_path / "t.parquet", columns)
    assert opener_of(path) == "parquet_table"
    assert indices(opened(path)) == {"a.png": [0], "b.png": [1]}
    assert indices(opened(path, "val")) == {"b.png": [1]}
    assert indices(opened(path, columns=("many",))) == {"a.png": [0, 2], "b.png": []}
    assert indices(by_file(tmp_path / "images", path)) == {"a.png": [0], "b.png": [1]}


@pytest.mark.parametrize("as_struct", [True, False], ids=["bytes and path", "bytes"])
def test_images_are_read_from_their_rows(tmp_path: Path, as_struct: bool) -> None:
    values = [7 * number % 251 for number in range(200)]
    images = [{"bytes": png(value), "path": f"{value}.png"} if as_struct else png(value) for value in values]
    columns = {"image": images, "label": [number % 3 for number in range(200)]}
    images_found = opened(write(tmp_path / "t.parquet", columns, NAMES, row_group_size=50))
    assert images_found.classes == ("dog", "cat", "bird") and images_found[3].labels == ("0",)
    items = labeled(images_found, CLASSES).items
    for number in (*range(0, 200, 17), 3, 199):
        result = read_item(items[number], WHOLE)
        assert isinstance(result, DecodedImage) and int(result.picture.seen[0, 0, 0]) == values[number]
    assert "t.parquet holds images." in notices(images_found)


def test_rows_without_an_image_are_a_reason(tmp_path: Path) -> None:
    images = [{"bytes": png(1), "path": "a"}, {"bytes": None, "path": "b"}, None, {"bytes": b"no image", "path": "c"}]
    items = labeled(opened(write(tmp_path / "t.parquet", {"image": images})), CLASSES)
    reasons = [getattr(read_item(item, WHOLE), "reason", "") for item in items]
    assert reasons[:3] == ["", *["no bytes of an image are in its row"] * 2] and reasons[3]


@pytest.mark.parametrize("content", [b"PAR1", b"PAR1" + bytes(range(256)) * 4 + b"PAR1"], ids=["cut", "noise"])
def test_broken_files_are_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t.parquet").write_bytes(content)
    with pytest.raises(BadRequest, match="can't be read as a Parquet file") as caught:
        opened(tmp_path / "t.parquet")
    assert "\n" not in str(caught.value)


def test_no_damage_is_more_than_a_message(tmp_path: Path) -> None:
    path = write(tmp_path / "t.parquet", {"image": [png(value) for value in range(20)], "label": list(range(20))})
    content = path.read_bytes()
    random = np.random.default_rng(0)
    for _ in range(60):
        damaged = np.frombuffer(content, np.uint8).copy()
        damaged[random.integers(4, len(content) - 4, 12)] = random.integers(0, 256, 12)
        path.write_bytes(damaged.tobytes())
        try:
            images = opened(path)
        except BadRequest:
            continue
        for item in labeled(images, CLASSES):
            read_item(item, WHOLE)
