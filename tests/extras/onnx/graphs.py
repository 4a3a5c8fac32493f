"""Small networks as ONNX graphs: exported by PyTorch, or written node by node."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnvis_report.models.quiet import quiet

SIDE = 24


class Small(nn.Module):
    """A convolution, a norm, a pooling with a ceiling, a block with two branches, and a linear layer."""

    def __init__(self, *, softmax: bool = False) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        self.pool = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.left, self.right = nn.Conv2d(8, 6, 1), nn.Conv2d(8, 6, 3, padding=1, bias=False)
        self.join = nn.ReLU()
        self.head = nn.Linear(12, 5)
        self.softmax = softmax

    def forward(self, images: Tensor) -> Tensor:
        """[N, 5]."""
        maps = self.pool(self.features(images))
        maps = self.join(torch.cat([self.left(maps), self.right(maps)], dim=1))
        pooled = torch.reshape(nn.functional.adaptive_avg_pool2d(maps, 1), (maps.shape[0], 12))
        scores: Tensor = self.head(pooled)
        return scores.softmax(1) if self.softmax else scores


def small(**options: bool) -> Small:
    """Weights of a seed, with running statistics that matter."""
    torch.manual_seed(3)
    network = Small(**options).eval()
    network.features[1].running_mean.normal_()  # type: ignore[operator]
    network.features[1].running_var.uniform_(0.5, 2)  # type: ignore[operator]
    return network


def images(count: int = 3) -> Tensor:
    return torch.randn(count, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


def export(network: nn.Module, path: Path, *, opset: int = 17, batch: int | None = 1, **options: Any) -> Path:
    """Write a network as a graph for `batch` images, or for any number where that is None."""
    content = io.BytesIO()
    write: Any = torch.onnx.export
    axes = {"images": {0: "batch"}} if batch is None else None
    with quiet():
        write(
            network,
            (images(batch or 2),),
            content,
            opset_version=opset,
            dynamo=False,
            input_names=["images"],
            dynamic_axes=axes,
            **options,
        )
    path.write_bytes(content.getvalue())
    return path


def written(
    path: Path,
    nodes: Sequence[Any],
    constants: dict[str, np.ndarray[Any, Any]],
    *,
    sides: Sequence[int | str] = (1, 3, SIDE, SIDE),
    opset: int = 13,
    domains: Sequence[str] = (),
    metadata: dict[str, str] | None = None,
    scores: Sequence[int | str] = (1, 5),
) -> Path:
    """Write a graph from `images` to `scores`."""
    import onnx
    from onnx import helper, numpy_helper

    graph = helper.make_graph(
        list(nodes),
        "network",
        [helper.make_tensor_value_info("images", 1, list(sides))],
        [helper.make_tensor_value_info("scores", 1, list(scores))],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in domains)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    helper.set_model_props(model, metadata or {})
    onnx.save_model(model, str(path))
    return path


def random(*sides: int) -> np.ndarray[Any, Any]:
    """Numbers of a seed that the sides make."""
    return np.random.default_rng(sides).normal(size=sides).astype(np.float32)
