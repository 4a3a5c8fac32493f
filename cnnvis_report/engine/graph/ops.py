"""What PyTorch's operations are to this package, in one table; other modules ask for an operation's kind.

A new operation of PyTorch gets a line here and nowhere else.
"""

from dataclasses import dataclass
from enum import Enum, auto
from functools import cache

from torch.autograd.graph import Node

from cnnvis_report.engine.graph.nodes import operation, saved

Shape = tuple[int, ...]


class Kind(Enum):
    """What an operation does, as far as anything here depends on it."""

    OTHER = auto()
    LEAF = auto()  # a tensor that nothing has made, such as the images

    # the same numbers in another shape, order, place or count
    VIEW = auto()  # another shape, the same order
    PERMUTATION = auto()
    COPY = auto()  # the same shape: another tensor, memory layout or type
    STRIDED = auto()  # any view by strides
    PART = auto()  # consecutive positions along one dimension
    INDEX = auto()
    SELECTION = auto()  # some of several numbers, by their values or a tensor of indices
    CONCATENATION = auto()
    STACK = auto()
    EXPAND = auto()
    REPEAT = auto()
    SHUFFLE = auto()
    CONSTANT_PADDING = auto()
    REFLECTION_PADDING = auto()
    EDGE_PADDING = auto()
    UNFOLD = auto()

    # layers
    CONVOLUTION = auto()
    DEFORMABLE_CONVOLUTION = auto()
    SAMPLING = auto()  # reads a grid at places that another input gives
    LINEAR = auto()
    MATRIX_PRODUCT = auto()  # of batches of matrices
    ATTENTION = auto()
    BATCH_NORM = auto()
    LAYER_NORM = auto()
    GROUP_NORM = auto()
    DROPOUT = auto()
    POOLING = auto()
    ADAPTIVE_POOLING = auto()
    ADAPTIVE_POOLING_3D = auto()
    UPSAMPLING = auto()

    MEAN = auto()  # or sum: many numbers to one
    MAXIMUM = auto()
    MINIMUM = auto()
    STATISTIC = auto()

    # activations, number by number but for the softmax
    RELU = auto()
    CLAMP = auto()
    CLAMP_ONE_SIDE = auto()
    HARDTANH = auto()
    LEAKY_RELU = auto()  # f(z) = f'(z) z
    SMOOTH = auto()
    OTHER_ACTIVATION = auto()
    SIGMOID = auto()
    TANH = auto()
    SOFTMAX = auto()
    LOG_SOFTMAX = auto()

    # arithmetic, number by number
    ADD = auto()
    SUBTRACT = auto()
    COMPLEMENT = auto()  # a constant less the input
    MULTIPLY = auto()
    DIVIDE = auto()
    NEGATE = auto()
    FUNCTION = auto()
    BLEND = auto()
    LARGER = auto()  # or smaller, of two tensors
    STEP = auto()  # rounding and the like: no slope anywhere


