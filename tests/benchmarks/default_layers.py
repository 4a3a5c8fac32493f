"""The default layer of all of torchvision's classifiers and of many of timm's.

    python -m tests.benchmarks.default_layers [NAME ...]

Expected are names: the last stage of a convolutional network, the last normalization that the patches pass on their way
to the scores of a transformer. Where `layer_sources` has somebody who names a layer, which it has for all of
torchvision's, the tensors are compared with that, too; the others say so.
"""

import fnmatch
import sys
from dataclasses import dataclass, field
from typing import Any

import torch
import torchvision
from torch import nn

from cnnvis_report.engine.subject import Subject
from tests.benchmarks import layer_sources
from tests.benchmarks.agreement import disagreement

TORCHVISION = {
    "alexnet": "features.11",
    "convnext_*": "features",
    "densenet*": "features",
    "efficientnet_*": "features",
    "googlenet": "inception5b",
    "inception_v3": "Mixed_7c",
    "maxvit_t": "blocks.3",
    "mnasnet*": "layers",
    "mobilenet_*": "features",
    "regnet_*": "trunk_output",
    "resn*": "layer4",
    "shufflenet_*": "conv5",
    "squeezenet*": "features",
    "swin_*": "norm",
    "vgg11": "features.19",
    "vgg11_bn": "features.27",
    "vgg13": "features.23",
    "vgg13_bn": "features.33",
    "vgg16": "features.29",
    "vgg16_bn": "features.42",
    "vgg19": "features.35",
    "vgg19_bn": "features.51",
    "vit_[bl]_*": "encoder.layers.encoder_layer_*.ln_1",
    "vit_h_14": "encoder.layers.encoder_layer_31.ln_1",
    "wide_resnet*": "layer4",
}
SIZES = {"inception_v3": 150, "vit_*": 224, "maxvit_t": 224}  # 96 pixels for all others


@dataclass(frozen=True)
class Entry:
    """What is expected of a network of timm, and the size that it takes."""

    layer: str
    size: int = 64
    options: dict[str, Any] = field(default_factory=dict)


SMALL = {"img_size": 64}
TIMM = {
    "resnet18": Entry("layer4"),
    "resnext50_32x4d": Entry("layer4"),
    "seresnet50": Entry("layer4"),
    "skresnet18": Entry("layer4"),
    "resnest14d": Entry("layer4"),
    "res2net50_26w_4s": Entry("layer4"),
    "cspresnet50": Entry("stages"),
    "resnetv2_50": Entry("norm"),
    "nf_regnet_b0": Entry("final_act"),
    "dm_nfnet_f0": Entry("final_act"),
    "efficientnet_b0": Entry("bn2"),
    "mobilenetv3_small_050": Entry("blocks"),
    "ghostnet_100": Entry("blocks"),
    "rexnet_100": Entry("features"),
    "regnety_002": Entry("s4"),
    "repvgg_a0": Entry("stages"),
    "densenet121": Entry("features"),
    "vgg11": Entry("features.19"),
    "inception_v4": Entry("features", 150),
    "inception_resnet_v2": Entry("conv2d_7b", 150),
    "xception41": Entry("blocks", 96),
    "hrnet_w18_small": Entry("final_layer"),
    "dla34": Entry("level5"),
    "convnext_atto": Entry("stages"),
    "convnextv2_atto": Entry("stages"),
    "edgenext_xx_small": Entry("stages"),
    "poolformer_s12": Entry("stages"),
    "convmixer_768_32": Entry("blocks"),
    "focalnet_tiny_srf": Entry("norm", 96),
    "mobilevit_xxs": Entry("final_conv", 128),
    "vit_tiny_patch16_224": Entry("blocks.11.norm1", options=SMALL),
    "vit_base_patch16_gap_224": Entry("norm", options=SMALL),
    "vit_small_patch14_reg4_dinov2": Entry("blocks.11.norm1", 56, {"img_size": 56, "num_classes": 5}),
    "deit_tiny_distilled_patch16_224": Entry("blocks.11.norm1", options=SMALL),
    "deit3_small_patch16_224": Entry("blocks.11.norm1", options=SMALL),
    "beit_base_patch16_224": Entry("blocks.11", options=SMALL),
    "eva02_tiny_patch14_224": Entry("blocks.11", 56, {"img_size": 56, "num_classes": 5}),
    "convit_tiny": Entry("blocks.11.norm1", 224),
    "cait_xxs24_224": Entry("blocks_token_only.1.norm1", options=SMALL),
    "xcit_nano_12_p16_224": Entry("cls_attn_blocks.1.norm1"),
    "pit_ti_224": Entry("transformers.2.blocks.3.norm1", 224),
    "crossvit_tiny_240": Entry("blocks.2.fusion.0.norm1", 240),
    "tnt_s_patch16_224": Entry("blocks.11.norm_out", 224),
    "volo_d1_224": Entry("norm", 224),
    "coat_tiny": Entry("parallel_blocks.5.norm14", 224),
    "swin_tiny_patch4_window7_224": Entry("norm", 224),
    "swinv2_tiny_window8_256": Entry("norm", 256),
    "pvt_v2_b0": Entry("stages.3.norm"),
    "twins_pcpvt_small": Entry("norm"),
    "mvitv2_tiny": Entry("norm", 224),
    "hiera_tiny_224": Entry("blocks.11", 224),
    "gcvit_xxtiny": Entry("stages.3.norm", 224),
    "davit_tiny": Entry("stages", 224),
    "nest_tiny": Entry("norm", 224),
    "mixer_s32_224": Entry("norm", options=SMALL),
    "resmlp_12_224": Entry("norm", options=SMALL),
    "gmlp_s16_224": Entry("norm", 224),
    "sequencer2d_s": Entry("norm", 224),
    "coatnet_nano_rw_224": Entry("norm", 224),
    "maxvit_rmlp_pico_rw_256": Entry("norm", 256),
    "levit_128s": Entry("stages", 224),
    "efficientformer_l1": Entry("norm", 224),
    "tiny_vit_5m_224": Entry("stages.3.blocks", 224),
}


