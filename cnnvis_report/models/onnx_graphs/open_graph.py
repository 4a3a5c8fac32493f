"""A model from an ONNX graph: prepared, converted, and tried beside onnxruntime."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from cnnvis_report.errors import BadRequest, CnnVisError, told
from cnnvis_report.models.model import Model, Original
from cnnvis_report.models.onnx_graphs.batch import free_batch
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
from cnnvis_report.models.onnx_graphs.values import fold_constants, with_shapes
from cnnvis_report.models.quiet import quiet

if TYPE_CHECKING:
    from onnx import ModelProto

CLOSE = 1e-4  # of the largest output: what rounding may leave between two libraries
SIDE = 224
SEED = 0


def open_graph(graph: "ModelProto", name: str) -> Model:
    """The model of an ONNX graph whose tensors have been read in.

    Raises:
        BadRequest: it isn't a network of one input of images, or an operation can't be converted.
    """
    try:
        return _opened(graph, name)
    except CnnVisError:
        raise
    except Exception as error:  # a stranger's graph may be wrong in any way, and its libraries raise anything
        raise BadRequest(f"{name}: is damaged, or no network that can be converted ({told(error)}).") from error


def _opened(graph: "ModelProto", name: str) -> Model:
    check_not_quantized(graph.graph, name)
    images = image_input(graph, name)
    prepared, output, notices = _prepared(graph, images, name)
    session = Session(graph.SerializeToString(), images, output)
    known, more = preprocessing(prepared, images, name)
    side = known.size or (SIDE, SIDE)
    noise = torch.randn(1, known.channels, *side, generator=torch.Generator().manual_seed(SEED))
    network, converted = _converted(prepared, session, noise, name)
    return Model(
        network,
        name.rpartition(".")[0] or name,
        f"{name}, converted by {converted}",
        known,
        class_names(graph),
        notices=(*notices, *more),
        original=Original(library(), session.outputs),
    )


def _prepared(graph: "ModelProto", images: ImageInput, name: str) -> tuple["ModelProto", str, tuple[str, ...]]:
    """A copy of the graph that converters read, the name of its output, and what to say of that."""
    prepared = type(graph).FromString(graph.SerializeToString())
    for node in prepared.graph.node:
        node.domain = "" if node.domain == "ai.onnx" else node.domain
    with quiet():
        prepared = with_shapes(prepared, name)
        output, notice = choose_output(prepared.graph, name)
        fold_constants(prepared)
        source = images.name
        if images.channels_last:
            source = make_channels_first(prepared.graph, images)
            prepared = with_shapes(prepared, name)
        rewrite(prepared.graph)
        prepared = with_shapes(prepared, name)
        if images.batch is not None:
            free_batch(prepared.graph, source, images.batch)
    return prepared, output, (notice,) if notice else ()


def _converted(prepared: "ModelProto", session: Session, noise: Tensor, name: str) -> tuple[nn.Module, str]:
    """The network by the first library whose scores for noise are onnxruntime's, and that library's name."""
    copy = type(prepared).FromString(prepared.SerializeToString())
    expected = None
    try:
        network, converted = convert(copy, name)
        wrong = ""
    except BadRequest as error:
        wrong, converted = str(error), ""
    try:
        with quiet():
            expected = session.outputs(noise)
    except Exception as error:  # onnxruntime's own
        fault = f"{name}: onnxruntime can't run it ({told(error)})."
        raise BadRequest(f"{wrong.rstrip('.')}; onnxruntime can't run it, either." if wrong else fault) from error
    wrong = wrong or _difference(network, noise, expected, f"{name}: onnx2torch's network")
    if not wrong:
        return network, converted
    network = convert_otherwise(prepared, wrong)
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
