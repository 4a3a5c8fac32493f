"""A network, and what is the process's, as before a call: however the call ends, wherever it is interrupted."""

import random
import sys
from collections.abc import Callable
from operator import is_
from traceback import clear_frames
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.utils import checkpoint

from cnnvis_report.errors import RunFailed
from cnnvis_report.isolation.buffers import OwnState
from cnnvis_report.isolation.context import AUTOCASTING
from cnnvis_report.isolation.eager import REPLACED, unwrapped
from cnnvis_report.isolation.lock import exclusive

Result = TypeVar("Result")
HOLDERS = (dict, list, set)  # that modules keep their parts, hooks and counts in


def with_state_restored(network: nn.Module, device: torch.device, action: Callable[[OwnState], Result]) -> Result:
    """What the action makes of the network; afterwards the network and the process are as they were.

    Only one thread at a time comes here.

    Args:
        device: whose random numbers the network may draw. action: gets what looks after the network's own state.

    Raises:
        RunFailed: another thread has changed the network's weights meanwhile.
    """
    with exclusive():
        before = _Before(network, device)
        # twice: an interruption may come in the first line of a finally, or within what puts things back
        try:
            try:
                result = action(before.state)
                before.network.check(before.state, network)
                return result
            except Exception as error:
                before.network.check(before.state, network, error)
                raise
            except BaseException as error:
                clear_frames(error.__traceback__)  # what is open in them closes now, not after what follows
                raise
            finally:
                before.restore()
        finally:
            before.restore()


class _Before:
    """All that is put back."""

    def __init__(self, network: nn.Module, device: torch.device) -> None:
        self._restored = False
        self.state = OwnState(unwrapped(network))
        self.network = _Network(network)
        self._process = _Process()
        self._dice = _Dice(device)

    def restore(self) -> None:
        """Put everything back, unless that was done to the end."""
        if self._restored:
            return
        self._process.restore()
        self.state.restore()
        self.network.restore()
        self._dice.restore()
        self._restored = True


class _Network:
    """What modules hold, training flags and hooks among it, and which values and gradients parameters have."""

    def __init__(self, network: nn.Module) -> None:
        self._originals: list[tuple[Any, Any]] = []
        self._empty: list[Any] = []  # apart: most are, and copies would keep the garbage collector busy
        for module in network.modules():
            names = vars(module)
            self._originals.append((names, names.copy()))
            for value in names.values():
                if isinstance(value, HOLDERS):
                    if value:
                        self._originals.append((value, value.copy()))
                    else:
                        self._empty.append(value)
        self._parameters = [
            (parameter, parameter.data, parameter.requires_grad, parameter.grad, parameter._version)
            for parameter in network.parameters()
            if type(parameter) is nn.Parameter and not is_lazy(parameter) and not parameter.is_inference()
        ]

    def restore(self) -> None:
        for value, before in self._originals:
            _put_back(value, before)
        for value in self._empty:
            value.clear()
        for parameter, data, trainable, gradient, _ in self._parameters:
            if parameter.data_ptr() != data.data_ptr() or parameter.dtype != data.dtype:
                parameter.data = data
            if parameter.requires_grad != trainable:
                parameter.requires_grad_(trainable)
            if parameter.grad is not gradient:
                parameter.grad = gradient

    def check(self, state: OwnState, network: nn.Module, error: Exception | None = None) -> None:
        """Refuse weights that were changed by somebody else: what has been made is of neither network."""
        drifting = {id(parameter) for parameter in state.drifting}
        if any(
            parameter._version != version and id(parameter) not in drifting
            for parameter, *_, version in self._parameters
        ):
            raise RunFailed(
                f"The weights of {type(network).__name__} have changed while it was explained, as another thread that "
                f"trains it would change them. Explain a copy: copy.deepcopy(network)."
            ) from error


