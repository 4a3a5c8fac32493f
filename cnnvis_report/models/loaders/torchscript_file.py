"""Networks as torch.jit.save writes them, turned into modules by way of ONNX."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from cnnvis_report.errors import BadRequest, told
from cnnvis_report.models.loader import ModelRequest, Way, loader
from cnnvis_report.models.loaders.onnx_file import MODULES
from cnnvis_report.models.model import Model, Original
from cnnvis_report.models.quiet import quiet
from cnnvis_report.models.torchscript.image_size import example_for
from cnnvis_report.models.torchscript.vetting import is_script, unknown_operation, unsafe_word

if TYPE_CHECKING:
    from cnnvis_report.models.onnx_graphs.reading import OnnxFile

OPSET = 17


def _is_script(model: str) -> bool:
    path = Path(model)
    return path.is_file() and is_script(path)


@loader(
    title="TorchScript",
    example="script.pt",
    matches=_is_script,
    order=17,
    requires=MODULES,
    install="cnnvis-report[onnx]",
    ways=(Way("TorchScript, traced or scripted", "script.pt", "scores, against the script itself"),),
)
def torchscript_file(request: ModelRequest) -> Model:
    """Open a TorchScript file, looked over before it runs, through its graph to ONNX and from there to modules."""
    from cnnvis_report.models.onnx_graphs.open_graph import open_graph

    path = Path(request.text)
    request.refuse_weights(path.name)
    script = _load(path, request)
    with quiet():
        example = example_for(script, path)
    if example is None:
        raise BadRequest(f"{path}: takes no batch of one image of any usual size; a network of images is needed.")
    noise, known = example
    model = open_graph(_as_onnx(script, noise, path), path.name)
    guess = f"{path.name} doesn't say which size it reads: {noise.shape[3]}×{noise.shape[2]} is tried."
    notices = model.notices if known else (guess, *model.notices)
    original = Original(f"TorchScript (PyTorch {torch.__version__})", _outputs_of(script))
    return replace(model, original=original, notices=notices)


def _load(path: Path, request: ModelRequest) -> Any:
    """The script, with nothing in it that could do more than compute."""
    unsafe = unsafe_word(path)
    if unsafe:
        request.require_trust(unsafe)
    try:
        with quiet():
            script = torch.jit.load(str(path), map_location="cpu").eval()
            unknown = unknown_operation(script)
    except Exception as error:  # of any type: a stranger's file
        raise BadRequest(f"{path}: PyTorch can't load it as TorchScript ({told(error)}).") from error
    if unknown:
        request.require_trust(unknown)
    return script


def _as_onnx(script: Any, noise: Tensor, path: Path) -> "OnnxFile":
    """The script's graph as ONNX."""
    from cnnvis_report.models.onnx_graphs.reading import parse_graph

    content = io.BytesIO()
    export: Any = torch.onnx.export  # it takes open files, though its types don't say so
    try:
        with quiet():
            export(script, (noise,), content, opset_version=OPSET, dynamo=False, input_names=["images"])
    except Exception as error:
        raise BadRequest(
            f"{path}: PyTorch can't export it to ONNX ({told(error)}). Give the Python network that it was made from, "
            f"path/to/file.py:factory, with the script's weights: torch.jit.load({path.name!r}).state_dict()."
        ) from error
    return parse_graph(content.getvalue(), path)


def _outputs_of(script: Any) -> Callable[[Tensor], Tensor]:
    """What the script gives for images, which go through one by one."""

    def outputs(images: Tensor) -> Tensor:
        with torch.no_grad(), quiet():
            return torch.cat([_first(script(image.unsqueeze(0))) for image in images])

    return outputs


def _first(output: Any) -> Tensor:
    """The scores of a script that may give several results."""
    while isinstance(output, list | tuple | dict):
        output = next(iter(output.values() if isinstance(output, dict) else output))
    scores: Tensor = output
    return scores
