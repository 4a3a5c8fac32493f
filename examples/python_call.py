"""The engine from Python: maps as tensors, no report.

Run it: python examples/python_call.py
"""

import torch
import torchvision

from cnnvis_report import explain

# any classifier will do; this one has random weights, because none can be fetched here
torch.manual_seed(0)
network = torchvision.models.resnet18(weights=None)
images = torch.randn(2, 3, 224, 224)

# the two largest classes of each image, from one forward pass and two backward passes per rule
targets = network.eval()(images).topk(2).indices
maps = explain(network, images, targets, methods=["grad_cam", "guided_backprop", "integrated_gradients"], steps=8)

for name, values in maps.items():
    print(f"{name}: {'×'.join(map(str, values.shape))}, {values.min():.3g} to {values.max():.3g}")

# a network without ReLUs: what isn't defined there says so, and can be left out
smooth = torchvision.models.efficientnet_b0(weights=None)
maps = explain(smooth, images[:1], [0], methods=["guided_backprop", "grad_cam"], layer="features.6", on_error="skip")
print("efficientnet_b0 has", *maps)
