"""Weights of fastai's learners: torchvision's features, cut and numbered, with fastai's head behind them."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from torch import nn

from cnnvis_report.errors import BadRequest
from cnnvis_report.models.load import load_model
from tests.narrow import present


class Pooled(nn.Module):
    """fastai's AdaptiveConcatPool2d."""

    def __init__(self) -> None:
        super().__init__()
        self.ap, self.mp = nn.AdaptiveAvgPool2d(1), nn.AdaptiveMaxPool2d(1)

    def forward(self, x: Any) -> Any:
        return torch.cat([self.mp(x), self.ap(x)], 1)


def learner(
    name: str,
    cut: int,
    features: int,
    *,
    concat: bool = True,
    bias: bool = False,
    hidden: Any = (512,),
    classes: Any = 4,
) -> Any:
    """As fastai.vision.learner.create_vision_model makes it."""
    torch.manual_seed(0)
    made = torchvision.models.get_model(name, weights=None, **({"init_weights": False} if "vgg" in name else {}))
    body = nn.Sequential(*list(made.children())[:cut])
    head: list[nn.Module] = [Pooled() if concat else nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    sizes = [features * (2 if concat else 1), *hidden, classes]
    for number, (inside, outside) in enumerate(pairwise(sizes)):
        head += [nn.BatchNorm1d(inside), nn.Dropout(0.5), nn.Linear(inside, outside, bias=bias)]
        head += [nn.ReLU(inplace=True)] if number < len(hidden) else []
    network = nn.Sequential(body, nn.Sequential(*head))
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.uniform_(present(module.running_mean), -0.5, 0.5)
            nn.init.uniform_(present(module.running_var), 0.5, 2)
    return network.eval()


@pytest.mark.parametrize(
    ("name", "cut", "features", "given"),
    [
        ("resnet18", -2, 512, {}),
        ("resnet18", -2, 512, {"concat": False, "bias": True}),
        ("resnet18", -2, 512, {"hidden": (64, 32)}),
        ("squeezenet1_1", -1, 512, {}),
        ("densenet121", -1, 1024, {"hidden": ()}),
    ],
)
def test_a_learner_is_loaded_as_what_it_is(tmp_path: Path, name: str, cut: Any, features: Any, given: Any) -> None:
    network = learner(name, cut, features, **given)
    torch.save({"model": network.state_dict(), "opt": {"state": [], "hypers": []}}, tmp_path / "learner.pth")
    model = load_model(name, tmp_path / "learner.pth")
    images = torch.randn(2, 3, 96, 96)
    torch.testing.assert_close(model.network(images), network(images), rtol=1e-5, atol=1e-5)
    pooled = "mean" if given.get("concat") is False else "maximum and mean"
    assert any(f"is of a fastai learner: the features of {name}, pooled by {pooled}, and" in n for n in model.notices)
    assert any("Give --resize and --crop" in notice for notice in model.notices)


def test_another_body_or_head_is_not_taken_for_it(tmp_path: Path) -> None:
    state = learner("resnet18", -2, 512).state_dict()
    torch.save(state, tmp_path / "learner.pth")
    with pytest.raises(BadRequest, match="the weights are of another network"):
        load_model("resnet34", tmp_path / "learner.pth")
    torch.save({**state, "1.9.weight": torch.ones(3)}, tmp_path / "learner.pth")
    with pytest.raises(BadRequest, match="the weights are of another network"):
        load_model("resnet18", tmp_path / "learner.pth")
