"""Where nobody knows which numbers are black and gray, maps that start from them say that they start from 0."""

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms.v2.functional import pil_to_tensor

from cnnvis_report import create_report
from tests.live.small import MEAN, QUICK, STD, inputs, network, pictures, transform

METHODS = {
    "integrated_gradients": "black",
    "deep_lift": "black",
    "occlusion": "gray",
    "rise": "gray",
    "lime": "gray",
    "kernel_shap": "gray",
}
SETTINGS: dict[str, Any] = {**QUICK, "methods": ",".join(METHODS), "effort": "low"}


def squared(picture: Image.Image) -> Tensor:
    """Something else with colors than what a mean and a spread do."""
    return torch.square(pil_to_tensor(picture.convert("RGB")).float() / 99)


KINDS: dict[str, tuple[Any, dict[str, Any], bool]] = {
    "tensors": (inputs, {}, False),
    "tensors and their constants": (inputs, {"mean": MEAN, "std": STD}, True),
    "tensors of 0 to 1": (lambda: inputs().sigmoid(), {}, True),
    "a transform": (pictures, {"transform": squared}, False),
    "a transform that normalizes": (pictures, {"transform": transform}, True),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_map_says_what_it_starts_from(kind: str, tmp_path: Path) -> None:
    images, more, known = KINDS[kind]
    report = create_report(network(), images()[:1], output=tmp_path / "report", **SETTINGS, **more)
    (image,) = report
    starts = {record.method: record.evidence.notes["baseline"] for record in image.record.maps}
    assert starts == (METHODS if known else dict.fromkeys(METHODS, "0"))
    (page,) = (tmp_path / "report" / "images").glob("*.html")
    assert ("from black" in page.read_text()) == known and ("from 0" in page.read_text()) != known