_NAMES: dict[Kind, str] = {
    Kind.LEAF: "AccumulateGrad",
    Kind.VIEW: "View UnsafeView ReshapeAlias Unsqueeze Squeeze",
    Kind.PERMUTATION: "Permute Transpose T",
    Kind.COPY: "Clone Alias ToCopy",
    Kind.STRIDED: "AsStrided",
    Kind.PART: "Select Slice Split SplitWithSizes Unbind",
    Kind.INDEX: "Index IndexSelect",
    Kind.SELECTION: "Gather Topk Sort Median",
    Kind.CONCATENATION: "Cat",
    Kind.STACK: "Stack",
    Kind.EXPAND: "Expand",
    Kind.REPEAT: "Repeat",
    Kind.SHUFFLE: "PixelShuffle PixelUnshuffle Flip Roll",
    Kind.CONSTANT_PADDING: "ConstantPadNd",
    Kind.REFLECTION_PADDING: "ReflectionPad2D",
    Kind.EDGE_PADDING: "ReplicationPad2D",
    Kind.UNFOLD: "Im2Col",
    Kind.CONVOLUTION: "Convolution",
    Kind.DEFORMABLE_CONVOLUTION: "DeformConv2D",
    Kind.SAMPLING: "GridSampler2D CudnnGridSampler",
    Kind.LINEAR: "Linear Addmm Mm",
    Kind.MATRIX_PRODUCT: "Bmm Baddbmm",
    Kind.BATCH_NORM: "NativeBatchNorm NativeBatchNormLegitNoTraining CudnnBatchNorm MiopenBatchNorm",
    Kind.LAYER_NORM: "NativeLayerNorm",
    Kind.GROUP_NORM: "NativeGroupNorm",
    Kind.DROPOUT: "NativeDropout",
    Kind.POOLING: "MaxPool2DWithIndices AvgPool2D MaxPool3DWithIndices AvgPool3D",
    Kind.ADAPTIVE_POOLING: "AdaptiveAvgPool2D AdaptiveMaxPool2D MkldnnAdaptiveAvgPool2D",
    Kind.ADAPTIVE_POOLING_3D: "AdaptiveAvgPool3D",
    Kind.UPSAMPLING: "UpsampleNearest2D UpsampleNearestExact2D UpsampleBilinear2D UpsampleBicubic2D",
    Kind.MEAN: "Mean Sum",
    Kind.MAXIMUM: "Max Amax",
    Kind.MINIMUM: "Min Amin",
    Kind.STATISTIC: "Var Std Logsumexp LinalgVectorNorm Norm",
    Kind.RELU: "Relu Threshold",
    Kind.CLAMP: "Clamp",
    Kind.CLAMP_ONE_SIDE: "ClampMin ClampMax",
    Kind.HARDTANH: "Hardtanh",
    Kind.LEAKY_RELU: "LeakyRelu PreluKernel",
    Kind.SMOOTH: "Silu Gelu Hardswish Mish Elu",
    Kind.OTHER_ACTIVATION: "Celu RreluWithNoise Softplus Softshrink Hardshrink LogSigmoid",
    Kind.SIGMOID: "Sigmoid Hardsigmoid",
    Kind.TANH: "Tanh",
    Kind.SOFTMAX: "Softmax SafeSoftmax",
    Kind.LOG_SOFTMAX: "LogSoftmax",
    Kind.ADD: "Add",
    Kind.SUBTRACT: "Sub",
    Kind.COMPLEMENT: "Rsub",
    Kind.MULTIPLY: "Mul",
    Kind.DIVIDE: "Div",
    Kind.NEGATE: "Neg",
    Kind.FUNCTION: "Exp Expm1 Log Log1P Sqrt Rsqrt Pow Abs Square Reciprocal Sin Cos Erf",
    Kind.BLEND: "Where Lerp Addcmul Addcdiv MaskedFill",
    Kind.LARGER: "Maximum Minimum",
    Kind.STEP: "Round Floor Ceil Trunc Sign",
}
_KINDS = {name: kind for kind, names in _NAMES.items() for name in names.split()}

# What an activation without a ReLU rule is called. Sigmoids are left out: they are gates far more often.
_ACTIVATION_NAMES = {
    "Silu": "SiLU",
    "Gelu": "GELU",
    "Hardswish": "Hardswish",
    "LeakyRelu": "LeakyReLU",
    "PreluKernel": "PReLU",
    "RreluWithNoise": "RReLU",
    "Elu": "ELU or SELU",
    "Celu": "CELU",
    "Mish": "Mish",
    "Softplus": "Softplus",
    "Tanh": "Tanh",
    "Glu": "GLU",
}

# What turns logits into probabilities or their logarithms, and what it is called.
FINAL_ACTIVATIONS = {
    "Softmax": "softmax",
    "LogSoftmax": "log-softmax",
    "Sigmoid": "sigmoid",
    "LogSigmoid": "log-sigmoid",
}

