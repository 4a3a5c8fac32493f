"""A report on a network of one's own, through `module:factory`.

Run it:                  python examples/own_network.py
or, what it does inside: cd examples && cnnvis-report run own_network:build PICTURES -o report

The factory is called without arguments and returns a torch.nn.Module. What the network brings as `class_names`,
`size`, `mean` and `std` is used; options of the command line go before them.
"""

import subprocess
import sys
from pathlib import Path

import torch
from PIL import Image, ImageDraw
from torch import nn

HERE = Path(__file__).parent


class TwoEyes(nn.Module):
    """Looks for red and for blue; small enough to be wired by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.filters = nn.Conv2d(3, 2, kernel_size=5, padding=2)
        self.pool = nn.AdaptiveAvgPool2d(1)
        red, blue = torch.tensor([1.0, -0.5, -0.5]), torch.tensor([-0.5, -0.5, 1.0])
        weight = torch.stack([red, blue])[:, :, None, None].expand(-1, -1, 5, 5) / 25
        self.filters.load_state_dict({"weight": weight, "bias": torch.full((2,), -0.2)})
        self.class_names, self.size = ("red", "blue"), 96
        self.mean, self.std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = 20 * self.pool(torch.relu(self.filters(images))).flatten(1)
        return logits


def build() -> nn.Module:
    return TwoEyes()


def draw(folder: Path) -> None:
    """A red and a blue disc on gray in each picture, one of them the larger."""
    for label, (red, blue) in {"red": (24, 10), "blue": (10, 24)}.items():
        picture = Image.new("RGB", (96, 96), "gray")
        pen = ImageDraw.Draw(picture)
        pen.circle((30, 40), red, fill="red")
        pen.circle((70, 60), blue, fill="blue")
        (folder / label).mkdir(parents=True, exist_ok=True)
        picture.save(folder / label / "discs.png")


if __name__ == "__main__":
    output = Path(sys.argv[1] if len(sys.argv) > 1 else "own-network").resolve()
    draw(output / "pictures")
    command = ["run", "own_network:build", str(output / "pictures"), "-o", str(output / "report"), "--classes", "top:2"]
    subprocess.run([sys.executable, "-m", "cnnvis_report", *command], check=True, cwd=HERE)
