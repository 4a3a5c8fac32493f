"""Segmentation networks and detectors of torchvision by name."""

from pathlib import Path

import pytest
import torch
import torchvision
from torch import nn

from cnnvis_report.errors import BadRequest, UnknownName
from cnnvis_report.models.load import load_model


def saved(network: nn.Module, path: Path) -> Path:
    torch.save(network.state_dict(), path)
    return path


@pytest.mark.parametrize(
    ("name", "task", "size"),
    [
        ("lraspp_mobilenet_v3_large", "segmentation", None),
        ("ssdlite320_mobilenet_v3_large", "detection", (320, 320)),
        ("fasterrcnn_mobilenet_v3_large_320_fpn", "detection", None),
    ],
)
def test_a_name_is_enough(name: str, task: str, size: tuple[int, int] | None) -> None:
    model = load_model(name, untrained=True)
    assert model.task == task and model.preprocessing.size == size
    assert model.loader == "a segmentation network or detector of torchvision"
    normalized = any(model.preprocessing.mean)
    assert normalized == (task == "segmentation"), "detectors normalize by themselves"


def test_weights_of_a_file_decide_the_classes(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = torchvision.models.segmentation.lraspp_mobilenet_v3_large(
        weights=None, weights_backbone=None, num_classes=5
    )
    model = load_model("lraspp_mobilenet_v3_large", saved(network, tmp_path / "five.pth"))
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(model.network(image)["out"], network.eval()(image)["out"])
    assert model.classes is None and model.weights == "five.pth"
    whole = torchvision.models.segmentation.fcn_resnet50(weights=None, weights_backbone=None, aux_loss=True)
    known = load_model("fcn_resnet50", saved(whole, tmp_path / "whole.pth"))
    assert known.classes is not None and known.classes[:2] == ("__background__", "aeroplane")


def test_what_cannot_be_had_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownName, match="COCO_V2"):
        load_model("lraspp_mobilenet_v3_large@COCO_V2")

    def refused(*_: object, **__: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(torchvision.models._api, "load_state_dict_from_url", refused)
    with pytest.raises(BadRequest, match=r"can't be downloaded \(.*no network.*\)\. Fetch https://"):
        load_model("lraspp_mobilenet_v3_large")
    other = saved(nn.Linear(2, 2), tmp_path / "other.pth")
    with pytest.raises(BadRequest, match="of another network"):
        load_model("lraspp_mobilenet_v3_large", other)
    with pytest.raises(BadRequest, match="give either @COCO_V1 or --weights"):
        load_model("ssdlite320_mobilenet_v3_large@COCO_V1", other)
