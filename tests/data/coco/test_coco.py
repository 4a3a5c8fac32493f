"""COCO's annotations and Pascal VOC's folders: labels, and masks against slow replicas."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cnnvis_report.data.coco.areas import Area, Areas, pixels_of_polygon, pixels_of_runs, unpacked
from cnnvis_report.data.masks.annotation import Annotation
from cnnvis_report.data.pixels import UnusablePicture
from cnnvis_report.errors import BadRequest
from tests.data.labels.test_class_names import tree
from tests.data.tables.label_tables import by_file, indices, notices, opened, opener_of, write

SIZE = (6, 4)  # width and height
RUNS = {"size": [4, 6], "counts": [4, 2, 18]}
CATEGORIES = [{"id": 17, "name": "cat"}, {"id": 18, "name": "dog"}]
IMAGES = [
    {"id": number, "file_name": name, "width": 6, "height": 4}
    for number, name in enumerate(("a.png", "b.png", "c.png"))
]
OBJECTS = [
    {"image_id": 0, "category_id": 17, "bbox": [0, 0, 1, 1], "segmentation": [[0, 0, 1, 0, 1, 1, 0, 1]]},
    {"image_id": 0, "category_id": 18, "bbox": [2, 1, 3, 2], "segmentation": [[2, 1, 5, 1, 5, 3, 2, 3]]},
    {"image_id": 1, "category_id": 17, "bbox": [1, 0, 1, 2], "segmentation": RUNS, "iscrowd": 1},
    {"image_id": 1, "category_id": 99, "bbox": [1, 0, 1, 2]},
]


def coco(folder: Path, **changes: Any) -> Path:
    content = {"info": {}, "images": IMAGES, "annotations": OBJECTS, "categories": CATEGORIES} | changes
    return write(folder / "annotations" / "instances_val2017.json", json.dumps(content))


def drawn(mask: Path | Annotation | None, *labels: str) -> list[list[int]]:
    assert isinstance(mask, Annotation)
    return (np.asarray(mask.draw(labels)) // 255).tolist()  # type: ignore[no-any-return]


def box(left: int, top: int, right: int, bottom: int) -> list[list[int]]:
    return [[int(top <= y < bottom and left <= x < right) for x in range(SIZE[0])] for y in range(SIZE[1])]


@pytest.mark.parametrize("place", ["", "annotations", "val2017", "images", "images/val2017", "annotations/val2017"])
def test_images_of_coco_are_looked_for_beside_it(tmp_path: Path, place: str) -> None:
    tree(tmp_path / place, "a.png", "b.png", "c.png")
    path = coco(tmp_path)
    images = opened(path)
    assert opener_of(path) == "json_annotations"
    assert indices(images) == {"a.png": [1, 0], "b.png": [0], "c.png": []}, "the largest object's label first"
    assert [image.bare for image in images] == [False, False, True]
    said = notices(images)
    assert "3 objects of 2 categories" in said and "1 annotation is of no category" in said


def test_masks_of_coco_are_of_the_label_or_of_all(tmp_path: Path) -> None:
    first, second, third = by_file(tree(tmp_path / "photos", "a.png", "b.png", "c.png"), coco(tmp_path))
    assert drawn(first.mask, "dog") == box(2, 1, 5, 3) and drawn(first.mask, "Cat") == box(0, 0, 1, 1)
    both = np.maximum(box(2, 1, 5, 3), box(0, 0, 1, 1)).tolist()
    assert drawn(first.mask, "bird") == drawn(first.mask) == both
    assert drawn(second.mask, "cat") == box(1, 0, 2, 2) and third.mask is None
    assert isinstance(first.mask, Annotation) and isinstance(second.mask, Annotation)
    assert first.mask.digest != second.mask.digest and len(first.mask.digest) == 64


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"annotations": [{"image_id": 0, "caption": "a cat"}]}, "captions, which are no labels"),
        ({"annotations": [{"image_id": 0, "segments_info": []}]}, "a panoptic segmentation"),
        ({"categories": []}, "annotations without categories"),
        ({"categories": None}, "annotations without categories"),
        ({"images": [{"id": 0}]}, "its images have no file_name"),
        ({"images": [3, {"file_name": "../../x.png"}]}, "No image in"),
        ({"images": [{"file_name": "gone.png"}]}, "none of the 1 files that it names is there"),
    ],
)
def test_other_annotations_are_one_line(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        opened(coco(tree(tmp_path, "a.png"), **changes))


@pytest.mark.parametrize(
    "area",
    [
        pytest.param(Area("cat", None), id="nowhere"),
        pytest.param(Area("cat", [1, 2, "x", 4]), id="a box of words"),
        pytest.param(Area("cat", None, [[1, 2, 3]]), id="half a corner"),
        pytest.param(Area("cat", None, [[1, 2, 3, 4, 5, None]]), id="no number"),
        pytest.param(Area("cat", None, {"size": [4, 6], "counts": [5]}), id="too few pixels"),
        pytest.param(Area("cat", None, {"size": [400000, 600000], "counts": [5]}), id="another size"),
        pytest.param(Area("cat", None, {"size": [4, 6], "counts": [-5, 29]}), id="a negative run"),
        pytest.param(Area("cat", None, {"size": [4, 6], "counts": "o" * 40}), id="a count without an end"),
        pytest.param(Area("cat", None, {"size": [4, 6], "counts": "é"}), id="no characters of counts"),
        pytest.param(Area("cat", [100, 100, 5, 5]), id="beside the image"),
        pytest.param(Area("cat", [float("nan"), 0, 5, 5]), id="not a number"),
    ],
)
def test_areas_that_cannot_be_drawn_are_a_reason(area: Area) -> None:
    with pytest.raises(UnusablePicture, match="its annotation has"):
        Areas(SIZE, (area,)).draw([])


@pytest.mark.parametrize("size", [(0, 4), (None, 4), (10**6, 10**6), ("6", "4"), (True, True)])
def test_sizes_that_are_none_are_a_reason(size: tuple[Any, Any]) -> None:
    with pytest.raises(UnusablePicture, match="no usable size"):
        Areas(size, (Area("cat", [0, 0, 1, 1]),)).draw([])


def packed(counts: list[int]) -> str:
    """The text of counts, by the definition: differences in two's complement, 5 bits a character."""
    letters = []
    for number, count in enumerate(counts):
        value = count - (counts[number - 2] if number > 2 else 0)
        while True:
            low, value = value & 31, value >> 5
            done = value == (-1 if low & 16 else 0)
            letters.append(chr(48 + low + (0 if done else 32)))
            if done:
                break
    return "".join(letters)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"images": [IMAGES[0], IMAGES[1] | {"id": 0}]}, "id 0 is that of two images, 'a.png' and 'b.png'"),
        (
            {"categories": [CATEGORIES[0], {"id": 17, "name": "dog"}]},
            "id 17 is that of two categories, 'cat' and 'dog'",
        ),
    ],
    ids=["images", "categories"],
)
def test_an_id_of_two_is_refused(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    tree(tmp_path, "a.png", "b.png", "c.png")
    with pytest.raises(BadRequest, match=says):
        opened(coco(tmp_path, **changes))


def test_what_has_no_id_has_no_objects(tmp_path: Path) -> None:
    tree(tmp_path / "annotations", "a.png", "b.png")
    nobody = {"category_id": 17, "bbox": [0, 0, 1, 1]}
    images = [{"file_name": "a.png", "width": 6, "height": 4}, IMAGES[1]]
    labeled = opened(coco(tmp_path, images=images, annotations=[nobody, OBJECTS[2]]))
    assert indices(labeled) == {"a.png": [], "b.png": [0]}
    assert "1 annotation is of no category or no object" in notices(labeled)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 3000), min_size=1, max_size=12))
