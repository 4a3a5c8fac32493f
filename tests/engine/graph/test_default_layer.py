"""The default layer: the last features that reach the scores, whatever runs beside them or after them."""

import warnings
from collections.abc import Callable
from fnmatch import fnmatch
from typing import Any

import pytest
import torch
import torchvision
from torch import nn

from cnnvis_report import explain
from cnnvis_report.cli.terminal.network_tables import layers_table
from cnnvis_report.data.preprocessing.preprocessing import Preprocessing
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import BadRequest, NotApplicable
from cnnvis_report.models.input_channels import input_channels
from cnnvis_report.pipeline.config import ModelConfig, PreprocessingConfig
from cnnvis_report.training.model import Source, make_trainee
from tests import transformers as nets
from tests.benchmarks import layer_sources
from tests.benchmarks.default_layers import (
    against,
    subject_of,
    torchvision_layer,
    torchvision_source,
    torchvision_subject,
)
from tests.exhaustive import represented

MODELS, SWIN = torchvision.models, torchvision.models.swin_transformer


def subject(network: nn.Module, height: int = 32, width: int = 48) -> Subject:
    torch.manual_seed(0)
    return Subject(network.double().eval(), torch.randn(1, 3, height, width, dtype=torch.float64))


def swin(block: type[nn.Module] | None, merging: type[nn.Module]) -> nn.Module:
    network: nn.Module = MODELS.SwinTransformer(
        [4, 4], 8, [1, 1], [1, 2], [4, 4], num_classes=5, block=block, downsample_layer=merging
    )
    return network


TRANSFORMERS: dict[str, tuple[Callable[[], nn.Module], tuple[int, int]]] = {
    "vit": (lambda: MODELS.VisionTransformer(32, 8, 3, 2, 16, 32, num_classes=5), (32, 32)),
    "swin": (lambda: swin(None, SWIN.PatchMerging), (64, 96)),
    "swin v2": (lambda: swin(SWIN.SwinTransformerBlockV2, SWIN.PatchMergingV2), (64, 96)),
    "maxvit": (lambda: MODELS.MaxVit((64, 64), 8, 4, [8, 16], [1, 1], 8, 0.0, num_classes=5), (64, 64)),
    "class token first": (lambda: nets.Encoder(), (32, 48)),
    "class token last": (lambda: nets.Encoder(token="last"), (32, 48)),
    "sequence first": (lambda: nets.Encoder(sequence_first=True), (32, 48)),
    "registers": (lambda: nets.Encoder(registers=3), (32, 48)),
    "averaged tokens": (lambda: nets.Encoder(token="none"), (32, 48)),
    "written out": (nets.WrittenOut, (32, 48)),
    "channels last": (nets.ChannelsLast, (32, 48)),
}  # fmt: skip
EXPECTED = {
    "vit": ("encoder.layers.encoder_layer_2.ln_1", (16, 4, 4), "4×4 tokens, without the class token"),
    "swin": ("norm", (16, 8, 12), "8×12 positions, channels last"),
    "swin v2": ("norm", (16, 8, 12), "8×12 positions, channels last"),
    "maxvit": ("blocks.1", (16, 8, 8), ""),
    "class token first": ("encoder.layers.1.norm1", (16, 4, 6), "4×6 tokens, without the class token"),
    "class token last": ("encoder.layers.1.norm1", (16, 4, 6), "4×6 tokens, without the class token"),
    "sequence first": ("encoder.layers.1.norm1", (16, 4, 6), "4×6 tokens, without the class token"),
    "registers": ("encoder.layers.1.norm1", (16, 4, 6), "4×6 tokens, beside 4 tokens without a position"),
    "averaged tokens": ("encoder", (16, 4, 6), "4×6 tokens"),
    "written out": ("norms.1", (12, 4, 6), "4×6 tokens, without the class token"),
    "channels last": ("act", (4, 4, 6), "4×6 positions, channels last"),
}


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_the_last_tokens_that_reach_the_head_are_found(name: str) -> None:
    build, size = TRANSFORMERS[name]
    record = subject(build(), *size).layer()
    assert (record.name, record.shape, record.layout) == EXPECTED[name]


