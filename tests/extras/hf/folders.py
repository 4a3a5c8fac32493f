"""Small classifiers of transformers in folders, with random weights."""

from pathlib import Path
from typing import Any

import torch
import transformers
from torch import nn

SIDE = 32
CLASSES = {0: "cat", 1: "dog", 2: "hen"}
TOKENS = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "image_size": SIDE,
    "patch_size": 8,
}
STAGES = {"hidden_sizes": [4, 8, 8, 16], "depths": [1, 1, 2, 1]}
SQUARE, SHORT = {"height": SIDE, "width": SIDE}, {"shortest_edge": SIDE}

# network, its settings, image processor, its settings
KINDS: dict[str, tuple[str, dict[str, Any], str, dict[str, Any]]] = {
    "vit": ("ViT", TOKENS, "ViT", {"size": SQUARE}),
    "deit": ("DeiT", TOKENS, "DeiT", {"size": {"height": 37, "width": 37}, "crop_size": SQUARE}),
    "beit": (
        "Beit",
        TOKENS,
        "Beit",
        {"size": {"height": 40, "width": 40}, "crop_size": SQUARE, "do_center_crop": True},
    ),
    "convnext": ("ConvNext", STAGES, "ConvNext", {"size": SHORT}),
    "convnext at 384": ("ConvNext", STAGES, "ConvNext", {"size": {"shortest_edge": 384}}),
    "resnet": ("ResNet", STAGES | {"embedding_size": 4}, "ConvNext", {"size": SHORT, "crop_pct": 0.9}),
    "swin": (
        "Swin",
        {"image_size": SIDE, "patch_size": 2, "embed_dim": 4, "depths": [1, 1], "num_heads": [1, 2], "window_size": 4},
        "ViT",
        {"size": SQUARE, "resample": 3},
    ),
    "efficientnet": (
        "EfficientNet",
        {"width_coefficient": 0.25, "depth_coefficient": 0.1, "hidden_dim": 320},
        "EfficientNet",
        {"size": SQUARE, "rescale_offset": True, "rescale_factor": 1 / 127.5},
    ),
    "mobilenet": (
        "MobileNetV2",
        {"depth_multiplier": 0.25},
        "MobileNetV2",
        {"size": {"shortest_edge": 40}, "crop_size": {"height": 33, "width": 33}},
    ),
    "mobilevit": (
        "MobileViT",
        {"hidden_sizes": [8, 12, 16], "neck_hidden_sizes": [4, 4, 4, 8, 8, 8, 16], "num_attention_heads": 2},
        "MobileViT",
        {"size": {"shortest_edge": 40}, "crop_size": SQUARE},
    ),
    "levit": (
        "Levit",
        {
            "image_size": SIDE,
            "hidden_sizes": [8, 8, 8],
            "num_attention_heads": [1, 1, 1],
            "depths": [1, 1, 1],
            "key_dim": [4, 4, 4],
        },
        "Levit",
        {"size": SHORT, "crop_size": SQUARE},
    ),
}


def made(name: str, folder: Path, *, pillow: bool = False, **changes: Any) -> nn.Module:
    """The network of that name, saved into the folder with its image processor."""
    kind, settings, processor, options = KINDS[name]
    config = getattr(transformers, f"{kind}Config")(**{**settings, **changes}, num_labels=3, id2label=CLASSES)
    torch.manual_seed(0)
    network: nn.Module = getattr(transformers, f"{kind}ForImageClassification")(config).eval()
    network.save_pretrained(folder)  # type: ignore[operator]
    suffix = "ImageProcessorPil" if pillow else "ImageProcessor"
    getattr(transformers, f"{processor}{suffix}")(**options).save_pretrained(folder)
    return network
