"""What more passes would change: how maps of low and medium effort rank positions, against those of high effort.

    python -m tests.benchmarks.effort [MODEL] [--weights FILE] [--photos FOLDER] [--methods all]

Prints a row for each method that takes fewer passes at lower efforts: passes of a map at each effort, Spearman's rank
correlation of its maps with those of high effort on 56×56 positions, as the report's agreement of methods is measured,
and what it states as its standard error. The last line is the mean over all methods that were asked for, those
included which are the same at every effort. Without --photos the images are noise, without --weights the network is
random.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
import torchvision
from safetensors.torch import load_file
from torch import Tensor

from cnnvis_report.engine.cost import MethodCost
from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.evaluation.similarity import map_similarities
from cnnvis_report.methods.registry import Method
from cnnvis_report.methods.selection import select
from cnnvis_report.methods.tasks import run_tasks, tasks_for
from tests.benchmarks.determinism import pictures

LEVELS = ("low", "medium", "high")


def explained(
    subject: Subject, images: Tensor, targets: Tensor, method: Method, effort: str
) -> tuple[Tensor, MethodCost]:
    """The maps of one class an image, [N, h, w] as they are shown, and what they cost."""
    layers = [subject.default_layer] if subject.default_layer else []
    tape = Tape(subject, images, layers=layers, capacity=32)
    (result,) = run_tasks(tasks_for([method], [], {}, effort), tape, targets.unsqueeze(1))
    if result.maps is None:
        raise SystemExit(f"{method.name}: {result.reason}")
    shown = [torch.from_numpy(method.info.shown(maps[0].float().numpy())) for maps in result.maps]
    return torch.stack(shown), result.account


def alike(maps: Tensor, reference: Tensor) -> float:
    """The mean rank correlation of maps with those of high effort."""
    pairs = zip(maps.numpy(), reference.numpy(), strict=True)
    values = [similar["spearman"] for pair in pairs if (similar := map_similarities(*pair))]
    return sum(values) / len(values)


def standard_errors(costs: Sequence[MethodCost]) -> str:
    """Those stated at each effort, as percentages of the map's spread."""
    stated = [cost.notes.get("standard_error") for cost in costs]
    return " / ".join(f"{100 * float(error.mean()):.0f}%" if isinstance(error, Tensor) else "–" for error in stated)


def main() -> None:
    """Print a row a method."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model", nargs="?", default="squeezenet1_1")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--methods", default="all")
    given = parser.parse_args()
    torch.manual_seed(0)
    network = torchvision.models.get_model(given.model, weights=None).eval()
    if given.weights is not None:
        network.load_state_dict(load_file(given.weights))
    images = pictures(given.photos, 224)
    subject = Subject(network, images[:1])
    with torch.no_grad():
        targets = network(images).argmax(1)
    print("| method | passes | low to high | medium to high | standard error |\n|---|---|---|---|---|")
    methods = select(given.methods.split(","))
    low, medium = [], []
    for method in methods:
        if not method.effort:
            low.append(1.0)
            medium.append(1.0)
            continue
        maps, costs = zip(*(explained(subject, images, targets, method, effort) for effort in LEVELS), strict=True)
        passes = " / ".join(f"{cost.forward + cost.backward:.0f}" for cost in costs)
        low.append(alike(maps[0], maps[2]))
        medium.append(alike(maps[1], maps[2]))
        row = (method.name, passes, f"{low[-1]:.2f}", f"{medium[-1]:.2f}", standard_errors(costs))
        print(f"| {' | '.join(row)} |", flush=True)
    print(f"\nMean of {len(methods)} methods: {sum(low) / len(low):.3f}, {sum(medium) / len(medium):.3f}")


if __name__ == "__main__":
    main()
