"""Boxes of annotations become masks of the images that they belong to."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnvis_report.data.image_set import find_images, labeled
from cnnvis_report.data.masks.bounding_boxes import read_boxes
from cnnvis_report.data.pixels import UnusablePicture
from tests.narrow import present
from tests.networks import Tiny  # noqa: F401 # so that the module is importable as users import theirs

ANNOTATION = """<annotation><size><width>{0}</width><height>{1}</height><depth>3</depth></size>{2}</annotation>"""


OBJECT = (
    "<object><name>{0}</name><bndbox><xmin>{1}</xmin><ymin>{2}</ymin><xmax>{3}</xmax><ymax>{4}</ymax></bndbox></object>"
)


def boxes(tmp_path: Path, content: Any, name: Any = "") -> Any:
    path = tmp_path / "a.xml"
    path.write_text(content, "utf-8")
    return np.asarray(read_boxes(path, name)) > 0


def test_boxes_become_masks(tmp_path: Path) -> None:
    cat, dog = OBJECT.format("cat", 1, 1, 2, 1), OBJECT.format("dog", 3, 2, 6, 4)
    both = boxes(tmp_path, ANNOTATION.format(6, 5, cat + dog))
    expected = np.zeros((5, 6), bool)
    expected[1:4, 2:6] = True
    np.testing.assert_array_equal(boxes(tmp_path, ANNOTATION.format(6, 5, cat + dog), "dog"), expected)
    expected[0, :2] = True
    np.testing.assert_array_equal(both, expected)
    np.testing.assert_array_equal(boxes(tmp_path, ANNOTATION.format(6, 5, cat + dog), "horse"), expected)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "empty"),
        ("<annotation>", "can't be read"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]>" + ANNOTATION.format(6, 5, ""), "declares entities"),
        (ANNOTATION.format(0, 5, ""), "no usable size (0×5)"),
        (ANNOTATION.format(10**6, 10**6, ""), "no usable size"),
        (ANNOTATION.format("wide", 5, ""), "can't be read"),
        (ANNOTATION.format(6, 5, OBJECT.format("cat", 1, 1, 9, 2)), "isn't within the image"),
        (ANNOTATION.format(6, 5, "<object/>"), "isn't within the image"),
    ],
)
def test_annotations_that_are_no_good_say_why(tmp_path: Path, content: Any, reason: str) -> None:
    with pytest.raises(UnusablePicture, match=re.escape(reason)):
        boxes(tmp_path, content)


def test_boxes_belong_to_images_called_alike(tmp_path: Path) -> None:
    pictures, annotations = tmp_path / "pictures", tmp_path / "annotations"
    for folder in (pictures / "cat", annotations / "cat"):
        folder.mkdir(parents=True)
    Image.new("RGB", (6, 5)).save(pictures / "cat" / "one.png")
    (annotations / "cat" / "one.xml").write_text(
        ANNOTATION.format(6, 5, OBJECT.format("dog", 1, 1, 1, 1) + OBJECT.format("cat", 3, 2, 6, 4)), "utf-8"
    )
    (item,) = labeled(find_images([pictures]), ["cat", "dog"], masks=annotations)
    assert np.asarray(present(item.mask)()).sum() == 255 * 12, "the box of the label alone"
