"""What the inside of a network costs: preferred inputs against plain passes, projections, and the report's growth.

    python tests/benchmarks/inside.py [MODEL] [--units 16] [--steps 256] [--size 224] [--images 24] [--device cpu]

Times are printed beside those of as many plain forward and backward passes in the same process. The report's growth is
that of a run on drawn pictures with --inspect standard over the same run without.
"""

import argparse
import tempfile
import time
from pathlib import Path

import torch
import torchvision
from click.testing import CliRunner

from cnnvis_report.cli.main import cli
from cnnvis_report.engine.subject import Subject
from cnnvis_report.inspection.activation_maximization import maximize_activations
from cnnvis_report.inspection.objectives import Objective
from cnnvis_report.inspection.projections import Unit, project
from cnnvis_report.synthetic.shapes import draw


def plain(network: torch.nn.Module, batch: torch.Tensor, rounds: int) -> float:
    """Seconds of a forward pass and a backward pass to the pixels, the median of several."""
    results = []
    for _ in range(rounds):
        leaf = batch.clone().requires_grad_()
        start = time.perf_counter()
        torch.autograd.grad(network(leaf)[:, 0].sum(), leaf)
        if batch.is_cuda:
            torch.cuda.synchronize()
        results.append(time.perf_counter() - start)
    return sorted(results)[len(results) // 2]


def pages(folder: Path) -> int:
    """Bytes of the pages and of what they need."""
    parts = ("assets", "data", "images", "stills")
    files = [*folder.glob("*.html"), *(path for part in parts for path in (folder / part).rglob("*"))]
    return sum(path.stat().st_size for path in files if path.is_file())


def growth(name: str, weights: Path, count: int) -> tuple[int, int]:
    """Bytes of a report without and with the inside."""
    sizes = []
    with tempfile.TemporaryDirectory() as top:
        folder = Path(top)
        (folder / "pictures").mkdir()
        for index in range(count):
            draw(index, 0, 224).picture.save(folder / "pictures" / f"{index}.png")
        for inside in ("none", "standard"):
            words = ["run", name, str(folder / "pictures"), "-w", str(weights), "-o", str(folder / inside), "-q"]
            CliRunner().invoke(cli, [*words, "-m", "quick", "--inspect", inside], catch_exceptions=False)
            sizes.append(pages(folder / inside))
    return sizes[0], sizes[1]


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", nargs="?", default="squeezenet1_1")
    parser.add_argument("--units", type=int, default=16)
    parser.add_argument("--steps", type=int, default=256)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--images", type=int, default=24)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    given = parser.parse_args()
    torch.manual_seed(0)
    network = torchvision.models.get_model(given.model, weights=None).eval().to(given.device).requires_grad_(False)
    batch = torch.randn(given.units, 3, given.size, given.size, device=given.device)
    subject = Subject(network, batch[:1])
    one = plain(network, batch, 5)

    start = time.perf_counter()
    goals = [Objective("", (index,)) for index in range(given.units)]
    maximize_activations(subject, goals, steps=given.steps, size=(given.size, given.size))
    spent = time.perf_counter() - start
    print(f"preferred inputs, {given.units} units × {given.steps} steps at {given.size}²: {spent:.1f} s")
    print(f"  {spent / (given.steps * one):.2f} of {given.steps} plain forward and backward passes")

    units = [Unit(subject.default_layer, channel) for channel in range(given.units)]
    project(subject, batch, units)
    start = time.perf_counter()
    project(subject, batch, units)
    print(f"projections of {given.units} units: {(time.perf_counter() - start) / one:.2f} of one plain pass")

    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "weights.pth"
        torch.save(network.cpu().state_dict(), weights)
        without, whole = growth(given.model, weights, given.images)
    more = (whole - without) / 1e6
    print(f"report of {given.images} images: {without / 1e6:.1f} MB without the inside, {more:.1f} MB more with it")


if __name__ == "__main__":
    main()
