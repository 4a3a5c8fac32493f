"""A model from an ONNX graph: prepared, converted, and tried beside onnxruntime."""

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from cnnvis_report.errors import BadRequest, CnnVisError, told
from cnnvis_report.models.model import Model, Original
from cnnvis_report.models.onnx_graphs.batch.free_batch import free_batch
from cnnvis_report.models.onnx_graphs.convert import convert, convert_otherwise
from cnnvis_report.models.onnx_graphs.forms import rewrite
from cnnvis_report.models.onnx_graphs.inputs import (
    ImageInput,
    check_not_quantized,
    choose_output,
    image_input,
    make_channels_first,
)
from cnnvis_report.models.onnx_graphs.metadata import class_names, preprocessing
from cnnvis_report.models.onnx_graphs.original import Session, library
from cnnvis_report.models.onnx_graphs.reading import OnnxFile
from cnnvis_report.models.onnx_graphs.sizes.image_free import image_free, of_fixed_size
from cnnvis_report.models.onnx_graphs.values import copied, fold_constants, with_shapes
from cnnvis_report.models.onnx_graphs.weights import Weights
from cnnvis_report.models.quiet import quiet

if TYPE_CHECKING:
    from onnx import ModelProto

CLOSE = 1e-4  # of the largest output: what rounding may leave between two libraries
SIDE = 224
SEED = 0


def open_graph(file: OnnxFile, name: str) -> Model:
    """The model of an ONNX graph.

    Raises:
        BadRequest: it isn't a network of one input of images, or an operation can't be converted.
    """
    try:
        return _opened(file, name)
    except CnnVisError:
        raise
    except Exception as error:  # a stranger's graph may be wrong in any way, and its libraries raise anything
        raise BadRequest(f"{name}: is damaged, or no network that can be converted ({told(error)}).") from error


def _opened(file: OnnxFile, name: str) -> Model:
    check_not_quantized(file.model.graph, name)
    images = image_input(file.model, name)
    prepared, source, output, notices = _prepared(file, images, name)
    outputs = {value.name for value in file.model.graph.output}
    inner = () if images.sides is None else image_free(prepared.graph, source)
    session = Session(file.content, images, output, tuple(name for name in inner if name not in outputs))
    simple = _simplified(prepared, file.weights, source, session, name)
    known, more = preprocessing(simple.model, file.weights, images, name)
    noise = _noise(known.channels, known.size or (SIDE, SIDE))
    network, converted = _converted(simple, file.weights, session, noise[:1], name)
    if not (simple.any_number and converted == "onnx2torch") and _mixes(network, session, noise):
        network.register_forward_pre_hook(_check_single)
    return Model(
        network,
        name.rpartition(".")[0] or name,
        f"{name}, converted by {converted}",
        known,
        class_names(file.model),
        notices=(*notices, *more),
        original=Original(library(), session.outputs),
    )


def _noise(channels: int, sides: tuple[int, int]) -> Tensor:
    return torch.randn(2, channels, *sides, generator=torch.Generator().manual_seed(SEED))


def _prepared(file: OnnxFile, images: ImageInput, name: str) -> tuple["ModelProto", str, str, tuple[str, ...]]:
    """A copy of the graph with one output and constants, the names of its input and output, and what to say of that."""
    prepared = copied(file.model)
    for node in prepared.graph.node:
        node.domain = "" if node.domain == "ai.onnx" else node.domain
    with quiet():
        prepared = with_shapes(prepared, name)
        output, notice = choose_output(prepared.graph, name)
        fold_constants(prepared, file.weights)
        source = images.name
        if images.channels_last:
            source = make_channels_first(prepared.graph, images)
            prepared = with_shapes(prepared, name)
    return prepared, source, output, (notice,) if notice else ()


class _Simple(NamedTuple):
    """A graph in the forms that converters read.

    any_number: whether it is proven to take any number of images. expected: onnxruntime's output for noise, once known.
    """

    model: "ModelProto"
    any_number: bool
    expected: Tensor | None = None


def _simplified(prepared: "ModelProto", weights: Weights, source: str, session: Session, name: str) -> _Simple:
    """The graph in the forms that converters read.

    Where the size of the images is fixed, what depends on it alone is constants. Whatever number of images a graph says
    that it takes, this is done for a fixed one, which is freed again.
    """
    images, expected = session.images, None
    if images.sides is not None:
        batch, channels, *sides = images.sides
        try:
            with quiet():
                expected, numbers = session.with_inner(_noise(channels, (sides[0], sides[1]))[0])
                fixed = of_fixed_size(prepared, weights, source, images.sides, numbers, name)
        except Exception:  # onnxruntime's own: for a graph that is refused later, or for an inner value
            fixed = None
            session.leave_out_inner()
        if fixed is not None:
            rewrite(fixed.graph, weights)
            fixed = with_shapes(fixed, name)
            if free_batch(fixed.graph, weights, source, batch):
                return _Simple(fixed, True, expected)
    rewrite(prepared.graph, weights)
    prepared = with_shapes(prepared, name)
    freed = images.batch is not None and free_batch(prepared.graph, weights, source, images.batch)
    return _Simple(prepared, freed, expected)


def _mixes(network: nn.Module, session: Session, noise: Tensor) -> bool:
    """Whether a network fails for two images, or gives one of them other scores than alone."""
    with quiet():
        expected = session.outputs(noise)
    return bool(_difference(network, noise, expected, "it"))


def _check_single(_network: nn.Module, arguments: tuple[Tensor, ...]) -> None:
    """Refuse several images; they are explained one by one then.

    Raises:
        ValueError: there are several.
    """
    if len(arguments[0]) > 1:
        raise ValueError("its graph is of one image at a time")


def _converted(simple: _Simple, weights: Weights, session: Session, noise: Tensor, name: str) -> tuple[nn.Module, str]:
    """The network by the first library whose scores for noise are onnxruntime's, and that library's name."""
    expected = simple.expected
    try:
        network, converted = convert(copied(simple.model), weights, name)
        wrong = ""
    except BadRequest as error:
        wrong, converted = str(error), ""
    try:
        if expected is None:
            with quiet():
                expected = session.outputs(noise)
    except Exception as error:  # onnxruntime's own
        fault = f"{name}: onnxruntime can't run it ({told(error)})."
        raise BadRequest(f"{wrong.rstrip('.')}; onnxruntime can't run it, either." if wrong else fault) from error
    wrong = wrong or _difference(network, noise, expected, f"{name}: onnx2torch's network")
    if not wrong:
        return network, converted
    network = convert_otherwise(simple.model, weights, wrong)
    other = _difference(network, noise, expected, "onnx2pytorch's")
    if other:
        raise BadRequest(f"{wrong.rstrip('.')}; {other}")
    return network, "onnx2pytorch"


def _difference(network: nn.Module, noise: Tensor, expected: Tensor, what: str) -> str:
    """What is wrong with a network's scores for noise, in words; empty where they are what is expected."""
    try:
        with quiet(), torch.no_grad():
            output = network(noise)
    except Exception as error:
        return f"{what} fails ({told(error)})."
    if not isinstance(output, Tensor) or output.numel() != expected.numel():
        return f"{what} gives {list(getattr(output, 'shape', ()))} in place of {list(expected.shape)}."
    actual = output.detach().double().reshape(-1)
    wanted = expected.double().reshape(-1)
    scale = max(float(wanted.abs().max()), torch.finfo(torch.float32).tiny)
    off = float((actual - wanted).abs().max()) / scale
    return "" if off <= CLOSE or not bool(wanted.isfinite().all()) else f"{what} differs by {off:.1e} from onnxruntime."
