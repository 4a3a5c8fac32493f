"""Segmentation networks and detectors of transformers from folders: the library's own predictions, and reports."""

import json
import re
import socket
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from tests.extras.needs import needs

needs("transformers")

import transformers  # noqa: E402
from transformers import AutoImageProcessor  # noqa: E402

from cnnvis_report.data.preprocessing.prepare import prepare  # noqa: E402
from cnnvis_report.engine.outputs.boxes import declared_classes  # noqa: E402
from cnnvis_report.errors import BadRequest  # noqa: E402
from cnnvis_report.models.load import load_model  # noqa: E402
from cnnvis_report.store import load_run  # noqa: E402
from tests.conftest import command  # noqa: E402
from tests.extras.hf.dense_folders import DETECTORS, DETR, SEGMENTATIONS, made_dense  # noqa: E402
from tests.extras.hf.test_folders import change, noise  # noqa: E402
from tests.robustness.mutated_models import failures  # noqa: E402

PHOTOS = Path(__file__).parents[4] / "shared" / "real" / "photos"
WORDS = ("-m", "grad_cam,gradient", "--metrics", "none", "--inspect", "none", "--device", "cpu")


def pictures() -> list[Image.Image]:
    """Parts of two photographs where they are at hand, else noise; one is wide, the other high."""
    photos = [Image.open(photo).convert("RGB") for photo in sorted(PHOTOS.glob("*.jpg"))[:2]]
    return [photo.crop((0, 0, *sides)) for photo, sides in zip(photos, [(200, 150), (150, 200)], strict=False)] or [
        noise((60, 41)),
        noise((41, 60)),
    ]


@pytest.fixture(autouse=True)
def without_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("nothing may be fetched")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.parametrize("name", SEGMENTATIONS)
def test_maps_of_scores_are_those_of_the_library(name: str, tmp_path: Path) -> None:
    network = made_dense(name, tmp_path / "net")
    processor = AutoImageProcessor.from_pretrained(tmp_path / "net")
    model = load_model(str(tmp_path / "net"))
    assert (model.task, model.classes, model.notices) == ("segmentation", ("cat", "dog", "hen"), ())
    for picture in pictures():
        values = prepare(picture, model.preprocessing).values[None]
        with torch.no_grad():
            expected = network(**processor(images=picture, return_tensors="pt")).logits
            torch.testing.assert_close(model.network(values).logits, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", DETECTORS)
def test_boxes_are_those_of_the_library(name: str, tmp_path: Path) -> None:
    network = made_dense(name, tmp_path / "net")
    processor = AutoImageProcessor.from_pretrained(tmp_path / "net")
    model = load_model(str(tmp_path / "net"))
    assert (model.task, model.classes) == ("detection", ("cat", "dog", "hen"))
    assert declared_classes(model.network) == 3
    for picture in pictures():
        values = prepare(picture, model.preprocessing).values[None]
        with torch.no_grad():
            output = network(pixel_values=processor(images=picture, return_tensors="pt")["pixel_values"])
            (boxes,) = model.network(values)
        sizes = [(picture.height, picture.width)]
        (expected,) = processor.post_process_object_detection(output, threshold=0.05, target_sizes=sizes)
        torch.testing.assert_close(boxes["scores"], expected["scores"], rtol=0, atol=1e-4)
        sides = torch.tensor([picture.width / values.shape[3], picture.height / values.shape[2]] * 2)
        # those of equal scores may come in another order
        near = (torch.cdist(boxes["boxes"] * sides, expected["boxes"]) < 0.01 * max(picture.size)).any(dim=1)
        assert bool(near.all()) and sorted(boxes["labels"].tolist()) == sorted(expected["labels"].tolist())


@pytest.mark.parametrize("name", ["segformer", "detr"])
def test_a_report(name: str, tmp_path: Path) -> None:
    made_dense(name, tmp_path / "net")
    noise((60, 41)).save(tmp_path / "noise.png")
    result = command("run", tmp_path / "net", tmp_path / "noise.png", "-o", tmp_path / "report", *WORDS)
    assert result.exit_code == 0, result.output
    (image,) = load_run(tmp_path / "report").images()
    classes = {re.sub(r" \(box [23]\)$", "", score.name) for score in image.targets}
    assert image.maps and classes <= {"cat", "dog", "hen"}
    assert "as MODEL says" in result.output


@pytest.mark.parametrize("beside", [{}, {"backbone_kwargs": {"out_indices": [1, 2, 3, 4], "in_chans": 3}}])
def test_a_backbone_that_is_named_alone_is_not_looked_for_on_the_hub(beside: dict[str, Any], tmp_path: Path) -> None:
    pytest.importorskip("timm")
    config = transformers.DetrConfig(**DETR, use_timm_backbone=True, backbone="resnet18", num_labels=3)
    network = transformers.DetrForObjectDetection(config)
    network.save_pretrained(tmp_path / "net")
    transformers.DetrImageProcessor(size={"height": 64, "width": 64}).save_pretrained(tmp_path / "net")
    named: dict[str, Any] = {"use_timm_backbone": True, "backbone": "resnet18", "use_pretrained_backbone": True}
    change(backbone_config=None, **named, **beside)(tmp_path / "net")
    loaded = load_model(str(tmp_path / "net")).network.state_dict()
    assert all(torch.equal(value, loaded[key]) for key, value in network.state_dict().items())


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("Mask2FormerForUniversalSegmentation", "is a network for universal segmentation; those for image classi"),
        ("DetrForSegmentation", "is a network for segmentation; those for"),
    ],
)
def test_networks_of_other_tasks_are_one_line(kind: str, says: str, tmp_path: Path) -> None:
    made_dense("detr", tmp_path / "net")
    change(architectures=[kind])(tmp_path / "net")
    with pytest.raises(BadRequest, match=says) as caught:
        load_model(str(tmp_path / "net"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("processor", ["", "ViT"])
def test_a_detector_without_a_processor_that_reads_boxes_is_refused(processor: str, tmp_path: Path) -> None:
    made_dense("detr", tmp_path / "net")
    file = tmp_path / "net" / "preprocessor_config.json"
    file.unlink()
    if processor:
        transformers.ViTImageProcessor(size={"height": 64, "width": 64}).save_pretrained(tmp_path / "net")
    with pytest.raises(BadRequest, match="reads no boxes" if processor else "says how boxes are read"):
        load_model(str(tmp_path / "net"))


def test_a_processor_that_pads_is_refused(tmp_path: Path) -> None:
    made_dense("detr", tmp_path / "net")
    content = json.loads((tmp_path / "net" / "preprocessor_config.json").read_text())
    padded = {**content, "do_pad": True, "pad_size": {"height": 100, "width": 100}}
    (tmp_path / "net" / "preprocessor_config.json").write_text(json.dumps(padded))
    with pytest.raises(BadRequest, match="pads pictures"):
        load_model(str(tmp_path / "net"))


@pytest.mark.parametrize("file", ["config.json", "preprocessor_config.json"])
def test_damaged_folders(file: str, tmp_path: Path) -> None:
    made_dense("detr", tmp_path / "net")
    assert not failures(tmp_path / "net" / file, count=14)