def test_packed_counts_are_unpacked(counts: list[int]) -> None:
    assert unpacked(packed(counts)) == counts


def test_a_packed_area_by_hand() -> None:
    # 4 pixels outside, 2 inside, 18 outside; the last takes two letters, as 16 is the sign in the last of a count
    area = {"size": [4, 6], "counts": "42b0"}
    assert unpacked("42b0") == [4, 2, 18]
    assert pixels_of_runs(area, (4, 6)).astype(int).tolist() == box(1, 0, 2, 2)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(-8, 40), st.integers(-8, 32)), min_size=3, max_size=7))
def test_polygons_hold_the_pixels_whose_centers_they_hold(corners: list[tuple[int, int]]) -> None:
    # thirds never meet a center, so which side a border belongs to doesn't matter
    points = [(x / 3, y / 3) for x, y in corners]
    expected = np.zeros((8, 10), bool)
    for y, x in np.ndindex(expected.shape):
        for (x0, y0), (x1, y1) in zip(points, points[1:] + points[:1], strict=True):
            if (y0 > y + 0.5) != (y1 > y + 0.5):
                crossing = x0 + (y + 0.5 - y0) * (x1 - x0) / (y1 - y0)
                if abs(crossing - x - 0.5) < 1e-9:
                    return  # on the border by rounding alone
                expected[y, x] ^= crossing < x + 0.5
    flat = [side for point in points for side in point]
    assert np.array_equal(pixels_of_polygon(flat, (8, 10)), expected)