Kinds = frozenset[Kind]
REORDERS: Kinds = frozenset({Kind.PERMUTATION, Kind.COPY, Kind.STRIDED})
DATA_NORMS: Kinds = frozenset({Kind.LAYER_NORM, Kind.GROUP_NORM})  # by the data's own spread
JOINS: Kinds = frozenset({Kind.CONCATENATION, Kind.STACK})
PADDINGS: Kinds = frozenset({Kind.CONSTANT_PADDING, Kind.REFLECTION_PADDING, Kind.EDGE_PADDING})
REDUCTIONS: Kinds = frozenset({Kind.MEAN, Kind.MAXIMUM, Kind.MINIMUM, Kind.STATISTIC})
SUMS: Kinds = frozenset({Kind.ADD, Kind.SUBTRACT, Kind.COMPLEMENT})
SCALES: Kinds = frozenset({Kind.MULTIPLY, Kind.DIVIDE, Kind.NEGATE})
# features out of features, with weights or by products of them
FEATURE_MAKERS: Kinds = frozenset(
    {Kind.CONVOLUTION, Kind.DEFORMABLE_CONVOLUTION, Kind.LINEAR, Kind.MATRIX_PRODUCT, Kind.ATTENTION}
)
# an input's elements in another place, order or number, and nothing else
MOVES: Kinds = (
    REORDERS | JOINS | PADDINGS | {Kind.LEAF, Kind.VIEW, Kind.PART, Kind.INDEX, Kind.EXPAND, Kind.REPEAT, Kind.SHUFFLE}
)
# linear, or a choice of one of several inputs
POOLS: Kinds = frozenset(
    {Kind.MEAN, Kind.MAXIMUM, Kind.POOLING, Kind.ADAPTIVE_POOLING, Kind.ADAPTIVE_POOLING_3D, Kind.UPSAMPLING}
)
# each element of the result comes from the elements at its own place, of inputs that may be broadcast
ELEMENTWISE: Kinds = (
    SUMS
    | SCALES
    | {
        *(Kind.RELU, Kind.CLAMP, Kind.CLAMP_ONE_SIDE, Kind.HARDTANH, Kind.LEAKY_RELU, Kind.SMOOTH, Kind.SIGMOID),
        *(Kind.TANH, Kind.OTHER_ACTIVATION, Kind.FUNCTION, Kind.BLEND, Kind.LARGER),
        *(Kind.COPY, Kind.EXPAND, Kind.BATCH_NORM, Kind.DROPOUT),
    }
)


@dataclass(frozen=True)
class Step:
    """One result of an operation with one input: its shapes before and after."""

    node: Node
    number: int
    shape: Shape
    result: Shape


def kind(node: Node) -> Kind:
    """What the operation does."""
    return kind_of(operation(node))


@cache
def kind_of(name: str) -> Kind:
    """What the operation of this name does, as `operation` gives it."""
    if name.startswith("ScaledDotProduct"):
        return Kind.ATTENTION
    return _KINDS.get(name, Kind.OTHER)


def is_relu(node: Node) -> bool:
    """Whether the operation is a ReLU, or a ReLU with a ceiling such as ReLU6, however it was written."""
    match operation(node):
        case "Relu":
            return True
        case "Threshold":
            return _is_zero(saved(node, "threshold"))
        case "Hardtanh":
            return _is_zero(saved(node, "min_val"))
        case "ClampMin" | "Clamp":
            return _is_zero(saved(node, "min"))
    return False


def _is_zero(bound: object) -> bool:
    """Whether a bound is the number 0; those that are tensors aren't looked at."""
    return isinstance(bound, int | float) and bound == 0


def other_activation(node: Node) -> str | None:
    """The name of an activation that isn't a ReLU, or None."""
    name = operation(node)
    if name == "Hardtanh" and not is_relu(node):
        return "Hardtanh"
    return _ACTIVATION_NAMES.get(name)
