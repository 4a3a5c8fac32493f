"""What tells a network from others beside its logits: its weights, what its modules are set to, its source code."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnvis_report.models.network_state import state_of, weights_hash
from cnnvis_report.pipeline.identity.source_code import code_hash, network_files

PLAIN = (str, bytes, int, float, complex, torch.dtype, torch.device, torch.Size, np.generic)
CALLED = (FunctionType, BuiltinFunctionType, MethodType, type)
# what a module has for PyTorch's own housekeeping; hooks count by what they call
HOOKS = ("_forward_hooks", "_forward_pre_hooks")
HOUSEKEEPING = frozenset(vars(nn.Module())) | {"_compiled_call_impl"}


@dataclass(frozen=True)
class NetworkIdentity:
    """Digests of its weights, of what its modules are set to, and of the code that somebody has written for it."""

    weights: str = ""
    settings: str = ""
    code: str = ""


def identify_network(network: nn.Module, spec: str) -> NetworkIdentity:
    """The digests of a network as it stands, called `spec` by its user."""
    return NetworkIdentity(weights_hash(network), settings_hash(network), code_hash(network_files(network, spec)))


def settings_hash(network: nn.Module) -> str:
    """A digest of everything that the modules hold and their state doesn't."""
    digest, serializer = sha256(), _Serializer()
    saved = state_of(network).keys()
    for path, module in network.named_modules(remove_duplicate=False):
        digest.update(_text(f"{path} {_called(type(module))} {_extra(module)}\n"))
        digest.update(b"".join(serializer.bytes_of(_extra_state(module))))
        attributes = {name: value for name, value in vars(module).items() if name not in HOUSEKEEPING}
        for part in serializer.bytes_of([attributes, *(list(vars(module)[name].values()) for name in HOOKS)]):
            digest.update(part)
    for name, buffer in network.named_buffers():
        if name not in saved:  # buffers that aren't saved with the others
            digest.update(_text(name) + _bytes_of(buffer))
    return digest.hexdigest()[:32]


class _Serializer:
    """Writes values as bytes that are the same in another process: no address, no order of a set.

    What it has written once it names alone, so that objects may hold each other.
    """

    def __init__(self) -> None:
        self._seen: dict[int, object] = {}  # the objects too: a number that has got free is given again

    def bytes_of(self, value: Any) -> Iterator[bytes]:
        """The value in bytes."""
        if value is None or isinstance(value, PLAIN):
            yield _text(repr(value))
        elif isinstance(value, Tensor):
            yield _bytes_of(value)
        elif isinstance(value, np.ndarray):
            yield _text(f"{value.dtype} {value.shape}")
            yield value.tobytes() if value.dtype != object else b""
        elif id(value) in self._seen or isinstance(value, nn.Module):
            yield _text(_called(type(value)))  # a module is written at its own path
        else:
            self._seen[id(value)] = value
            yield _text(_called(value if isinstance(value, CALLED) else type(value)))
            for part in _parts(value):
                yield from self.bytes_of(part)


def _parts(value: Any) -> Iterable[Any]:
    """What containers, functions and other objects hold, in an order that is always the same."""
    if isinstance(value, Mapping):
        return [part for pair in value.items() for part in pair]
    if isinstance(value, set | frozenset):
        return sorted(map(repr, value)) if all(isinstance(element, PLAIN) for element in value) else [len(value)]
    if isinstance(value, list | tuple):
        return value
    if isinstance(value, partial):
        return (value.func, value.args, value.keywords)
    if isinstance(value, MethodType):
        return (value.__func__,)
    if isinstance(value, FunctionType):
        return _function(value)
    if isinstance(value, CALLED) or not hasattr(value, "__dict__"):
        return ()
    return [part for pair in sorted(vars(value).items()) for part in pair]


def _function(value: FunctionType) -> Iterable[Any]:
    """A function's code, its defaults, and what it has closed over."""
    code = value.__code__
    constants = [constant for constant in code.co_consts if not hasattr(constant, "co_code")]
    cells = [cell.cell_contents for cell in value.__closure__ or () if _filled(cell)]
    return (code.co_code, code.co_names, constants, value.__defaults__, value.__kwdefaults__, cells)


def _filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


def _text(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _called(value: Any) -> str:
    return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', '')}"


def _extra(module: nn.Module) -> str:
    try:
        return module.extra_repr()
    except Exception:  # somebody's own; its attributes are written all the same
        return ""


def _extra_state(module: nn.Module) -> Any:
    """What a module saves beside its tensors; nothing where it has no such thing, or can't tell."""
    if type(module).get_extra_state is nn.Module.get_extra_state:
        return None
    try:
        return module.get_extra_state()
    except Exception:  # somebody's own
        return None


def _bytes_of(value: Tensor) -> bytes:
    facts = _text(f"{value.dtype} {list(value.shape)}")
    try:
        return facts + value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes()
    except (RuntimeError, TypeError, NotImplementedError):  # quantized, sparse, without storage
        return facts
