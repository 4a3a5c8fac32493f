"""Reads an ONNX graph with all of its tensors, within limits: what a file declares has to be there."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cnnvis_report.errors import BadRequest, brief, shown
from cnnvis_report.models.onnx_graphs.weights import Weights, set_aside

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, TensorProto

LARGEST = (1 << 31) - 1  # bytes of a graph with its tensors, which protobuf allows
MOST_NODES = 100_000
MOST_DIMENSIONS = 8
EXTERNAL = 1  # TensorProto.EXTERNAL
CONTROL_FLOW = {"If", "Loop", "Scan", "SequenceMap"}


class OnnxFile(NamedTuple):
    """An ONNX graph as it was read.

    model: without the numbers of its large tensors. weights: these. content: all of it in one file.
    """

    model: "ModelProto"
    weights: Weights
    content: bytes


def read_graph(path: Path) -> OnnxFile:
    """The graph in a file, with tensors of files beside it read in.

    Raises:
        BadRequest: it can't be read, or isn't what it declares.
    """
    if path.stat().st_size > LARGEST:
        raise BadRequest(f"{path}: is larger than the 2 GB that an ONNX graph in one file may have.")
    return parse_graph(path.read_bytes(), path)


def parse_graph(content: bytes, path: Path) -> OnnxFile:
    """The graph of a file's content, with tensors of files beside `path` read in.

    Raises:
        BadRequest: it can't be read, or isn't what it declares.
    """
    import onnx

    try:
        model = onnx.load_model_from_string(content)
    except Exception as error:  # of protobuf, which has no type of its own for them
        raise BadRequest(f"{path}: is damaged: it can't be read as an ONNX graph ({brief(error)}).") from error
    try:
        _check_nodes(model, path)
        weights: Weights = {}
        content = _read_others(model, path) or content
        set_aside(model.graph, weights)
        for tensor in tensors(model.graph):
            if tensor.name not in weights or tensor.HasField("raw_data"):
                _check_size(tensor, path)
    except UnicodeDecodeError as error:
        raise BadRequest(f"{path}: is damaged: a name in it is no text.") from error
    return OnnxFile(model, weights, content)


def _check_nodes(model: "ModelProto", path: Path) -> None:
    """Refuse what can't be converted."""
    if not model.graph.node or len(model.graph.node) > MOST_NODES:
        raise BadRequest(f"{path}: is an ONNX graph of {len(model.graph.node)} nodes, no network.")
    if model.functions:
        raise BadRequest(
            f"{path}: has functions of its own ({shown(model.functions[0].name)}). "
            f"Export it again with its functions inlined: onnx.inliner.inline_local_functions(model)."
        )
    for node in model.graph.node:
        if node.op_type in CONTROL_FLOW:
            raise BadRequest(
                f"{path}: its node {shown(node.name)} is {node.op_type}: which operations run is decided while it "
                f"runs, which can't be converted. Export it with torch.onnx.export from a network without it."
            )


def _read_others(model: "ModelProto", path: Path) -> bytes:
    """Read in the tensors that lie in other files; the whole graph then, nothing where there are none."""
    others = False
    for tensor in tensors(model.graph):
        if len(tensor.dims) > MOST_DIMENSIONS or any(side < 0 for side in tensor.dims):
            sides = shown(list(tensor.dims))
            raise BadRequest(f"{path}: is damaged: its tensor {shown(tensor.name)} has the sides {sides}.")
        if tensor.data_location == EXTERNAL:
            _read_external(tensor, path)
            others = True
    try:
        return model.SerializeToString() if others else b""
    except ValueError as error:  # of protobuf
        raise BadRequest(f"{path}: has more than 2 GB with the files beside it, which is too large.") from error


def tensors(graph: "GraphProto") -> Iterator["TensorProto"]:
    """Every tensor of the graph: initializers, and attributes of nodes."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors


def _check_size(tensor: "TensorProto", path: Path) -> None:
    """Refuse a tensor that declares more numbers than it has."""
    from onnx import helper, numpy_helper

    name = shown(tensor.name)
    count = math.prod(tensor.dims)
    if tensor.HasField("raw_data"):
        try:
            size = helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
        except (KeyError, TypeError, ValueError) as error:
            raise BadRequest(f"{path}: its tensor {name} has an unknown type ({tensor.data_type}).") from error
        whole = len(tensor.raw_data) >= count // 2 if size == 1 else len(tensor.raw_data) == count * size
    else:
        whole = count <= 2 * sum(len(getattr(tensor, field)) for field in FIELDS)
    if not whole:
        raise BadRequest(f"{path}: is damaged: its tensor {name} doesn't have the {count} numbers that it declares.")
    try:
        numpy_helper.to_array(tensor)
    except Exception as error:
        raise BadRequest(f"{path}: is damaged: its tensor {name} can't be read ({brief(error)}).") from error


FIELDS = ("float_data", "int32_data", "int64_data", "double_data", "uint64_data", "string_data")


def _read_external(tensor: "TensorProto", path: Path) -> None:
    """Read a tensor's numbers from a plain file in the model's own folder."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    what = f"{path}: its tensor {shown(tensor.name)} lies in another file, {shown(location)}"
    parts = Path(location).parts
    if not parts or Path(location).is_absolute() or ".." in parts or "\\" in location or "\0" in location:
        raise BadRequest(f"{what}, which isn't in its folder; that isn't read.")
    file = path.parent
    for part in parts:
        file = file / part
        if file.is_symlink():
            raise BadRequest(f"{what}, which is a link; that isn't read.")
    if not file.is_file():
        raise BadRequest(f"{what}, which isn't there. Put it beside {path.name}.")
    start, length = (_number(entries.get(key, "")) for key in ("offset", "length"))
    size = file.stat().st_size
    length = size - (start or 0) if length is None else length
    if (start or 0) + length > size or length < 0 or length > LARGEST:
        raise BadRequest(f"{what}, which is too short: it is cut, or belongs to another model.")
    with file.open("rb") as source:
        source.seek(start or 0)
        tensor.raw_data = source.read(length)
    tensor.data_location = 0
    del tensor.external_data[:]


def _number(text: str) -> int | None:
    return int(text[:19]) if text.isascii() and text.isdigit() else None
