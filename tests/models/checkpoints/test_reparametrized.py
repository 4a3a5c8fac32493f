"""Weights in parts, as PyTorch's own normalizations and pruning keep them: put together to what its modules compute."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, prune
from torchvision.models import resnet18

from cnnvis_report.models.checkpoints.read_checkpoint import load_into, read_for, read_state
from cnnvis_report.models.load import load_model
from tests.networks import Tiny, seeded


def pruned(module: nn.Module, way: str, *, name: str = "weight", **options: int) -> nn.Module:
    """The module, with 40 % of one of its parameters pruned in one of PyTorch's ways."""
    method: Callable[..., nn.Module] = getattr(prune, way)
    return method(module, name, 0.4, **options)


LAYERS: dict[str, Callable[[], nn.Conv2d | nn.ConvTranspose2d | nn.Linear]] = {
    "convolution": lambda: nn.Conv2d(3, 5, 3),
    "square": lambda: nn.Conv2d(4, 4, 3),
    "turned": lambda: nn.ConvTranspose2d(4, 4, 3),
    "turned, not square": lambda: nn.ConvTranspose2d(3, 5, 2),
    "grouped": lambda: nn.Conv2d(6, 6, 3, groups=3),
    "one channel": lambda: nn.Conv2d(1, 1, 3),
    "linear": lambda: nn.Linear(7, 4),
    "one output": lambda: nn.Linear(7, 1),
}
WAYS: dict[str, Callable[[nn.Module], nn.Module]] = {
    "weight normalization": lambda m: nn.utils.weight_norm(m),
    "the same by columns": lambda m: nn.utils.weight_norm(m, dim=1),
    "the same by one length": lambda m: nn.utils.weight_norm(m, dim=None),  # type: ignore[arg-type]  # documented, not typed
    "parametrized": parametrizations.weight_norm,
    "parametrized by columns": lambda m: parametrizations.weight_norm(m, dim=1),
    "parametrized by one length": lambda m: parametrizations.weight_norm(m, dim=None),  # type: ignore[arg-type]  # documented, not typed
    "spectral": lambda m: nn.utils.spectral_norm(m, n_power_iterations=20),
    "spectral, parametrized": lambda m: parametrizations.spectral_norm(m, n_power_iterations=20),
    "pruned": lambda m: pruned(m, "l1_unstructured"),
    "pruned by channels": lambda m: pruned(m, "ln_structured", n=2, dim=0),
    "pruned twice": lambda m: pruned(pruned(m, "l1_unstructured"), "random_unstructured"),
    "pruned with its bias": lambda m: pruned(pruned(m, "l1_unstructured"), "random_unstructured", name="bias"),
}


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", LAYERS)
def test_a_weight_in_parts_is_what_the_module_computes(tmp_path: Path, kind: str, way: str) -> None:
    torch.manual_seed(0)
    module = LAYERS[kind]()
    plain, parted = nn.Sequential(module).double(), nn.Sequential(WAYS[way](LAYERS[kind]())).double()
    shape = (2, module.in_features) if isinstance(module, nn.Linear) else (2, module.in_channels, 8, 8)
    images = torch.randn(shape, dtype=torch.float64)
    with torch.no_grad():
        for parameter in parted.parameters():
            parameter.mul_(1.7)  # lengths that aren't those of the directions
        parted.train()(images)
        expected = parted.eval()(images)
    torch.save({"state_dict": parted.state_dict()}, tmp_path / "w.pth")
    found = read_for(plain, tmp_path / "w.pth")
    load_into(plain, found, tmp_path / "w.pth")
    torch.testing.assert_close(plain(images).detach(), expected, rtol=1e-12, atol=1e-12)
    assert "put together from the parts of" in found.notices("w.pth")[0] and not found.left
    assert set(read_state(tmp_path / "w.pth")) == {"0.weight", "0.bias"}


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_network_that_has_its_weights_in_parts_gets_them_so(tmp_path: Path) -> None:
    given, own = seeded(Tiny()), Tiny()
    for network in (given, own):
        network.fc = nn.utils.weight_norm(network.fc)
    torch.save(given.state_dict(), tmp_path / "w.pth")
    found = read_for(own, tmp_path / "w.pth")
    load_into(own, found, tmp_path / "w.pth")
    assert found.notices("w.pth") == ()
    assert torch.equal(own.get_parameter("fc.weight_g"), given.get_parameter("fc.weight_g"))


def test_what_only_looks_like_parts_stays(tmp_path: Path) -> None:
    state = {
        "a_g": torch.ones(3),
        "a_v": torch.ones(4, 2),
        "b_orig": torch.ones(2),
        "c.parametrizations.w.original0": torch.ones(2),
    }
    torch.save(state, tmp_path / "w.pth")
    assert set(read_state(tmp_path / "w.pth")) == set(state)


def test_a_pruned_network_of_torchvision_is_loaded_and_that_is_said(tmp_path: Path) -> None:
    given = resnet18(num_classes=6).eval()
    for module in list(given.modules()):
        if isinstance(module, nn.Conv2d):
            pruned(module, "l1_unstructured")
    torch.save({"model": {f"module.{key}": value for key, value in given.state_dict().items()}}, tmp_path / "w.pth")
    model = load_model("resnet18", tmp_path / "w.pth")
    images = torch.randn(1, 3, 64, 64)
    torch.testing.assert_close(model.network(images), given(images))
    assert any("20 weights are put together from the parts of pruning" in notice for notice in model.notices)
