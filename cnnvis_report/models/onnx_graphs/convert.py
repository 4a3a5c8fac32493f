"""An ONNX graph as a module, by onnx2torch, or by onnx2pytorch where that doesn't read an operation."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn
from torch.fx import GraphModule

from cnnvis_report.errors import BadRequest, shown, told
from cnnvis_report.models.onnx_graphs.joined import join_parts, read_joined
from cnnvis_report.models.onnx_graphs.names import layer_names
from cnnvis_report.models.onnx_graphs.sizes.fixed_numbers import fix_numbers, read_fixed_numbers
from cnnvis_report.models.onnx_graphs.values import with_shapes
from cnnvis_report.models.onnx_graphs.weights import Weights, put_back
from cnnvis_report.models.quiet import quiet

if TYPE_CHECKING:
    from onnx import ModelProto

# operations whose later versions do the same for floating point numbers
UNCHANGED = (
    "Conv ConvTranspose GlobalAveragePool MaxPool AveragePool Flatten Identity Reshape Cast Constant Shape "
    "ConstantOfShape Squeeze Unsqueeze Transpose Pad Elu HardSigmoid HardSwish InstanceNormalization Selu "
    "Softplus Softsign Dropout Equal Resize Split ReduceMax ReduceMin ReduceMean ReduceL1 ReduceL2 ReduceProd "
    "ReduceLogSum ReduceLogSumExp ReduceSumSquare Cos Sin Round"
)
# attributes and inputs that later versions have beside those of earlier ones
ADDED = {
    "AveragePool": {"dilations"},
    "Resize": {"antialias", "axes", "keep_aspect_ratio_policy"},
    "Split": {"num_outputs"},
}
MOST_INPUTS = {"Pad": 3}
NEWEST = 30


def convert(model: "ModelProto", weights: Weights, name: str) -> tuple[nn.Module, str]:
    """The network of a prepared graph by onnx2torch, in eval mode, and the name of the library that has converted it.

    Raises:
        BadRequest: an operation isn't read; the message names it.
    """
    with quiet():
        _read_newer_versions()
        read_joined()
        read_fixed_numbers()
        join_parts(model, weights)
        missing = unread(model)
        if missing:
            raise BadRequest(f"{name}: {missing}.")
        try:
            _check_additions(model)
            fix_numbers(model, weights)
            shaped = with_shapes(model, name)
            put_back(shaped.graph, weights)
            return _by_onnx2torch(shaped), "onnx2torch"
        except Exception as error:  # a library's own, of any type
            raise BadRequest(f"{name}: onnx2torch fails on it ({told(error)}).") from error


def convert_otherwise(model: "ModelProto", weights: Weights, reason: str) -> nn.Module:
    """The network of a prepared graph by onnx2pytorch.

    Args:
        reason: why it isn't onnx2torch's, for the message.

    Raises:
        BadRequest: this library doesn't read it either.
    """
    from onnx2pytorch import ConvertModel

    put_back(model.graph, weights)
    with quiet():
        try:
            return _Single(ConvertModel(model)).eval()
        except Exception as error:
            raise BadRequest(f"{reason.rstrip('.')}; onnx2pytorch fails on it, too ({told(error)}).") from error


class _Single(nn.Module):
    """A network that may give its one output in a list."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Any:
        """What the network within gives."""
        output = self.network(images)
        return output[0] if isinstance(output, list | tuple) and len(output) == 1 else output


def _by_onnx2torch(model: "ModelProto") -> nn.Module:
    import onnx2torch

    names = layer_names([(node.name, node.op_type) for node in model.graph.node])
    paths = {}
    for number, (node, path) in enumerate(zip(model.graph.node, names, strict=True)):
        node.name = f"node_{number}"
        paths[f"{node.domain}/{node.name}".lstrip("/")] = path  # as onnx2torch calls the module
    with _shapes_known():
        network: GraphModule = onnx2torch.convert(model)
    modules = {path: network.get_submodule(name) for name, path in paths.items()}
    for name in paths:
        network.delete_submodule(name)
    for path, module in modules.items():
        network.add_submodule(path, module)
    for node in network.graph.nodes:
        if node.op == "call_module":
            node.target = paths[str(node.target)]
    network.recompile()
    for parameter in network.parameters():
        parameter.data = parameter.data.contiguous()
    return network.eval()


@contextmanager
def _shapes_known() -> Iterator[None]:
    """While it is open, onnx2torch takes the shapes that a graph has, and doesn't copy all of its weights for them."""
    from onnx2torch import converter

    name = "safe_shape_inference"
    inference = vars(converter).get(name)
    if inference is None:  # another version, which is only slower
        yield
        return
    setattr(converter, name, lambda model: model)
    try:
        yield
    finally:
        setattr(converter, name, inference)


def _read_newer_versions() -> None:
    """Let onnx2torch read operations of later opsets that do the same as before for floating point numbers."""
    from onnx import defs
    from onnx2torch.node_converters.registry import add_converter, get_converter

    for operation in UNCHANGED.split():
        versions = sorted({version for opset in range(7, NEWEST) if (version := _since(defs, operation, opset))})
        reader = None
        for version in versions:
            try:
                reader = get_converter(operation, version)
            except NotImplementedError:
                if reader is not None:
                    add_converter(operation, version)(reader)


def _check_additions(model: "ModelProto") -> None:
    """Refuse what only later versions of an operation have, and their reader leaves out.

    Raises:
        NotImplementedError: naming it.
    """
    for node in model.graph.node:
        options = {attribute.name for attribute in node.attribute} & ADDED.get(node.op_type, set())
        if options or len(node.input) > MOST_INPUTS.get(node.op_type, len(node.input)):
            raise NotImplementedError(f"{node.op_type} with {', '.join(sorted(options)) or 'axes'} isn't read")


def _since(defs: Any, operation: str, opset: int) -> int | None:
    try:
        version: int = defs.get_schema(operation, opset, "").since_version
    except defs.SchemaError:
        return None
    return version


def unread(model: "ModelProto") -> str:
    """The operations that onnx2torch doesn't read, with their nodes, in words; empty where it knows all."""
    from onnx2torch.node_converters.registry import get_converter

    opsets = {entry.domain: entry.version for entry in model.opset_import}
    missing: dict[tuple[str, str], str] = {}
    for node in model.graph.node:
        try:
            get_converter(node.op_type, opsets.get(node.domain, 0), node.domain)
        except Exception:
            missing.setdefault((node.domain, node.op_type), node.name)
    listed = [
        f"{operation}{f' of {domain}' if domain else ''} (node {shown(name)}, opset {opsets.get(domain, 'unknown')})"
        for (domain, operation), name in list(missing.items())[:3]
    ]
    more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
    return f"onnx2torch doesn't read {', '.join(listed)}{more}" if listed else ""
