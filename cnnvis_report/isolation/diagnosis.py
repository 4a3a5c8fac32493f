"""Why a network can't be explained, found out by looking and trying, in one line."""

import inspect
import re
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.autograd.graph import Node
from torch.nn.parameter import UninitializedBuffer, UninitializedParameter

from cnnvis_report.errors import BadRequest, InputRefused, told
from cnnvis_report.isolation.module_tree import check_modules
from cnnvis_report.isolation.process_state import running_user_code
from cnnvis_report.isolation.user_code import user_code_location

SIDES = (224, 299, 256, 384, 128, 64, 32, 28)  # that networks are made for, the commonest first
QUANTIZED = ("torch.ao.nn.quantized", "torch.ao.nn.intrinsic.quantized", "torch.nn.quantized", "torchao.")
LIKELY = (RuntimeError, ValueError, TypeError, IndexError, AssertionError)  # what PyTorch raises against images
MOST_OFF = 32  # pixels between the side that a linear layer's features tell and the one that fits
FEATURES = re.compile(r"mat1 and mat2 shapes cannot be multiplied \(\d+x(\d+) and (\d+)x\d+\)")
CHANNELS = re.compile(r"to have (\d+) channels, but got (\d+) channels")


def check_open(network: nn.Module, name: str) -> None:
    """Refuse networks whose operations can't be seen, or can't be followed back."""
    check_modules(network, name)
    for path, module in network.named_modules():
        where = f"{name}'s {path}" if path else name
        if isinstance(module, torch.jit.ScriptModule):
            raise BadRequest(
                f"{where} is TorchScript, whose operations can't be seen. Save it, script.save('net.pt'), and give "
                f"that file as MODEL; or give the Python network that it was made from, with script.state_dict()."
            )
        if "eval" in vars(module):  # torch.export puts a function there that refuses
            raise BadRequest(
                f"{where} is what torch.export's program.module() gives, one flat graph without eval mode. "
                f"Give torch.export.unflatten(program), which has modules."
            )
        kind = f"{type(module).__module__}.{type(module).__qualname__}"
        if kind.startswith(QUANTIZED):
            raise _quantized(f"{where} is a {kind}")
    for key, value in (*network.named_parameters(), *network.named_buffers()):
        if isinstance(value, UninitializedParameter | UninitializedBuffer):
            raise BadRequest(
                f"{name}'s {key} has no shape yet (a lazy layer). Run the network once on an image where it is made, "
                f"before any weights are loaded."
            )
        if value.is_inference():
            raise BadRequest(
                f"{name} was made under torch.inference_mode, and autograd can't record such tensors. "
                f"Make it under torch.no_grad, or outside."
            )
        if value.is_quantized or type(value).__module__.startswith("torchao"):
            raise _quantized(f"{name}'s {key} holds {value.dtype}")
        if value.is_meta and isinstance(value, nn.Parameter):
            raise BadRequest(f"{name} is on the meta device, where {key} has no values. Load its weights first.")


def check_example(network: nn.Module, name: str, example: Tensor) -> None:
    """Refuse images that the network's weights can't meet.

    Raises:
        BadRequest: they hold NaN or infinity, or are elsewhere than all of the weights.
    """
    if not bool(example.isfinite().all()):
        raise BadRequest(f"The images hold {int((~example.isfinite()).sum())} values that aren't finite.")
    devices = {parameter.device for parameter in network.parameters()}
    if len(devices) == 1 and example.device not in devices:
        (device,) = devices
        raise BadRequest(f"The images are on {example.device} and {name} is on {device}: images.to({str(device)!r}).")


def check_scores(scores: Tensor, name: str) -> None:
    """Refuse scores that nothing can be explained of.

    Raises:
        BadRequest: they have no way back to the image, or aren't finite.
    """
    if scores.grad_fn is None:
        raise BadRequest(
            f"{name} gives scores that autograd can't follow back to the image "
            f"(computed under no_grad, or detached); nothing can be explained."
        )
    if not bool(scores.isfinite().all()):
        raise BadRequest(f"{name} gives scores that aren't finite (NaN or infinite weights?).")


