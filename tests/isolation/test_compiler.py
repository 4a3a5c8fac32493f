"""PyTorch's compiler isn't imported where nothing is compiled, and is there where somebody asks for it."""

import subprocess
import sys

from torch import nn

from cnnvis_report.models.torchvision_models.classifiers import skeleton

FRESH = """
import sys
from cnnvis_report import explain
from cnnvis_report.models.torchvision_models.classifiers import make_room, skeleton
import torch
network = make_room(skeleton("squeezenet1_1", num_classes=3)).eval()
for parameter in network.parameters():
    torch.nn.init.constant_(parameter, 0.01)
explain(network, torch.ones(1, 3, 64, 64), [0], ["grad_cam"])
print("torch._dynamo" in sys.modules)
from torchvision.ops import roi_align
import torchvision.ops
module = sys.modules["torchvision.ops.roi_align"]
answer = module.is_compile_supported("cpu")
import torch._dynamo.utils
print(answer == torch._dynamo.utils.is_compile_supported("cpu"))
print(torch.compile(lambda x: x + 1, backend="eager")(torch.ones(1)).item())
"""


def test_a_network_is_explained_without_it_and_whoever_compiles_has_it() -> None:
    words = [sys.executable, "-c", FRESH]
    result = subprocess.run(words, capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["False", "True", "2.0"], "imported with torchvision, or as a network is built"


def test_a_skeleton_has_shapes_and_no_values() -> None:
    parameters = dict(skeleton("resnet18", num_classes=7).named_parameters())
    assert all(parameter.is_meta for parameter in parameters.values())
    assert parameters["fc.weight"].shape == (7, 512) and isinstance(parameters["fc.weight"], nn.Parameter)