def subject_of(network: nn.Module, size: int) -> Subject:
    """The network, tried on noise."""
    generator = torch.Generator().manual_seed(0)
    return Subject(network.eval(), torch.randn(1, 3, size, size, generator=generator))


def torchvision_subject(name: str) -> Subject:
    """One of torchvision's classifiers without its weights."""
    extra = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    size = next((size for pattern, size in SIZES.items() if fnmatch.fnmatch(name, pattern)), 96)
    return subject_of(torchvision.models.get_model(name, weights=None, **extra), size)


def main(wanted: list[str]) -> int:
    """Print a line for each network; gives how many aren't as expected."""
    wrong = 0
    for name in torchvision.models.list_models(module=torchvision.models):
        if not wanted or name in wanted:
            source = torchvision_source(name)
            wrong += told("torchvision", name, torchvision_subject(name), torchvision_layer(name), source)
    try:
        import timm
    except ImportError:
        print("timm isn't installed")
        return wrong
    for name, entry in TIMM.items():
        if not wanted or name in wanted:
            network = timm.create_model(name, pretrained=False, **entry.options)
            wrong += told("timm", name, subject_of(network, entry.size), entry.layer, None)
    for name, (source, size, options) in layer_sources.TIMM.items():
        if not wanted or name in wanted:
            network = timm.create_model(name, pretrained=False, **options)
            wrong += told("timm", name, subject_of(network, size), "*", source)
    return wrong


def torchvision_layer(name: str) -> str:
    """The name, or the pattern of it, that is expected of one of torchvision's classifiers."""
    return next(layer for pattern, layer in TORCHVISION.items() if fnmatch.fnmatch(name, pattern))


def torchvision_source(name: str) -> layer_sources.Source:
    """Who names a layer of one of torchvision's classifiers."""
    return next(source for pattern, source in layer_sources.TORCHVISION.items() if fnmatch.fnmatch(name, pattern))


def against(subject: Subject, source: layer_sources.Source) -> str:
    """What isn't as the source has it; empty where all is."""
    generator = torch.Generator().manual_seed(1)
    return disagreement(subject, source, torch.randn(1, 3, *subject.size, generator=generator))


def told(library: str, name: str, subject: Subject, expected: str, source: layer_sources.Source | None) -> bool:
    """Say what was found, and give whether it is wrong."""
    right = fnmatch.fnmatch(subject.default_layer, expected)
    wrong = against(subject, source) if source else ""
    record = subject.layer()
    sides = "×".join(map(str, record.shape))
    note = ("" if right else f"  EXPECTED {expected}") + (f"  WRONG {wrong}" if wrong else "")
    who = source.who if source else "no source"
    line = f"{library:12} {name:32} {subject.default_layer:40} {sides:12} {who:44} {record.layout}{note}"
    print(line, flush=True)
    return not right or bool(wrong)


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1:]), 1))
