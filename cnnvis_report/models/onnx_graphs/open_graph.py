"""A model from an ONNX graph: prepared, converted, and tried beside onnxruntime."""

from typing import TYPE_CHECKING

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
from cnnvis_report.models.onnx_graphs.sizes.image_free import of_fixed_size
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
    prepared, output, notices, proven = _prepared(graph, images, name)
    session = Session(graph.SerializeToString(), images, output)
    known, more = preprocessing(prepared, images, name)
    side = known.size or (SIDE, SIDE)
    noise = torch.randn(2, known.channels, *side, generator=torch.Generator().manual_seed(SEED))
    network, converted = _converted(prepared, session, noise[:1], name)
    if not (proven and converted == "onnx2torch") and _mixes(network, session, noise):
        network.register_forward_pre_hook(_check_single)
    return Model(
        network,
        name.rpartition(".")[0] or name,
        f"{name}, converted by {converted}",
        known,
        class_names(graph),
        notices=(*notices, *more),
        original=Original(library(), session.outputs),
    )


def _prepared(graph: "ModelProto", images: ImageInput, name: str) -> tuple["ModelProto", str, tuple[str, ...], bool]:
    """A copy of the graph that converters read, its output, what to say of that, and whether any number is proven."""
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
        prepared, proven = _simplified(prepared, source, images, name)
    return prepared, output, (notice,) if notice else (), proven


def _simplified(prepared: "ModelProto", source: str, images: ImageInput, name: str) -> tuple["ModelProto", bool]:
    """The graph in the forms that converters read, and whether it is proven to take any number of images.

    Where the size of the images is fixed, what depends on it alone is constants. Whatever number of images a graph says
    that it takes, this is done for a fixed one, which is freed again.
    """
    sides = (images.batch or 1, images.channels, images.height, images.width)
    try:
        fixed = of_fixed_size(prepared, source, sides, name) if None not in sides else None  # type: ignore[arg-type]
    except Exception:  # onnxruntime's own, for a graph that is refused later
        fixed = None
    if fixed is not None:
        rewrite(fixed.graph)
        fixed = with_shapes(fixed, name)
        if free_batch(fixed.graph, source, images.batch or 1):
            return fixed, True
    rewrite(prepared.graph)
    prepared = with_shapes(prepared, name)
    return prepared, images.batch is not None and free_batch(prepared.graph, source, images.batch)


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
