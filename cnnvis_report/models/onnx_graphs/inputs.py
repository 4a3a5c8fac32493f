"""What an ONNX graph reads and gives: the one input of images, and the output of class scores."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cnnvis_report.errors import BadRequest, shown
from cnnvis_report.models.onnx_graphs.values import Sides, attributes, copied, prune, shapes

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, ValueInfoProto

COLORS = (1, 3, 4)
FLOATS = {1: "float32", 10: "float16", 11: "float64"}  # TensorProto's numbers of types
TO_CHANNELS_FIRST, TO_CHANNELS_LAST = [0, 3, 1, 2], [0, 2, 3, 1]
QUANTIZED = {"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "ConvInteger", "MatMulInteger"}


@dataclass(frozen=True)
class ImageInput:
    """The input that images go into.

    batch, channels, height, width: as far as they are fixed. channels_last: whether it reads N×H×W×C. dtype: NumPy's
    name of its type.
    """

    name: str
    batch: int | None
    channels: int | None
    height: int | None
    width: int | None
    channels_last: bool
    dtype: str

    @property
    def sides(self) -> tuple[int, int, int, int] | None:
        """Images (one where any number is taken), channels, height and width; None where one isn't fixed."""
        if self.channels is None or self.height is None or self.width is None:
            return None
        return self.batch or 1, self.channels, self.height, self.width


def image_input(model: "ModelProto", name: str) -> ImageInput:
    """The graph's one input of images.

    Raises:
        BadRequest: it reads something else, or more than that.
    """
    graph = model.graph
    constants = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in constants]
    if len(inputs) != 1:
        listed = ", ".join(shown(value.name) for value in inputs[:4])
        raise BadRequest(
            f"{name}: reads {len(inputs)} inputs ({listed}); one input of images is needed. "
            f"Export it with the others as constants."
        )
    value, sides = inputs[0], shapes(graph).get(inputs[0].name)
    if sides is not None and len(sides) != 4:
        raise BadRequest(f"{name}: reads {_described(sides)}; images are N × channels × height × width.")
    if value.type.tensor_type.elem_type not in FLOATS:
        raise BadRequest(
            f"{name}: its input {shown(value.name)} isn't of floating point numbers, which gradients need. "
            f"Export it with a float32 input."
        )
    batch, *rest = sides or (None,) * 4
    last = _is_channels_last(graph, value, rest)
    channels, height, width = (rest[2], rest[0], rest[1]) if last else rest
    return ImageInput(value.name, batch, channels, height, width, last, FLOATS[value.type.tensor_type.elem_type])


def _is_channels_last(graph: "GraphProto", value: "ValueInfoProto", sides: list[int | None]) -> bool:
    """Whether the last dimension is the channels': by its size, or by what the graph does first."""
    if sides[2] in COLORS and sides[0] not in COLORS:
        return True
    readers = [node for node in graph.node if value.name in node.input]
    turned = [node for node in readers if node.op_type == "Transpose"]
    return bool(turned) and all(attributes(node).get("perm") == TO_CHANNELS_FIRST for node in turned)


def make_channels_first(graph: "GraphProto", image: ImageInput) -> str:
    """Let a graph that reads N×H×W×C read N×C×H×W, without two transpositions after each other; its new input."""
    from onnx import helper

    images = f"{image.name}_channels_first"
    for node in list(graph.node):
        turns = node.op_type == "Transpose" and attributes(node).get("perm") == TO_CHANNELS_FIRST
        if turns and node.input[0] == image.name:
            node.op_type = "Identity"
            del node.attribute[:]
            node.input[0] = images
    if any(image.name in node.input for node in graph.node):
        turned = helper.make_node("Transpose", [images], [image.name], name="channels_last", perm=TO_CHANNELS_LAST)
        nodes = [turned, *graph.node]
        del graph.node[:]
        graph.node.extend(nodes)
    value = next(value for value in graph.input if value.name == image.name)
    value.name = images
    sides = value.type.tensor_type.shape.dim
    if len(sides) == 4:
        first = [copied(sides[axis]) for axis in TO_CHANNELS_FIRST]
        del sides[:]
        sides.extend(first)
    return images


def choose_output(graph: "GraphProto", name: str) -> tuple[str, str]:
    """Leave the graph one output: the first of N×classes; its name, and what to say of others.

    Raises:
        BadRequest: it has none.
    """
    if not graph.output:
        raise BadRequest(f"{name}: is damaged: its graph gives nothing.")
    known = shapes(graph)
    listed = [value.name for value in graph.output]
    scores = next((value for value in graph.output if len(known.get(value.name, ())) == 2), graph.output[0])
    chosen = copied(scores)
    del graph.output[:]
    graph.output.append(chosen)
    prune(graph)
    if len(listed) == 1:
        return chosen.name, ""
    return chosen.name, f"{name} gives {len(listed)} outputs ({', '.join(listed[:4])}); {chosen.name!r} is explained."


def check_not_quantized(graph: "GraphProto", name: str) -> None:
    """Refuse whole numbers in place of weights and activations.

    Raises:
        BadRequest: naming the first such node.
    """
    for node in graph.node:
        if node.op_type in QUANTIZED or node.op_type.startswith("QLinear"):
            raise BadRequest(
                f"{name}: is quantized ({node.op_type} at node {shown(node.name)}): gradients don't go through whole "
                f"numbers. Give the float graph that it was made of."
            )


def _described(sides: Sides) -> str:
    return " × ".join("any" if side is None else str(side) for side in sides) or "a single number"
