"""What metrics gain in bfloat16, and what it changes: a table of seconds, ratios and deviations, metric by metric.

    python -m tests.benchmarks.metrics_precision [MODEL] [--weights FILE] [--images 3] [--batch 32] [--device cuda]

Without a file of weights the network has random ones; its batch norms are then fitted to the images, and its last layer
is scaled until each image is classified with some certainty, so that curves have a range. Every metric's maps are those
of some fast methods and random ones. `kept` is what a run would decide (`pipeline/stages/metrics_precision.py`).
"""

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torchvision
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.functional import interpolate

from cnnvis_report.engine.subject import Subject
from cnnvis_report.evaluation.metric import MapsOfImage, Metric
from cnnvis_report.methods.selection import select
from cnnvis_report.methods.tasks import tasks_for
from cnnvis_report.pipeline.explaining.explain_batch import BatchSettings
from cnnvis_report.pipeline.planning.metrics_budget import BUDGETS
from cnnvis_report.pipeline.stages.evaluation import MapMetricsStage, pass_metrics
from cnnvis_report.pipeline.stages.explained_again import maps_of
from cnnvis_report.pipeline.stages.metrics_precision import compared
from cnnvis_report.synthetic.shapes import draw

METHODS = ("gradient", "saliency", "input_x_gradient", "grad_cam", "grad_cam_plus_plus", "layer_cam", "guided_backprop")
SIDE = 224
CERTAIN = 0.9  # probability of what is predicted


def pictures(count: int) -> Tensor:
    """[N, 3, 224, 224]: drawn shapes."""
    drawn = [np.array(draw(number, 0, SIDE).picture.convert("RGB")) for number in range(count)]
    return (torch.tensor(np.stack(drawn)).permute(0, 3, 1, 2).float() / 255 - 0.45) / 0.225


@torch.no_grad()
def certain(network: nn.Module, images: Tensor) -> nn.Module:
    """The network with batch norms that know the images, and a last layer that tells them apart."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = None
        norm.reset_running_stats()
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
    network.train()(torch.cat([images, interpolate(noise[:, :, ::8, ::8], SIDE)]))
    network.eval()
    last = [module for module in network.modules() if isinstance(module, nn.Linear | nn.Conv2d)][-1]
    for _ in range(20):
        logits = network(images)
        if logits.softmax(1).amax(1).min() > CERTAIN:
            break
        last.weight.mul_(1.5)
    return network


def seconds(run: Callable[[], object], device: torch.device) -> float:
    """The shorter of two runs after one that warms up."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        run()
        if device.type == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return min(times[1:])


def row(entry: Metric, stage: MapMetricsStage, samples: Sequence[MapsOfImage]) -> str:
    """Seconds in both precisions, and what changed."""
    exact_time, reduced_time = (
        sum(seconds(partial(one.function, sample), stage.subject.device) for sample in samples)
        for one in (entry, stage.reduced(entry))
    )
    check = compared(entry, stage, samples)
    share = check.deviation / check.spread if check.deviation is not None and check.spread else float("nan")
    deviation = float("nan") if check.deviation is None else check.deviation
    title = entry.infos[0].title + (f" and {len(entry.infos) - 1} more" if len(entry.infos) > 1 else "")
    return (
        f"| {title} | {exact_time:.2f} | {reduced_time:.2f} | {exact_time / reduced_time:.2f} | {deviation:.4f} "
        f"| {share:.1%} | {check.worst or check.reason} | {'yes' if check.used else 'no'} |"
    )


def main() -> None:
    """Parse, and print a row a metric."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="resnet50")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--images", type=int, default=3)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--budget", default="full", choices=sorted(BUDGETS))
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    given = parser.parse_args()

    torch.manual_seed(0)
    device, images = torch.device(given.device), pictures(given.images)
    network = getattr(torchvision.models, given.model)()
    if given.weights:
        network.load_state_dict(load_file(given.weights))
    else:
        certain(network, images)
    subject = Subject(network.to(device).eval(), images[:1].to(device), name=given.model)
    stage = MapMetricsStage(subject, BUDGETS[given.budget], frozenset(), {}, given.batch, 0)
    tasks, samples = tasks_for(select(METHODS), (), {}), []
    for image in images.to(device):
        with torch.no_grad():
            target = int(subject.forward(image[None])[0].argmax())
        (of_task,) = maps_of(subject, image[None], tasks, [target], BatchSettings(capacity=given.batch))
        samples.append(stage.sample([values for (values,) in of_task.values()], image, target))
    maps = len(samples[0].maps)
    print(f"{given.model} on {device}, {len(samples)} images of {maps} maps, {given.batch} at a time\n")
    print("| metric | float32, s | bfloat16, s | faster | deviation | of the distance between maps | on | kept |")
    print("|---|---|---|---|---|---|---|---|")
    for entry in pass_metrics(stage.budget):
        print(row(entry, stage, samples), flush=True)


if __name__ == "__main__":
    main()
