"""Layers whose result isn't N×K×h×w are read as what they are, against hooks, slow loops and a peer."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional as F

from cnnvis_report import explain
from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.inspection.receptive_fields import receptive_fields
from tests import oracles
from tests import transformers as nets

TARGETS = torch.tensor([3, 1])


@pytest.fixture(scope="module")
def wide() -> Tensor:
    return torch.randn(2, 3, 32, 48, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


def built(name: str) -> nn.Module:
    torch.manual_seed(4)
    network = NETWORKS[name][0]()
    for parameter in network.parameters():
        parameter.data = torch.randn_like(parameter) * (0.5 if parameter.ndim > 1 else 0.1) + (parameter.ndim == 1)
    return network.double().eval()


def tokens(height: int, width: int, start: int = 0, stop: int | None = None) -> Callable[[Tensor], Tensor]:
    return lambda t: t[:, start:stop].reshape(len(t), height, width, -1).permute(0, 3, 1, 2)


def swin() -> nn.Module:
    network: nn.Module = torchvision.models.SwinTransformer([4, 4], 8, [1, 1], [1, 2], [2, 4], num_classes=5)
    return network


# a network, one of its layers, and what makes N×K×h×w of its result for images of 32×48
NETWORKS: dict[str, tuple[Callable[[], nn.Module], str, Callable[[Tensor], Tensor]]] = {
    "class token first": (nets.Encoder, "encoder.layers.1.norm1", tokens(4, 6, 1)),
    "class token last": (lambda: nets.Encoder(token="last"), "encoder.layers.1.norm1", tokens(4, 6, 0, -1)),
    "sequence first": (
        lambda: nets.Encoder(sequence_first=True),
        "encoder.layers.1.norm1",
        lambda t: tokens(4, 6, 1)(t.transpose(0, 1)),
    ),
    "registers": (lambda: nets.Encoder(registers=2), "encoder.layers.0", tokens(4, 6, 3)),
    "no class token": (lambda: nets.Encoder(token="none"), "encoder", tokens(4, 6)),
    "written out": (nets.WrittenOut, "norms.1", tokens(4, 6, 1)),
    "values of an attention": (nets.WrittenOut, "v.1", tokens(4, 6, 1)),
    "as many channels as rows": (nets.ChannelsLast, "act", lambda t: t.permute(0, 3, 1, 2)),
    "channels last, early": (swin, "features.1.0.norm2", lambda t: t.permute(0, 3, 1, 2)),
    "channels last, late": (swin, "norm", lambda t: t.permute(0, 3, 1, 2)),
    "permuted": (swin, "permute", lambda t: t),
}  # fmt: skip


def by_hooks(network: nn.Module, layer: str, images: Tensor, laid: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
    """The layer's value and the gradient of the targets' scores there, both laid out by hand."""
    outputs: list[Tensor] = []

    def keep(module: nn.Module, args: Any, output: Tensor) -> None:
        output.retain_grad()
        outputs.append(output)

    handle = network.get_submodule(layer).register_forward_hook(keep)
    scores = network(images.clone().requires_grad_())
    handle.remove()
    scores.gather(1, TARGETS[:, None]).sum().backward()
    network.zero_grad()
    (output,) = outputs
    assert output.grad is not None
    return laid(output.detach()), laid(output.grad)


@pytest.mark.parametrize("name", NETWORKS)
def test_class_activation_maps_of_tokens_and_of_channels_last(name: str, wide: Tensor) -> None:
    network, (_, layer, laid) = built(name), NETWORKS[name]
    a, g = by_hooks(network, layer, wide, laid)
    assert float(g.abs().max()) > 0
    maps = explain(network, wide, TARGETS, [*oracles.CAMS, "grad_cam_plus_plus"], layer=layer)
    for method, definition in {**oracles.CAMS, "grad_cam_plus_plus": oracles.grad_cam_plus_plus}.items():
        expected = torch.as_tensor(definition(a.numpy(), g.numpy()))
        torch.testing.assert_close(maps[method], expected, rtol=1e-9, atol=1e-12)
    assert maps["grad_cam"].shape == (2, *a.shape[2:])


def without(network: nn.Module, layer: str, image: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
    """The scores of an image where a layer gives something else."""
    handle = network.get_submodule(layer).register_forward_hook(lambda module, args, output: change(output.clone()))
    scores: Tensor = network(image)
    handle.remove()
    return scores.detach()


@pytest.mark.parametrize(
    "name", ["class token first", "class token last", "sequence first", "as many channels as rows"]
)
def test_ablation_changes_the_positions_and_leaves_the_class_token(name: str, wide: Tensor) -> None:
    network, (_, layer, laid) = built(name), NETWORKS[name]
    a, _ = by_hooks(network, layer, wide, laid)
    actual = explain(network, wide, TARGETS, ["ablation_cam"], layer=layer)["ablation_cam"]
    for image, target, values, ours in zip(wide[:1].split(1), TARGETS[:1], a[:1], actual[:1], strict=True):
        score = network(image)[0, target].detach()
        weights = []
        for channel in range(len(values)):

            def change(output: Any, channel: Any = channel) -> Any:
                laid(output)[0, channel] = 0
                if laid(output)[0, channel].any():  # the maps were a copy
                    raise AssertionError
                return output

            weights.append((score - without(network, layer, image, change)[0, target]) / score.abs())
        expected = (torch.stack(weights)[:, None, None] * values).sum(0).relu()
        torch.testing.assert_close(ours, expected, rtol=1e-7, atol=1e-9)


def test_score_cam_of_tokens_sees_the_image_through_their_grid(wide: Tensor) -> None:
    network, (_, layer, laid) = built("class token first"), NETWORKS["class token first"]
    a, _ = by_hooks(network, layer, wide, laid)
    actual = explain(network, wide, TARGETS, ["score_cam"], layer=layer)["score_cam"]
    masks = F.interpolate(a, size=(32, 48), mode="bilinear", align_corners=False)
    masks = (masks - masks.amin((2, 3), True)) / (masks.amax((2, 3), True) - masks.amin((2, 3), True))
    for image, target, mask, values, ours in zip(wide, TARGETS, masks, a, actual, strict=True):
        scores = torch.stack([network((image * channel)[None])[0, target] for channel in mask]).detach()
        torch.testing.assert_close(
            ours, torch.einsum("k,khw->hw", scores.softmax(0), values).relu(), rtol=1e-7, atol=1e-9
        )


def test_a_vision_transformer_as_the_peer_reads_it() -> None:
    peers = pytest.importorskip("pytorch_grad_cam", reason="grad-cam isn't installed (extra 'test')")
    torch.manual_seed(0)
    network = torchvision.models.VisionTransformer(32, 8, 3, 4, 16, 32, num_classes=5).eval()
    nn.init.normal_(network.heads.head.weight)
    images = torch.randn(2, 3, 32, 32)
    with pytest.warns(UserWarning, match="tokens"):
        ours = explain(network, images, TARGETS)["grad_cam"]
    layer = network.encoder.layers[-1].ln_1
    targets = [peers.utils.model_targets.ClassifierOutputTarget(int(target)) for target in TARGETS]
    with peers.GradCAM(model=network, target_layers=[layer], reshape_transform=tokens(4, 4, 1)) as peer:
        theirs = torch.from_numpy(peer(images, targets))
    shown = F.interpolate(ours[:, None], size=(32, 32), mode="bilinear", align_corners=False)[:, 0]
    shown = shown - shown.amin((1, 2), True)
    torch.testing.assert_close(shown / (shown.amax((1, 2), True) + 1e-7), theirs, rtol=0, atol=2e-5)


@pytest.mark.parametrize("name", ["channels last, late", "as many channels as rows"])
def test_cam_where_positions_are_averaged_that_come_first(name: str, wide: Tensor) -> None:
    network = built(name)
    maps = explain(network, wide, torch.arange(5).expand(2, 5), ["cam"])["cam"]
    expected = network(wide) - network.get_parameter("head.bias")
    torch.testing.assert_close(maps.mean((2, 3)), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("size", "grid"),
    [((32, 48), (4, 6)), ((48, 32), (6, 4)), ((24, 80), (3, 10))],
    ids=["as the example", "upright", "of other sides"],
)
def test_tokens_of_images_of_another_size(size: tuple[int, int], grid: tuple[int, int], wide: Tensor) -> None:
    network = built("no class token")
    images = F.interpolate(wide, size=size)
    a, g = by_hooks(network, "encoder", images, tokens(*grid))
    tape = Tape(Subject(network, wide[:1]), images, layers=["encoder"])
    torch.testing.assert_close(tape.layer("encoder"), a)
    torch.testing.assert_close(tape.gradients(TARGETS).layer("encoder"), g)


def test_units_of_tokens_are_projected_from_their_own_position(wide: Tensor) -> None:
    network, (_, layer, laid) = built("class token first"), NETWORKS["class token first"]
    subject = Subject(network, wide[:1])
    leaf = wide.clone().requires_grad_()
    outputs: list[Tensor] = []
    handle = network.get_submodule(layer).register_forward_hook(lambda module, args, output: outputs.append(output))
    network(leaf)
    handle.remove()
    (expected,) = torch.autograd.grad(laid(outputs[0])[:, 7, 2, 5].sum(), leaf)
    signal = torch.zeros(2, 16, 4, 6, dtype=torch.float64)
    signal[:, 7, 2, 5] = 1
    torch.testing.assert_close(Tape(subject, wide, layers=[layer]).project(layer, signal), expected)


def test_fields_of_positions_that_come_first_and_of_tokens(wide: Tensor) -> None:
    subject = Subject(built("as many channels as rows"), wide[:1])
    fields = receptive_fields(Tape(subject, wide[:1]), ["patches", "act"])
    assert fields["act"].box(2, 5) == fields["patches"].box(2, 5) == (16, 40, 24, 48)
    subject = Subject(built("no class token"), wide[:1])
    fields = receptive_fields(Tape(subject, wide[:1]), ["encoder.layers.0.norm1", "encoder"])
    assert fields["encoder.layers.0.norm1"].box(1, 4) == (8, 32, 16, 40), "nothing has mixed the patches"
    assert fields["encoder"].box(1, 4) == (0, 0, 32, 48), "attention sees all"
