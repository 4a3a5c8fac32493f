"""How fast methods that only look forward are, beside a plain loop over as many images.

    python tests/benchmarks/forward.py [MODEL] [--batch 8] [--size 224] [--rounds 7] [--device cpu]

Each method's time and the loop's are taken in turn in one process; the median of their ratios is printed, of wall time
and of CPU time, with the quartiles. The loop is one over images that lie in memory, in inference mode, the network in
eval mode, its parameters without gradients, in the layout and the precision of the method.
"""

import argparse
import statistics
from collections.abc import Callable

import torch
import torchvision
from torch import nn
from torch.nn.functional import interpolate

from cnnvis_report.cli.malloc import keep_memory
from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods.selection import select
from cnnvis_report.methods.tasks import Task, TaskResult, run_tasks, tasks_for
from tests.benchmarks.passes import timed

OPTIONS: dict[str, dict[str, float]] = {
    "rise": {"n": 200, "tolerance": 0.0},
    "score_cam": {"max_channels": 200},
}
METHODS = "occlusion,rise,score_cam,lime,kernel_shap"
CLASSES = 3


def loop(network: nn.Module, device: torch.device, batch: int, side: int) -> Callable[[int, bool], None]:
    """What sends so many images through the network, in bfloat16 or not."""
    frozen = network.requires_grad_(False)
    pool = torch.randn(8 * batch, 3, side, side, device=device).to(memory_format=torch.channels_last)

    def run(images: int, reduced: bool) -> None:
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=reduced):
            for first in range(0, images, batch):
                start = first % len(pool)
                frozen(pool[start : start + min(batch, images - first)])

    return run


def main() -> None:
    """Measure, and print a row a method and precision."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", nargs="?", default="squeezenet1_1")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--methods", default=METHODS)
    given = parser.parse_args()

    keep_memory()
    torch.manual_seed(0)
    device = torch.device(given.device)
    network, plain = (torchvision.models.get_model(given.model, weights=None).eval().to(device) for _ in range(2))
    coarse = torch.randn(max(1, given.batch // 2), 3, 14, 14, device=device)
    images = interpolate(coarse, given.size, mode="bicubic")  # not noise, which has no superpixels
    subject = Subject(network, images[:1])
    wanted = given.methods.split(",")
    tasks = tasks_for(select(wanted), [], {name: OPTIONS[name] for name in wanted if name in OPTIONS})
    run = loop(plain, device, given.batch, given.size)

    def ratio(task: Task, reduced: bool) -> tuple[int, float, float]:
        tape = Tape(subject, images, capacity=given.batch)
        targets = tape.logits.topk(CLASSES).indices
        results: list[TaskResult] = []
        with subject.in_eval_mode():
            ours = timed(
                lambda: results.extend(run_tasks([task], tape, targets, [task] if reduced else [])), given.device
            )
        passed = round(results[0].account.forward * len(images))
        plainly = timed(lambda: run(passed, reduced), given.device)
        return passed, plainly[0] / ours[0], plainly[1] / ours[1]

    print(f"{given.model}, {len(images)} images of {given.size}², {given.batch} at a time, {CLASSES} classes, {device}")
    print(f"{'method':<14}{'precision':<11}{'passes':>8}{'of a loop':>11}{'quartiles':>14}{'CPU time':>10}")
    for reduced in (False, True):
        for task in tasks:
            # the first round sets up kernels and memory
            passed, wall, cpu = zip(*[ratio(task, reduced) for _ in range(given.rounds + 1)][1:], strict=True)
            low, middle, high = statistics.quantiles(wall, n=4)
            spread = f"{low:.2f}-{high:.2f}"
            precision = "bfloat16" if reduced else "float32"
            print(
                f"{task.name:<14}{precision:<11}{passed[0]:>8}{middle:>11.2f}{spread:>14}{statistics.median(cpu):>10.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
