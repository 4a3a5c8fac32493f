"""Receptive fields: closed forms, and the support of the gradient on the networks that people use."""

from typing import Any

import pytest
import torch
import torchvision
from torch import nn

from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import NotApplicable, UnknownName
from cnnvis_report.inspection.receptive_fields import receptive_fields
from tests.exhaustive import represented
from tests.inspection.supports import Does, Headed, agree, averaging, conv

pytestmark = pytest.mark.numeric


NETWORKS = [
    *("alexnet", "vgg11_bn", "resnet18", "resnext50_32x4d", "densenet121", "googlenet", "inception_v3"),
    *("squeezenet1_1", "mobilenet_v2", "mobilenet_v3_small", "efficientnet_b0", "shufflenet_v2_x1_0", "mnasnet0_5"),
    *("regnet_y_400mf", "convnext_tiny"),
]


def corner_and_middle(height: Any, width: Any) -> Any:
    return [(0, 0), (height // 2, width // 2)]


def some(names: Any) -> Any:
    """More of those that come early, which don't see the whole image yet."""
    indices = {int(len(names) * share) for share in (0, 0.05, 0.12, 0.22, 0.4)}
    return [names[index] for index in sorted(indices)]


def in_usual_order(names: Any) -> Any:
    """Without the layers of ConvNeXt that give N×h×w×K."""
    return some([name for name in names if ".block." not in name or name.endswith("block.0")])


REPRESENTATIVES = ("alexnet", "vgg11_bn", "resnet18", "squeezenet1_1", "mobilenet_v2")


@pytest.mark.parametrize("name", represented(NETWORKS, by=REPRESENTATIVES))
def test_fields_are_the_supports_of_gradients(name: Any) -> None:
    extra = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    with torch.device("cpu" if name == "regnet_y_400mf" else "meta"):  # no time for weights that are overwritten
        network = getattr(torchvision.models, name)(weights=None, **extra)
    if name in ("alexnet", "vgg11_bn"):  # their dense layers are far the largest part
        network.classifier = nn.Linear({"alexnet": 256 * 6 * 6, "vgg11_bn": 512 * 7 * 7}[name], 2)
    network = averaging(network.to_empty(device="cpu"))
    image = torch.rand(1, 3, 97, 80, generator=torch.Generator().manual_seed(0))
    fields = agree(network, image, in_usual_order if name == "convnext_tiny" else some, corner_and_middle)
    assert len({field.size for field in fields.values()}) > 1, "layers that see unlike much"


class Placed(nn.Module):
    """A layer that gives the same whatever the image is."""

    def __init__(self) -> None:
        super().__init__()
        self.constant = Does(lambda x: torch.ones_like(x))
        self.body = conv(3, 4, 3)

    def forward(self, x: Any) -> Any:
        return self.body(x + self.constant(x.detach())).mean((2, 3))


def test_layers_that_see_nothing_and_layers_that_are_not_there(images: Any) -> None:
    subject = Subject(Placed().double(), images[:1])
    tape = Tape(subject, images)
    fields = receptive_fields(tape, ["constant", "body"])
    assert fields["constant"].box(3, 3) == (0, 0, 0, 0) and fields["constant"].rows.shape == (16, 2)
    assert fields["body"].box(3, 3) == (3, 3, 6, 6)
    with pytest.raises(UnknownName):
        receptive_fields(tape, ["bodi"])
    flat = Subject(nn.Sequential(nn.Flatten(), nn.Linear(768, 5)).double(), images[:1])
    with pytest.raises(NotApplicable):
        receptive_fields(Tape(flat, images), ["0"])


def test_a_pass_is_repeated_once_for_all_layers_that_nobody_announced(images: Any) -> None:
    subject = Subject(averaging(Headed(nn.Sequential(conv(3, 4, 3), nn.ReLU(), conv(4, 4, 3)))).double(), images[:1])
    tape = Tape(subject, images)
    with tape.costs.measure() as account:
        receptive_fields(tape, ["body.0", "body.1", "body"])
        receptive_fields(tape, ["body.0"])
    assert (account.forward, account.backward) == (1.0, 0.0)
