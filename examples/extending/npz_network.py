"""A loader: networks from an .npz file, as a tool without PyTorch may write them."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from cnnvis_report.plugin import BadRequest, Model, ModelRequest, Preprocessing, loader


def is_npz(text: str) -> bool:
    """Whether MODEL, as it was typed, is for this loader."""
    return text.endswith(".npz")


@loader(title="a network in an .npz file", example="network.npz", matches=is_npz, order=20)
def npz_network(request: ModelRequest) -> Model:
    """Open a network of one convolution, ReLU, global average pooling and a linear layer.

    The file has `kernels` [channels, 3, k, k], `weights` [classes, channels] and `classes`, their names.
    """
    path = Path(request.text)
    try:
        with np.load(path, allow_pickle=False) as file:
            kernels, weights, classes = file["kernels"], file["weights"], file["classes"]
    except (OSError, ValueError, KeyError) as error:
        raise BadRequest(f"{path}: can't be read as a network ({error}).") from error
    convolution = nn.Conv2d(3, len(kernels), kernels.shape[-1], padding="same", bias=False)
    linear = nn.Linear(len(kernels), len(weights), bias=False)
    with torch.no_grad():
        convolution.weight.copy_(torch.from_numpy(kernels))
        linear.weight.copy_(torch.from_numpy(weights))
    network = nn.Sequential(convolution, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear)
    return Model(network, path.stem, path.name, Preprocessing(), tuple(map(str, classes)))