OBJECT = "<object><name>{}</name><bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox></object>"


def voc(top: Path) -> Path:
    root = top / "VOC2012"
    tree(root / "JPEGImages", "a.jpg", "b.jpg", "c.jpg")
    objects = {
        "a": OBJECT.format("cat", 1, 1, 2, 2) + OBJECT.format("dog", 3, 1, 6, 4),
        "b": OBJECT.format("cat", 2, 1, 3, 3),
    }
    for name, inner in objects.items():
        size = "<size><width>6</width><height>4</height></size>"
        write(root / "Annotations" / f"{name}.xml", f"<annotation>{size}{inner}</annotation>")
    write(root / "Annotations" / "c.xml", "<annotation>")
    write(root / "ImageSets/Main/train.txt", "a\n")
    write(root / "ImageSets/Main/val.txt", "b\nc\n")
    write(root / "ImageSets/Main/cat_val.txt", "b 1\nc -1\n")
    indices_of_classes = np.zeros((4, 6), np.uint8)
    indices_of_classes[0, :2], indices_of_classes[1, 3:], indices_of_classes[2] = 8, 12, 255
    (root / "SegmentationClass").mkdir()
    segmentation = Image.fromarray(indices_of_classes)
    segmentation.putpalette(bytes(range(256)) * 3)
    segmentation.save(root / "SegmentationClass/a.png")
    return root


@pytest.mark.parametrize("inner", ["", "VOC2012"])
def test_pascal_voc(tmp_path: Path, inner: str) -> None:
    voc(tmp_path)
    images = opened(tmp_path / inner)
    assert opener_of(tmp_path / inner) == "pascal_voc"
    assert indices(images) == {"a.jpg": [1, 0], "b.jpg": [0], "c.jpg": []}
    assert "Annotations: those of 1 images can't be read: c.jpg" in notices(images).replace("1 image ", "1 images ")
    assert list(indices(opened(tmp_path / inner, "val"))) == ["b.jpg", "c.jpg"]
    with pytest.raises(BadRequest, match=r"Its parts are train \(1\), val \(1\)"):
        opened(tmp_path / inner, "test")


def test_masks_of_pascal_voc(tmp_path: Path) -> None:
    first, second, third = opened(voc(tmp_path))
    assert drawn(first.mask, "cat") == box(0, 0, 2, 1) and drawn(first.mask, "dog") == box(3, 1, 6, 2)
    assert drawn(first.mask, "sheep") == np.maximum(box(0, 0, 2, 1), box(3, 1, 6, 2)).tolist()
    assert second.mask == tmp_path / "VOC2012/Annotations/b.xml" and third.mask is None
