"""Masks of samples measure the maps as those of files do; and errors name settings as keywords."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from cnnvis_report.errors import BadRequest
from cnnvis_report.live.create import as_keywords
from tests.live.small import Samples, created, inputs, pictures

QUICK: dict[str, Any] = {"metrics": "quick", "methods": "gradient"}


def halves(count: int = 3) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A half of each picture: left, right, and nothing of the last."""
    masks = np.zeros((count, 16, 16), np.uint8)
    masks[0, :, :8] = masks[1, :, 8:] = 1
    return masks


def with_masks(form: str, folder: Path) -> tuple[Any, dict[str, Any]]:
    """Images, and the keywords that go with them."""
    masks = halves()
    images: Any = pictures()
    if form == "arrays":
        return images, {"masks": list(masks)}
    if form == "a tensor":
        return inputs(), {"masks": torch.from_numpy(masks).bool()}
    if form == "pictures and none":
        return images, {"masks": [Image.fromarray(masks[0] * 255), Image.fromarray(masks[1]), None]}
    if form == "samples":
        return list(zip(images, [0, 1, 2], masks, strict=True)), {}
    if form == "dictionaries":
        return [{"image": image, "mask": mask} for image, mask in zip(images, masks, strict=True)], {}
    for number, mask in enumerate(masks):
        Image.fromarray(mask * 255).save(folder / f"{number}.png")
    return images, {"masks": [folder / f"{number}.png" for number in range(3)]}


@pytest.mark.parametrize("form", ["arrays", "a tensor", "pictures and none", "samples", "dictionaries", "paths"])
def test_the_share_of_a_map_in_its_mask_is_measured(form: str, tmp_path: Path) -> None:
    images, keywords = with_masks(form, tmp_path)
    size: dict[str, Any] = {} if form == "a tensor" else {"size": "16"}
    report = created(images, tmp_path, **QUICK, **size, **keywords)
    records = [image.record for image in report]
    assert [record.mask_fraction for record in records[:2]] == [0.5, 0.5]
    assert records[2].mask_fraction in (None, 0.0)
    assert 0 < report.metrics["gradient"]["relevance_mass_accuracy"] < 1


@pytest.mark.parametrize(
    ("images", "keywords", "message"),
    [
        (pictures(), {"masks": list(halves(2))}, "There are 2 masks for 3 images"),
        (pictures(), {"masks": 3}, "masks are an int; a list with one for each image"),
        (Samples(), {"masks": "folder"}, "masks: the images are no files of a folder or a list"),
        (Samples(), {"labels": "folders"}, "labels: the images are no files"),
        (pictures(), {"size": "0"}, r"^size '?0"),
        (pictures(), {"range": "1"}, r"^range"),
        ("nowhere", {}, r"nowhere"),
    ],
    ids=["fewer", "number", "folder", "labels", "size", "range", "path"],
)
def test_errors_name_settings_as_keywords(images: Any, keywords: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match=message) as caught:
        created(images, tmp_path, **keywords)
    assert "--" not in str(caught.value) and "\n" not in str(caught.value)


def test_a_mask_of_another_size_costs_its_image(tmp_path: Path) -> None:
    masks = [np.ones((8, 8)), np.ones((16, 16)), [1, 2]]
    report = created(pictures(), tmp_path, masks=masks, size="16")
    reasons = [skipped.reason for skipped in report.record.skipped]
    assert len(report) == 1
    assert "its mask is 8×8, and the image 16×16" in reasons[0] and "its mask is of type list" in reasons[1]


def test_words_that_only_look_like_options_stay() -> None:
    assert as_keywords("--label-columns a: give --size or -o.") == "label_columns a: give size or output."
    assert as_keywords("a--size, --no-such and well-o") == "a--size, --no-such and well-o"
