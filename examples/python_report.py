"""A report from Python: a network that was just trained, and the dataset that it was tried on.

Run it: python examples/python_report.py [FOLDER]
"""

import sys
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from cnnvis_report import create_report

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".") / "report"
torch.manual_seed(0)


def stripes(count: int) -> tuple[Tensor, Tensor]:
    """Images of horizontal (0) and vertical (1) stripes in a square, upon noise."""
    images, labels = torch.rand(count, 3, 32, 32) * 0.5, torch.arange(count) % 2
    lines = (torch.arange(12) // 2 % 2).float()
    patches = torch.stack([lines.view(12, 1).expand(12, 12), lines.view(1, 12).expand(12, 12)])
    for image, label in zip(images, labels, strict=True):
        top, left = torch.randint(0, 20, (2,)).tolist()
        image[:, top : top + 12, left : left + 12] = patches[label]
    return images, labels


images, labels = stripes(256)
layers = [nn.Conv2d(3, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 5, padding=2), nn.ReLU()]
network = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 2))
optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
for _ in range(30):
    optimizer.zero_grad()
    nn.functional.cross_entropy(network(images), labels).backward()
    optimizer.step()

report = create_report(
    network,
    TensorDataset(*stripes(8)),
    classes=["horizontal", "vertical"],
    methods="grad_cam,saliency,input_x_gradient",
    targets="top:2",
    output=folder,
    progress="none",
)
print(*report.findings, sep="\n")
print(report.figure(rows=4).save(folder.parent / "figure.png"))
strongest = report[0].map("saliency", "vertical").max()
print(f"The strongest slope of 'vertical' in {report[0].record.name} is {strongest:.3g}.")
print(f"Open {report.page}")
