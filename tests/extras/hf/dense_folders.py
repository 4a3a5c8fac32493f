"""Small segmentation networks and detectors of transformers in folders, with random weights."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import nn

from tests.extras.hf.folders import CLASSES, SIDE, SQUARE, STAGES, TOKENS

LONG = {"shortest_edge": SIDE, "longest_edge": 2 * SIDE}
BACKBONE = {"embedding_size": 4, **STAGES}
DETR = {
    "d_model": 16,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_ffn_dim": 16,
    "decoder_ffn_dim": 16,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "num_queries": 8,
}
RT_DETR = {
    "encoder_hidden_dim": 16,
    "encoder_in_channels": [8, 8, 16],
    "encoder_ffn_dim": 16,
    "encoder_attention_heads": 2,
    "d_model": 16,
    "decoder_in_channels": [16, 16, 16],
    "decoder_ffn_dim": 16,
    "decoder_attention_heads": 2,
    "decoder_layers": 2,
    "num_queries": 8,
    "num_denoising": 0,
}


def _resnet(*stages: str) -> Any:
    return transformers.ResNetConfig(**BACKBONE, out_features=list(stages))


def _rt_resnet() -> Any:
    return transformers.RTDetrResNetConfig(**BACKBONE, out_features=["stage2", "stage3", "stage4"])


# network, its settings, image processor, its settings
SEGMENTATIONS: dict[str, tuple[str, Callable[[], dict[str, Any]], str, dict[str, Any]]] = {
    "segformer": (
        "Segformer",
        lambda: {
            "hidden_sizes": [4, 8, 8, 16],
            "depths": [1] * 4,
            "num_attention_heads": [1, 2, 2, 2],
            "decoder_hidden_size": 8,
        },
        "Segformer",
        {"size": {"height": 64, "width": 64}},
    ),
    "upernet": (
        "UperNet",
        lambda: {
            "backbone_config": transformers.ConvNextConfig(**STAGES, out_features=[f"stage{i}" for i in range(1, 5)]),
            "hidden_size": 8,
            "pool_scales": [1, 2],
            "auxiliary_channels": 4,
            "auxiliary_in_channels": 8,
        },
        "Segformer",
        {"size": {"height": 64, "width": 64}},
    ),
    "mobilevit": (
        "MobileViT",
        lambda: {
            "hidden_sizes": [8, 12, 16],
            "neck_hidden_sizes": [4, 4, 4, 8, 8, 8, 16],
            "num_attention_heads": 2,
            "aspp_out_channels": 8,
        },
        "MobileViT",
        {"size": {"shortest_edge": 72}, "crop_size": {"height": 64, "width": 64}},
    ),
    "beit": ("Beit", lambda: {**TOKENS, "num_hidden_layers": 4, "out_indices": [1, 2, 3, 4]}, "Beit", {"size": SQUARE}),
}
DETECTORS: dict[str, tuple[str, Callable[[], dict[str, Any]], str, dict[str, Any]]] = {
    "detr": ("Detr", lambda: {**DETR, "backbone_config": _resnet("stage4")}, "Detr", {"size": LONG}),
    "conditional": (
        "ConditionalDetr",
        lambda: {**DETR, "backbone_config": _resnet("stage4")},
        "ConditionalDetr",
        {"size": LONG},
    ),
    "yolos": (
        "Yolos",
        lambda: {**TOKENS, "image_size": [SIDE, SIDE], "num_detection_tokens": 8},
        "Yolos",
        {"size": SQUARE},
    ),
    "rt-detr": (
        "RTDetr",
        lambda: {**RT_DETR, "backbone_config": _rt_resnet()},
        "RTDetr",
        {"size": {"height": 64, "width": 64}},
    ),
}


def made_dense(name: str, folder: Path) -> nn.Module:
    """The network of that name, saved into the folder with its image processor."""
    task = "SemanticSegmentation" if name in SEGMENTATIONS else "ObjectDetection"
    kind, settings, processor, options = {**SEGMENTATIONS, **DETECTORS}[name]
    config = getattr(transformers, f"{kind}Config")(**settings(), num_labels=3, id2label=CLASSES)
    torch.manual_seed(0)
    network: nn.Module = getattr(transformers, f"{kind}For{task}")(config).eval()
    for parameter in network.parameters():
        parameter.data += torch.randn(parameter.shape) * 0.05
    network.save_pretrained(folder)  # type: ignore[operator]
    getattr(transformers, f"{processor}ImageProcessor")(**options).save_pretrained(folder)
    return network
