"""Networks as ONNX graphs, of whatever library has exported them."""

from pathlib import Path

from cnnvis_report.models.loader import ModelRequest, Way, loader
from cnnvis_report.models.model import Model
from cnnvis_report.models.onnx_graphs.content import onnx_fault

MODULES = ("onnx", "onnx2torch", "onnx2pytorch", "onnxruntime")


def _is_onnx(model: str) -> bool | str:
    path = Path(model)
    if not path.is_file():
        return False
    fault = onnx_fault(path)
    return f"{path}: {fault}" if fault else fault is not None


@loader(
    title="an ONNX graph",
    example="network.onnx",
    matches=_is_onnx,
    order=16,
    requires=MODULES,
    install="cnnvis-report[onnx]",
    ways=(Way("an ONNX graph, opsets 9 to 21", "network.onnx", "scores, against onnxruntime"),),
)
def onnx_file(request: ModelRequest) -> Model:
    """Open an ONNX graph, converted to a module by onnx2torch or onnx2pytorch and checked against onnxruntime."""
    from cnnvis_report.models.onnx_graphs.open_graph import open_graph
    from cnnvis_report.models.onnx_graphs.reading import read_graph

    path = Path(request.text)
    request.refuse_weights(path.name)
    return open_graph(read_graph(path), path.name)