def _put_back(value: Any, before: Any) -> None:
    """Give a dict, list or set the items that it had; one that has them still isn't touched."""
    if isinstance(value, dict):
        if len(value) == len(before) and all(map(is_, value.values(), before.values())):
            return
        value.update(before)  # first, so that another thread finds all that was there
        for key in [key for key in value if key not in before]:
            del value[key]
    elif isinstance(value, list):
        if len(value) != len(before) or not all(map(is_, value, before)):
            value[:] = before
    elif len(value) != len(before):
        value.intersection_update(before)
        value.update(before)


class _Process:
    """Switches of PyTorch, for the thread or for all, and the functions that stand-ins replace for a while."""

    def __init__(self) -> None:
        # leaving inference mode is one step in C, which nothing interrupts
        self._inference = torch._C._InferenceMode(False) if torch.is_inference_mode_enabled() else None
        if self._inference is not None:
            self._inference.__enter__()
        self._gradients = torch.is_grad_enabled()
        self._casting = [(device, torch.is_autocast_enabled(device)) for device in AUTOCASTING]
        self._nested = torch.autocast_increment_nesting() - 1
        torch.autocast_decrement_nesting()
        self._cached = torch.is_autocast_cache_enabled()
        self._precision = torch.get_float32_matmul_precision()
        self._cudnn = torch.backends.cudnn.set_flags()  # sets none, and gives all
        self._default = torch.get_default_dtype()
        self._modes = torch._C._len_torch_function_stack()
        self._lower = torch._C._len_torch_dispatch_stack()
        self._functions = {name: getattr(checkpoint, name) for name in REPLACED if hasattr(checkpoint, name)}
        self._enter = torch.autocast.__enter__
        self._stance = getattr(sys.modules.get("torch._dynamo.eval_frame"), "_stance", None)

    def restore(self) -> None:
        while torch._C._len_torch_function_stack() > self._modes:
            torch._C._pop_torch_function_stack()
        while torch._C._len_torch_dispatch_stack() > self._lower:
            torch._C._pop_torch_dispatch_stack(None)
        for name, function in self._functions.items():
            setattr(checkpoint, name, function)
        torch.autocast.__enter__ = self._enter  # type: ignore[method-assign]
        if self._stance is not None:
            sys.modules["torch._dynamo.eval_frame"]._set_stance(self._stance)
        for device, cast in self._casting:
            if torch.is_autocast_enabled(device) != cast:
                torch.set_autocast_enabled(device, cast)
        while torch.autocast_increment_nesting() - 1 > self._nested:
            torch.autocast_decrement_nesting()
            torch.autocast_decrement_nesting()
        torch.autocast_decrement_nesting()
        torch.set_autocast_cache_enabled(self._cached)
        if torch.get_float32_matmul_precision() != self._precision:
            torch.set_float32_matmul_precision(self._precision)
        torch.backends.cudnn.set_flags(*self._cudnn)
        if torch.get_default_dtype() != self._default:
            torch.set_default_dtype(self._default)
        torch.set_grad_enabled(self._gradients)
        if self._inference is not None:
            self._inference.__exit__(None, None, None)
            self._inference = None


class _Dice:
    """The random numbers that a network may draw from: PyTorch's, NumPy's and Python's."""

    def __init__(self, device: torch.device) -> None:
        self._torch = torch.get_rng_state()
        self._device = device
        self._state: Tensor | None = None
        if device.type in ("cuda", "mps"):
            module = torch.get_device_module(device)
            self._state = module.get_rng_state(device) if device.type == "cuda" else module.get_rng_state()
        self._numpy = np.random.get_state()
        self._python = random.getstate()

    def restore(self) -> None:
        torch.set_rng_state(self._torch)
        if self._state is not None:
            module = torch.get_device_module(self._device)
            arguments = (self._state, self._device) if self._device.type == "cuda" else (self._state,)
            module.set_rng_state(*arguments)
        np.random.set_state(self._numpy)
        random.setstate(self._python)