GATES = {
    "one channel": nets.Spatial(),
    "one channel, hard": nets.Spatial(nn.functional.hardsigmoid),
    "one channel, tanh": nets.Spatial(torch.tanh),
    "one channel, without bounds": nets.Spatial(nn.functional.softplus),
    "one channel beside the features": nets.Spatial(residual=True),
    "all channels": nets.Full(),
    "squeeze and excitation": nets.Squeeze(),
    "auxiliary branch": nets.Side(),
    "decoder": nets.Decoder(),
    "halves": nets.Halved(),
    "attention pooling": nets.Pooling(),
}


@pytest.mark.parametrize("name", GATES)
def test_gates_masks_and_branches_are_never_it(name: str) -> None:
    examined = subject(nets.Weighed(GATES[name]))
    assert examined.default_layer == "features" and examined.layer().shape == (12, 16, 24)
    maps = explain(examined.network, torch.rand(1, 3, 32, 48).double(), [[0, 1, 2, 3, 4]])["grad_cam"][0]
    assert torch.linalg.matrix_rank(maps.flatten(1)) > 1, "classes differ by more than a factor"


def test_what_says_where_to_look_is_not_it() -> None:
    assert subject(nets.Located()).default_layer == "classifier.features"


def test_a_map_of_class_scores_is_not_it() -> None:
    head = nn.Conv2d(6, 5, 3, padding=1)
    network = nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(), head, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    assert subject(network).default_layer == "1"


def test_a_single_channel_is_it_where_there_is_nothing_else() -> None:
    network = nn.Sequential(nn.Conv2d(3, 1, 3), nn.ReLU(), nn.Flatten(), nn.Linear(30 * 46, 5))
    assert subject(network).default_layer == "1"


def test_a_layer_whose_tokens_are_no_grid_says_so() -> None:
    examined = subject(nets.Scattered())
    assert examined.default_layer == "patches"
    with pytest.raises(NotApplicable, match="layer 'mix' gives 5×4, which isn't a grid of positions"):
        examined.layer("mix")


def test_windows_and_attention_maps_are_no_feature_maps() -> None:
    examined = subject(TRANSFORMERS["maxvit"][0](), 64, 64)
    windows = [layer for layer in examined.layers if layer.name.endswith("window_attention.attn_layer")]
    assert windows and not any(layer.spatial for layer in windows)
    with pytest.raises(NotApplicable, match="isn't a grid of positions"):
        examined.layer(windows[0].name)


