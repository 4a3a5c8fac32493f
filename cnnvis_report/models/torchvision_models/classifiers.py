"""torchvision's classifiers as somebody's weights need them: with their classes, their channels and their head."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import torch
import torchvision
from torch import Tensor, nn
from torch.nn import init
from torch.nn.modules.module import register_module_parameter_registration_hook
from torch.overrides import TorchFunctionMode
from torchvision.models import GoogLeNet, Inception3

from cnnvis_report.errors import BadRequest
from cnnvis_report.models.architectures import MOST_CLASSES
from cnnvis_report.models.checkpoints.candidates import State

CLASSES = 1000
LONGEST_PLACE = 2  # digits of a place in a Sequential head: each place before it gets a module
AUXILIARY = ("aux", "Aux")


@dataclass(frozen=True)
class Built:
    """A network, the tensors that are its own, and what had to be guessed of it."""

    network: nn.Module
    state: State
    classes: int
    notices: tuple[str, ...] = ()


class _NothingDrawn(TorchFunctionMode):
    """Leaves out drawing values for tensors that have none, which PyTorch has its compiler do, slowly."""

    DRAWING = (
        init.kaiming_normal_,
        init.kaiming_uniform_,
        init.normal_,
        init.uniform_,
        Tensor.normal_,
        Tensor.uniform_,
    )

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in self.DRAWING:
            tensor = args[0] if args else kwargs["tensor"]
            if tensor.is_meta:
                return tensor
        return func(*args, **kwargs)


@contextmanager
def without_values() -> Iterator[None]:
    """Networks that are made while it is open have parameters of the right shape and no values: none are drawn."""

    def emptied(_: nn.Module, __: str, parameter: Tensor) -> Any:
        return nn.Parameter(parameter.to("meta")) if parameter is not None and not parameter.is_meta else None

    handle = register_module_parameter_registration_hook(emptied)
    try:
        with _NothingDrawn():
            yield
    finally:
        handle.remove()


def skeleton(name: str, **options: Any) -> nn.Module:
    """The network without values, and without the auxiliary heads that only train."""
    if _has_aux(name):
        options = {"init_weights": False, "aux_logits": False} | options
    with without_values():
        network: nn.Module = torchvision.models.get_model(name, weights=None, **options)
    return network


def head_of(name: str) -> list[str]:
    """The tensors with a row a class, by name."""
    expected, other = skeleton(name).state_dict(), skeleton(name, num_classes=CLASSES + 1).state_dict()
    return [key for key in expected if expected[key].shape != other[key].shape]


def make_room(network: nn.Module) -> nn.Module:
    """Memory for the values that a skeleton has not; whoever loads some makes sure that they are all there."""
    for module in network.modules():
        for name, parameter in module.named_parameters(recurse=False):
            setattr(module, name, nn.Parameter(torch.empty(parameter.shape, dtype=parameter.dtype)))
    return network


def build_for(name: str, state: State, file: str) -> Built:
    """The network that such weights are of.

    Raises:
        BadRequest: they are of another head or stem, which their names and shapes don't tell in full.
    """
    state = {key: value for key, value in state.items() if not key.startswith(AUXILIARY)} if _has_aux(name) else state
    plain = skeleton(name)
    heads = [key for key in head_of(name) if key in state and state[key].ndim]
    classes = int(state[heads[-1]].shape[0]) if heads else CLASSES
    if classes > MOST_CLASSES:
        raise BadRequest(f"{file}: its head is for {classes:,} classes; at most {MOST_CLASSES:,} can be shown.")
    channels = _channels(plain, state)
    # torchvision's own weights of these two were trained elsewhere, on pictures scaled otherwise
    options = {"transform_input": classes == CLASSES and channels is None} if _has_aux(name) else {}
    network = make_room(skeleton(name, num_classes=classes, **options))
    if channels is not None:
        _replace_stem(network, channels, state)
    replaced, notices = _with_head(network, state, file)
    return Built(network, state, replaced or classes, notices)


def drop_unfit_auxiliaries(network: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Take off auxiliary heads that the weights don't have as they are: in eval mode none ever runs."""
    for path, module in network.named_modules():
        if not isinstance(module, GoogLeNet | Inception3):
            continue
        for name, child in list(module.named_children()):
            prefix = f"{path}.{name}." if path else f"{name}."
            expected = {f"{prefix}{key}": value for key, value in child.state_dict().items()}
            if name.startswith(AUXILIARY) and any(
                key not in state or state[key].shape != value.shape
                for key, value in expected.items()
                if not key.endswith("num_batches_tracked")
            ):
                module.aux_logits = False
                setattr(module, name, None)


def _has_aux(name: str) -> bool:
    return name in ("googlenet", "inception_v3")


def _stem(network: nn.Module) -> tuple[str, nn.Conv2d]:
    """The first convolution, and its name."""
    return next((path, module) for path, module in network.named_modules() if isinstance(module, nn.Conv2d))


