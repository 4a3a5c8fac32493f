"""The same maps on a GPU. Run with: pytest -m gpu"""

from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from click.testing import Result

from cnnvis_report import explain
from cnnvis_report.methods.registry import methods
from cnnvis_report.models.trained_file import read_trained
from cnnvis_report.store import load_arrays, load_run
from tests.conftest import command
from tests.networks import Awkward, Tiny, seeded

pytestmark = pytest.mark.gpu

FAMILIES = ("resnet18", "densenet121", "googlenet", "mobilenet_v2", "squeezenet1_1")
OPTIONS: dict[str, Any] = {
    "n": 3,
    "steps": 4,
    "patch": 56,
    "stride": 56,
    "samples": 30,
    "segments": 9,
    "max_channels": 8,
}


def apart(one: Any, other: Any) -> float:
    """The distance of two maps as a share of the second's norm; 0 where both are zero all over."""
    return float((one.cpu().double() - other.double()).norm() / other.double().norm().clamp(min=1e-30))


@pytest.mark.parametrize("name", FAMILIES)
def test_cpu_and_gpu_agree(name: Any) -> None:
    # in float64: in float32 a ReLU at zero goes the other way now and then, and takes 0.5% of a gradient with it
    extra = {"init_weights": False} if name == "googlenet" else {}
    network = seeded(getattr(torchvision.models, name)(weights=None, num_classes=9, **extra)).double()
    images = torch.randn(2, 3, 128, 128, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    targets = torch.tensor([[1, 7], [3, 0]])
    names = [entry.name for entry in methods()]
    here = explain(network, images, targets, names, on_error="skip", **OPTIONS)
    there = explain(network.cuda(), images.cuda(), targets.cuda(), names, on_error="skip", **OPTIONS)
    assert here.keys() == there.keys()
    apart_by = {method: apart(there[method], maps) for method, maps in here.items()}
    assert all(maps.is_cuda for maps in there.values())
    assert {method: value for method, value in apart_by.items() if not value < 1e-6} == {}


@pytest.mark.parametrize("build", [Tiny, Awkward])
def test_precision_and_settings_are_left_as_they_were(build: Any, images: Any, targets: Any) -> None:
    torch.set_float32_matmul_precision("high")
    flags = torch.backends.cudnn.allow_tf32, torch.backends.cudnn.benchmark
    try:
        explain(seeded(build()).cuda(), images.float().cuda(), targets.cuda(), ["grad_cam", "guided_backprop"])
        assert torch.get_float32_matmul_precision() == "high"
        assert (torch.backends.cudnn.allow_tf32, torch.backends.cudnn.benchmark) == flags
    finally:
        torch.set_float32_matmul_precision("highest")


def test_a_run_on_the_gpu_gives_the_run_on_the_cpu(drawn: Any, tmp_path: Path) -> None:
    words = ("run", "tests.factories:tiny", drawn, "-q", "-O", "smoothgrad.n=3", "-O", "integrated_gradients.steps=4")
    command(*words, "-o", tmp_path / "cpu", "--device", "cpu")
    command(*words, "-o", tmp_path / "gpu", "--device", "cuda")
    assert "CUDA" in str(load_run(tmp_path / "gpu").record.provenance["device"])
    for image in load_run(tmp_path / "cpu").images():
        here, there = (load_arrays(tmp_path / device, image.id) for device in ("cpu", "gpu"))
        for key in here:
            assert apart(torch.from_numpy(there[key]).float(), torch.from_numpy(here[key]).float() + 1e-12) < 1e-4, key


def test_running_out_of_memory_halves_the_batch(drawn: Any, tmp_path: Path) -> None:
    def run(name: str, size: int) -> Result:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        return command("run", "tests.factories:tiny", drawn, "-o", tmp_path / name, "--size", "512",
                       "--batch-size", str(size), "--device", "cuda", "-m", "quick", "--inspect", "none")  # fmt: skip

    run("one", 1)
    one = torch.cuda.max_memory_reserved()
    run("six", 6)
    six = torch.cuda.max_memory_reserved()
    assert six > 1.5 * one
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction((one + six) / 2 / torch.cuda.get_device_properties(0).total_memory)
    try:
        result = run("halved", 6)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert "going on with" in result.stderr
    assert load_run(tmp_path / "halved").record.images == load_run(tmp_path / "one").record.images


def test_training_gives_a_model_that_runs_on_either_device(tmp_path: Path) -> None:
    command("make-dataset", "shapes", "-n", "40", "--size", "32", "-o", tmp_path / "drawn", "-q")
    command("train", tmp_path / "drawn", "-o", tmp_path / "m.pt", "--epochs", "3", "--device", "cuda", "-q")
    model = read_trained(tmp_path / "m.pt")
    assert model is not None
    history = model.training.history
    assert history[-1].loss < history[0].loss and next(model.network.parameters()).device.type == "cpu"
    for device in ("cpu", "cuda"):
        command(
            "run",
            tmp_path / "m.pt",
            tmp_path / "drawn",
            "--limit",
            "4",
            "-m",
            "quick",
            "--device",
            device,
            "-o",
            tmp_path / device,
        )