def in_order(nodes: list[Node], name: str) -> list[Node]:
    """The operations of a pass, the latest first, which has to be the order in which they read each other's results.

    Raises:
        BadRequest: it isn't: they have run in several threads, each of which counts its own.
    """
    order = {node: index for index, node in enumerate(nodes)}
    if any(before is not None and order[before] <= order[node] for node in nodes for before, _ in node.next_functions):
        raise BadRequest(
            f"{name} runs its layers in threads of its own, and in which order can't be told. "
            f"Let its forward run in one thread."
        )
    return nodes


def refusal(network: nn.Module, name: str, example: Tensor, error: Exception) -> BadRequest:
    """What to say of a network that doesn't run on the example; the cause is tried where it can be.

    Args:
        error: what it raised. One that neither the network nor PyTorch has raised is raised again: it is ours.
    """
    sides = "×".join(map(str, example.shape))
    message = told(error)
    refused = f"{name} doesn't take a {sides} batch ({message})."
    missing = missing_arguments(network.forward, 1)
    if missing:
        return BadRequest(
            f"{name}'s forward needs {missing} beside the images. Wrap it in a module whose forward takes images alone."
        )
    dtypes = {parameter.dtype for parameter in network.parameters() if parameter.is_floating_point()}
    if dtypes and example.dtype not in dtypes:
        (dtype, *_) = dtypes
        return BadRequest(
            f"{name} gets images of {example.dtype}, and its weights are {dtype}: give network.to({example.dtype}), "
            f"or images.to({dtype}) where you call explain."
        )
    channels = CHANNELS.search(message)
    if channels and int(channels[2]) == example.shape[1]:
        wanted = int(channels[1])
        return InputRefused(
            f"{refused} It reads images of {wanted} channels.", f"--mean and --std with {wanted} numbers"
        )
    sides_tried = dict.fromkeys((*SIDES, *_sides_for(message, example)))
    side = next((side for side in sides_tried if _runs(network, _square(example, side))), None)
    if side:
        return InputRefused(f"{refused} It takes {side}×{side} pixels.", f"--size {side}")
    if len(example) == 1 and _runs(network, example.expand(2, -1, -1, -1).clone()):
        return BadRequest(f"{refused} It takes two images at a time; let its forward take a single one, too.")
    where = user_code_location(error)
    if where is None and not isinstance(error, LIKELY):
        raise error
    return BadRequest(f"{refused} It fails{f' in {where}' if where else ''} on images of other sizes, too.")


def parameters_of(function: object) -> list[inspect.Parameter]:
    """The parameters of a function; none where it doesn't tell, as some builtins don't, or is none."""
    try:
        return list(inspect.signature(function).parameters.values())  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return []


def is_needed(parameter: inspect.Parameter) -> bool:
    """Whether a function can't be called without a parameter."""
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return parameter.default is inspect.Parameter.empty and parameter.kind not in variadic


def missing_arguments(function: Callable[..., object], count: int) -> str:
    """The names of what a function has to be called with beside so many arguments; empty where nothing is missing."""
    parameters = parameters_of(function)
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    by_position = [parameter for parameter in parameters if parameter.kind in positional][count:]
    keywords = [parameter for parameter in parameters if parameter.kind is inspect.Parameter.KEYWORD_ONLY]
    return ", ".join(
        parameter.name for parameter in (*by_position, *keywords) if parameter.default is inspect.Parameter.empty
    )


def _quantized(what: str) -> BadRequest:
    return BadRequest(
        f"{what}: it is quantized, and autograd can't follow whole numbers back to the image. "
        f"Explain the float network that it was made from."
    )


def _runs(network: nn.Module, images: Tensor | None) -> bool:
    """Whether the network takes these images."""
    if images is None:
        return False
    try:
        with torch.no_grad(), running_user_code():
            network(images)
    except Exception:
        return False
    return True


def _sides_for(message: str, example: Tensor) -> list[int]:
    """Sides of which a linear layer would get as many features as it reads, by PyTorch's words on those it got."""
    match = FEATURES.search(message)
    if match is None:
        return []
    received, wanted = map(int, match.groups())
    likely = round((wanted / received * example.shape[2] * example.shape[3]) ** 0.5)
    near = [likely + step for step in range(-MOST_OFF, MOST_OFF + 1)]  # what is cut off by strides isn't in proportion
    return sorted((side for side in near if side > 0), key=lambda side: abs(side - likely))


def _square(example: Tensor, side: int) -> Tensor | None:
    """One image of another size; None where the example is of that size."""
    same = tuple(example.shape[2:]) == (side, side)
    return None if same else example.new_zeros(1, example.shape[1], side, side)
