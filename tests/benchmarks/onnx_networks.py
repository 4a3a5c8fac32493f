"""How fast networks from ONNX are, beside the networks that they were exported from, and beside onnxruntime.

    python -m tests.benchmarks.onnx_networks [NAME ...] [--exports 13,17,dynamo] [--images 1] [--rounds 9]

Networks of torchvision with random weights, 224², exported by PyTorch's exporter through TorchScript in opsets 13 and
17, and by its exporter through torch.export. Speeds are processor times of the original over those of the network, of
a forward pass and of a forward and a backward pass to the pixels, and of onnxruntime over the network's; all take turns
in one process, on one thread, and the medians of the rounds' ratios are printed. `differs` is the largest difference of
the scores from onnxruntime's, of the largest score; `modules` and `other` are what the converted network calls in a
pass: layers, and functions and methods between them. `loads` is the processor time of loading, over that of reading
the graph, onnx2torch's conversion, onnxruntime's session, and a pass of each, with nothing prepared or compared; "-"
where onnx2torch alone doesn't read the graph.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torchvision
from torch import Tensor, nn

from cnnvis_report.models.load import load_model
from cnnvis_report.models.onnx_graphs.inputs import image_input
from cnnvis_report.models.onnx_graphs.original import Session
from cnnvis_report.models.quiet import quiet

NETWORKS = (
    "resnet18 resnet50 mobilenet_v2 mobilenet_v3_small efficientnet_b0 shufflenet_v2_x1_0 densenet121 squeezenet1_1 "
    "convnext_tiny swin_t vit_b_16"
)
SIDE = 224


def exported(network: nn.Module, path: Path, export: str) -> Path:
    """The network as a graph for one image: in an opset through TorchScript, or as torch.export has it."""
    write: Any = torch.onnx.export
    images = torch.rand(1, 3, SIDE, SIDE)
    with quiet():
        if export == "dynamo":
            write(network, (images,), path, dynamo=True, external_data=False, verbose=False)
        else:
            write(network, (images,), path, dynamo=False, opset_version=int(export))
    return path


def backward(network: nn.Module, images: Tensor) -> None:
    """A pass forward and one back to the pixels."""
    leaf = images.clone().requires_grad_()
    network(leaf).sum().backward()


def ratios(ours: Callable[[], Any], *theirs: Callable[[], Any], rounds: int) -> list[float]:
    """The median over rounds of the processor time of each of theirs over ours, which take turns."""
    ratio: list[list[float]] = [[] for _ in theirs]
    for turn in range(rounds + 1):
        times = []
        for run in (ours, *theirs):
            start = time.process_time()
            run()
            times.append(time.process_time() - start)
        if turn:  # the first turn sets up kernels and memory
            for row, other in zip(ratio, times[1:], strict=True):
                row.append(other / times[0])
    return [statistics.median(row) for row in ratio]


def row(name: str, export: str, images: int, rounds: int, folder: Path) -> str:
    """What was measured of one network, as a line of a table."""
    torch.manual_seed(0)
    original = torchvision.models.get_model(name, weights=None).eval()
    with torch.no_grad():
        for parameter in original.parameters():  # as trained ones, no two are equal, and none is nothing
            parameter.add_(torch.randn_like(parameter), alpha=0.01)
    path = exported(original, folder / f"{name}-{export}.onnx", export)
    original.requires_grad_(False)
    network = load_model(str(path)).network.requires_grad_(False)
    pixels = torch.randn(images, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    session = runtime(path)
    with torch.no_grad():
        expected, actual = session.outputs(pixels), network(pixels)
        forward = [partial(one, pixels) for one in (network, original, session.outputs)]
        speeds = ratios(*forward, rounds=rounds)
    speeds[1:1] = ratios(*(partial(backward, one, pixels) for one in (network, original)), rounds=rounds)
    differs = float((expected - actual).abs().max() / expected.abs().max())
    nodes = [node.op for node in network.graph.nodes] if isinstance(network, torch.fx.GraphModule) else []
    calls = f"{nodes.count('call_module'):>8} {len(nodes) - nodes.count('call_module'):>6}"
    shown = " ".join(f"{speed:>8.2f}" for speed in speeds)
    return f"{name:<20}{export:<8}{differs:>9.1e} {shown} {calls} {loads(path, min(rounds, 5)):>7}"


def loads(path: Path, rounds: int) -> str:
    """The processor time of loading a graph over that of the libraries alone."""
    import onnx2torch
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1

    def libraries() -> None:
        images = torch.rand(1, 3, SIDE, SIDE)
        network = onnx2torch.convert(str(path)).eval()
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        with torch.no_grad():
            network(images)
        session.run(None, {session.get_inputs()[0].name: images.numpy()})

    try:
        (ratio,) = ratios(libraries, partial(load_model, str(path)), rounds=rounds)
    except Exception:  # onnx2torch's own, of any type
        return "-"
    return f"{ratio:.2f}"


def runtime(path: Path) -> Session:
    """The graph as onnxruntime runs it, one image after the other."""
    import onnx

    graph = onnx.load(str(path))
    return Session(graph.SerializeToString(), image_input(graph, path.name), graph.graph.output[0].name)


def main() -> None:
    """Print a table of all networks, or of those that are named."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("networks", nargs="*", default=NETWORKS.split())
    parser.add_argument("--exports", default="13,17,dynamo")
    parser.add_argument("--images", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args()
    torch.set_num_threads(1)
    heads = " ".join(f"{head:>8}" for head in ("forward", "backward", "ort", "modules"))
    print(f"{'network':<20}{'export':<8}{'differs':>9} {heads} {'other':>6} {'loads':>7}")
    for name in given.networks:
        for export in given.exports.split(","):
            with tempfile.TemporaryDirectory() as folder:
                try:
                    print(row(name, export, given.images, given.rounds, Path(folder)), flush=True)
                except Exception as error:
                    print(f"{name:<20}{export:<8}{type(error).__name__}: {error}"[:300], flush=True)


if __name__ == "__main__":
    main()