def _channels(network: nn.Module, state: State) -> int | None:
    """The channels that the weights' first convolution reads, where they differ in nothing else; None otherwise."""
    path, stem = _stem(network)
    weight = state.get(f"{path}.weight")
    if weight is None or weight.ndim != 4 or stem.groups != 1:
        return None
    shape = stem.weight.shape
    same = (shape[0], *shape[2:]) == (weight.shape[0], *weight.shape[2:])
    return int(weight.shape[1]) if same and shape[1] != weight.shape[1] else None


def _replace_stem(network: nn.Module, channels: int, state: State) -> None:
    path, stem = _stem(network)
    replacement = nn.Conv2d(
        channels,
        stem.out_channels,
        stem.kernel_size,  # type: ignore[arg-type]
        stem.stride,  # type: ignore[arg-type]
        stem.padding,  # type: ignore[arg-type]
        stem.dilation,  # type: ignore[arg-type]
        bias=f"{path}.bias" in state,
        padding_mode=stem.padding_mode,
    )
    _put(network, path, replacement)


def _with_head(network: nn.Module, state: State, file: str) -> tuple[int, tuple[str, ...]]:
    """Put in the head that the weights have, where it is another than torchvision's.

    Returns:
        How many classes it has, 0 where torchvision's stays; what was guessed of it.
    """
    expected = network.state_dict()
    odd = {key for key in expected if key not in state and not key.endswith("num_batches_tracked")}
    odd |= {key for key in state if key not in expected or state[key].shape != expected[key].shape}
    path = _common(odd, network)
    if not odd or not path:
        return 0, ()
    last = [key for key in expected if not key.endswith("num_batches_tracked")][-1]
    linears = [module for module in network.get_submodule(path).modules() if isinstance(module, nn.Linear)]
    if not last.startswith(f"{path}.") or not linears:
        return 0, ()
    within = {key: value for key, value in state.items() if key.startswith(f"{path}.")}
    weights = [key for key in within if key.endswith(".weight") and within[key].ndim == 2]
    if len(weights) > 1:
        raise BadRequest(
            f"{file}: its head {path!r} has {len(weights)} linear layers ({', '.join(sorted(weights))}), and what "
            f"stands between them isn't in the file. Give the network from a factory, path/to/file.py:function, and "
            f"this file with --weights."
        )
    if not weights or int(within[weights[0]].shape[1]) != linears[0].in_features:
        return 0, ()
    linear = weights[0].removeprefix(f"{path}.").removesuffix("weight").rstrip(".")
    if any(len(key.removeprefix(f"{path}.").partition(".")[0]) > LONGEST_PLACE for key in within if linear):
        return 0, ()
    if linear and not linear.isdecimal():
        return 0, ()
    head = _head({key.removeprefix(f"{path}."): value for key, value in within.items()})
    _put(network, path, head)
    outputs = int(within[weights[0]].shape[0])
    if isinstance(head, nn.Linear):
        return outputs, ()
    notice = (
        f"The head {path!r} of {file} is a Sequential with one linear layer, {path}.{linear}; what stands beside it "
        f"isn't in the file and was taken for what does nothing in eval mode, such as dropout."
    )
    return outputs, (notice,)


def _head(state: State) -> nn.Module:
    """A linear layer, or a Sequential with one; its places without tensors flatten or do nothing."""
    if "weight" in state:
        return _linear(state, "")
    indices = [int(key.partition(".")[0]) for key in state if key.partition(".")[0].isdecimal()]
    layers: list[nn.Module] = [nn.Flatten(1)]
    for index in range(max(indices) + 1):
        if f"{index}.running_mean" in state:
            layers.append(nn.BatchNorm1d(len(state[f"{index}.running_mean"]), affine=f"{index}.weight" in state))
        elif f"{index}.weight" in state and state[f"{index}.weight"].ndim == 2:
            layers.append(_linear(state, f"{index}."))
        else:
            layers.append(nn.Identity())
    if isinstance(layers[1], nn.Identity):
        layers[1] = layers[0]  # at the first place without tensors, or, where there is none, nowhere
    return nn.Sequential(*layers[1:])


def _linear(state: State, prefix: str) -> nn.Linear:
    outputs, inputs = state[f"{prefix}weight"].shape
    return nn.Linear(inputs, outputs, bias=f"{prefix}bias" in state)


def _common(keys: set[str], network: nn.Module) -> str:
    """The name of the innermost module that holds all of the keys; empty where only the network itself does."""
    if not keys:
        return ""
    parts = zip(*(key.split(".")[:-1] for key in keys), strict=False)
    path = [names[0] for names in takewhile(lambda names: len(set(names)) == 1, parts)]
    known = dict(network.named_modules())
    while path and ".".join(path) not in known:
        path = path[:-1]
    # a linear layer that became a Sequential has its weights one level down
    return ".".join(path)


def _put(network: nn.Module, path: str, module: nn.Module) -> None:
    parent, _, name = path.rpartition(".")
    setattr(network.get_submodule(parent), name, module)