def test_python_and_the_layers_table_say_how_tokens_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    network = nets.Encoder().eval()
    with pytest.warns(UserWarning, match=r"read layer 'encoder.layers.1.norm1': 4×4 tokens, without the class token"):
        explain(network, torch.rand(1, 3, 32, 32), [0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        explain(network, torch.rand(1, 3, 32, 32), [0], layer="encoder")
        explain(network, torch.rand(1, 3, 32, 32), [0], "gradient")
    monkeypatch.setattr(nets.Encoder, "size", 32, raising=False)
    rows = layers_table(ModelConfig("tests.transformers:Encoder", None), PreprocessingConfig()).splitlines()
    (star,) = [row.split() for row in rows if row.startswith("*  ")]
    assert star[:4] == ["*", "encoder.layers.1.norm1", "LayerNorm", "16×4×4"] and "READ AS" in rows[0]


class HeadFirst(nn.Module):
    """Its 1×1 head is declared before its features, which read so many channels."""

    def __init__(self, channels: Any) -> None:
        super().__init__()
        self.mask, self.head = nn.Conv2d(1, 4, 1), nn.Conv2d(8, 5, 1)
        self.features, self.size = nn.Conv2d(channels, 8, 3), 16

    def forward(self, x: Any) -> Any:
        x = self.features(x)
        return self.head(x * self.mask(x[:, :1]).mean(1, True).sigmoid()).mean((2, 3))


@pytest.mark.parametrize("channels", [1, 3])
def test_the_channels_that_are_read_do_not_depend_on_the_order_of_declaration(channels: Any) -> None:
    network = HeadFirst(channels).train()
    assert input_channels(network) == channels and network.training
    assert input_channels(nn.Sequential(network.head, network.features)) == 8, "neither runs: as declared"


def test_a_head_of_convolutions_needs_channels_first() -> None:
    pictures = Preprocessing((0.0,) * 3, (1.0,) * 3, resize=(64, 64))
    with pytest.raises(BadRequest, match="--head cam: layer 'norm' of swin_t gives 2×2 positions, channels last"):
        make_trainee(Source("swin_t"), pictures, 2, "cam", "none")


ONE_OF_EACH = (
    *("alexnet", "convnext_tiny", "densenet121", "efficientnet_b0", "efficientnet_v2_s", "googlenet", "inception_v3"),
    *("maxvit_t", "mnasnet0_5", "mobilenet_v2", "mobilenet_v3_small", "regnet_y_400mf", "resnet18", "resnext50_32x4d"),
    *("shufflenet_v2_x0_5", "squeezenet1_1", "swin_t", "swin_v2_t", "vgg11_bn", "vit_b_32", "wide_resnet50_2"),
)


REPRESENTATIVES = ("alexnet", "googlenet", "mobilenet_v3_small", "resnet18", "squeezenet1_1", "swin_t")


@pytest.mark.parametrize("name", represented(ONE_OF_EACH, by=REPRESENTATIVES))
def test_the_layer_that_others_read_of_each_family_of_torchvision(name: str) -> None:
    subject = torchvision_subject(name)
    assert fnmatch(subject.default_layer, torchvision_layer(name)) and subject.layer().spatial
    names = [layer.name for layer in subject.layers]
    assert len(set(names)) == len(names)
    assert against(subject, torchvision_source(name)) == ""


def test_somebody_names_a_layer_for_every_classifier_of_torchvision() -> None:
    sources = {name: torchvision_source(name) for name in MODELS.list_models(module=MODELS)}
    assert len(sources) >= 80 and {torchvision_source(name) for name in ONE_OF_EACH} <= {*sources.values()}
    assert all(source.who and source.url.startswith("https://") for source in sources.values())
    assert len(layer_sources.TIMM) >= 30


@pytest.mark.parametrize("name", represented(layer_sources.TIMM, by=8))
def test_the_layer_that_others_read_of_networks_of_timm(name: str) -> None:
    timm = pytest.importorskip("timm", reason="timm isn't installed")
    source, size, options = layer_sources.TIMM[name]
    assert against(subject_of(timm.create_model(name, pretrained=False, num_classes=5, **options), size), source) == ""


class Joined(nn.Module):
    """Branches that meet in forward, and in no layer."""

    def __init__(self, join: Any, width: Any = 8, after: Any = None) -> None:
        super().__init__()
        self.stem, self.a, self.b = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 8, 1)
        self.after, self.fc, self.join = after, nn.Linear(width, 5), join

    def forward(self, x: Any) -> Any:
        x = self.stem(x).relu()
        x = self.join(self.a(x), self.b(x), x)
        x = self.after(x) if isinstance(self.after, nn.Module) else x.relu()
        return self.fc(x.mean((2, 3)))


JOINED: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "a sum": (lambda: Joined(lambda a, b, x: a + b), 2),
    "a sum of three": (lambda: Joined(lambda a, b, x: a + b + x), 3),
    "a sum of activations": (lambda: Joined(lambda a, b, x: a.relu() + torch.sigmoid(b) * 1.0), 2),
    "set side by side": (lambda: Joined(lambda a, b, x: torch.cat([a, b], 1), width=16), 2),
    "one alone": (lambda: Joined(lambda a, b, x: a * 2), 1),
    "a gate": (lambda: Joined(lambda a, b, x: a * torch.sigmoid(b)), 1),
    "itself twice": (lambda: Joined(lambda a, b, x: a + a.relu()), 1),
}


@pytest.mark.parametrize("name", JOINED)
def test_a_layer_that_is_one_of_several_branches_says_so(name: str) -> None:
    build, branches = JOINED[name]
    examined = subject(build())
    assert examined.default_layer in ("a", "b")
    words = f"one of {branches} branches that meet in the network's forward; no layer holds the whole"
    assert words in examined.default_notice if branches > 1 else examined.default_notice == ""


@pytest.mark.parametrize("after", [nn.ReLU(), nn.Dropout(0.1), nn.Identity(), nn.BatchNorm2d(8)])
def test_a_layer_behind_the_sum_holds_the_whole(after: Any) -> None:
    examined = subject(Joined(lambda a, b, x: a + b, after=after))
    assert examined.default_layer == "after" and examined.default_notice == ""
