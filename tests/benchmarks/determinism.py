"""How near the maps of one image come to each other with another batch size, and with another number of threads.

    python -m tests.benchmarks.determinism [MODEL] [--weights FILE.safetensors] [--photos FOLDER] [--size 224]

Prints, method by method, the largest difference of any value, as a share of the map's largest absolute value, over four
images: alone against the batch of four, one thread against two, and once more under the same conditions, which has to
be 0. Without --photos the images are noise.
"""

import argparse
from pathlib import Path
from typing import Any

import torch
import torchvision
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn
from torchvision.transforms.v2.functional import normalize, pil_to_tensor, resize

from cnnvis_report import explain
from cnnvis_report.methods.selection import select

OPTIONS: dict[str, dict[str, Any]] = {
    "smoothgrad": {"n": 8},
    "integrated_gradients": {"steps": 16},
    "occlusion": {"patch": 56, "stride": 28},
}
COUNT = 4


def pictures(folder: Path | None, size: int) -> Tensor:
    """[4, 3, H, W]: photographs, or noise."""
    if folder is None:
        return torch.randn(COUNT, 3, size, size, generator=torch.Generator().manual_seed(0))
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in (".jpg", ".jpeg", ".png"))[:COUNT]
    read = [pil_to_tensor(Image.open(path).convert("RGB")).float() / 255 for path in paths]
    cut = torch.stack([resize(image, [size, size], antialias=True) for image in read])
    normalized: Tensor = normalize(cut, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    return normalized


def maps(network: nn.Module, images: Tensor, targets: Tensor, name: str, batch: int, threads: int) -> Tensor:
    """The maps of all images, so many at a time, on so many threads."""
    torch.set_num_threads(threads)
    parts = zip(images.split(batch), targets.split(batch), strict=True)
    return torch.cat([explain(network, x, t, methods=[name], **OPTIONS.get(name, {}))[name] for x, t in parts])


def apart(one: Tensor, other: Tensor) -> float:
    """The largest difference as a share of the map's largest value, of the worst image."""
    ends = one.flatten(1).abs().amax(1).clamp_min(1e-30)
    return float(((one - other).flatten(1).abs().amax(1) / ends).max())


def main() -> None:
    """Print a row a method."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model", nargs="?", default="squeezenet1_1")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--methods", default="standard")
    given = parser.parse_args()
    torch.manual_seed(0)
    network = torchvision.models.get_model(given.model, weights=None).eval()
    if given.weights is not None:
        network.load_state_dict(load_file(given.weights))
    images = pictures(given.photos, given.size)
    with torch.no_grad():
        targets = network(images).argmax(1)
    print("| method | again | alone and in a batch of 4 | 1 and 2 threads |\n|---|---|---|---|")
    for method in select(given.methods.split(",")):
        first = maps(network, images, targets, method.name, COUNT, 1)
        again = apart(first, maps(network, images, targets, method.name, COUNT, 1))
        alone = apart(first, maps(network, images, targets, method.name, 1, 1))
        threads = apart(first, maps(network, images, targets, method.name, COUNT, 2))
        print(f"| {method.name} | {again:.0e} | {alone:.0e} | {threads:.0e} |", flush=True)


if __name__ == "__main__":
    main()
