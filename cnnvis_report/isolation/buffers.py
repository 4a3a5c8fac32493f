"""What a network keeps beside its weights, and weights that its own passes write to: each pass begins with the same."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

PLAIN = (Tensor, bool, int, float, type(None))

Slot = tuple[dict[str, Any], str]


class OwnState:
    """What passes of a network may change: buffers, numbers and tensors among its attributes, and its parameters.

    The network works on copies, so that each pass begins with the same and leaves no trace. Of parameters a copy is
    made when the first pass is about to write to one; later passes get copies of these beforehand.
    """

    def __init__(self, network: nn.Module) -> None:
        self._slots: list[Slot] = [slot for module in network.modules() for slot in _slots(module)]
        self._moved: list[Slot] = []
        self._watched = [parameter for parameter in network.parameters() if type(parameter) is nn.Parameter]
        self.drifting: list[nn.Parameter] = []
        self._written: list[tuple[nn.Parameter, Tensor, Tensor]] = []  # what it held, and a copy

    @contextmanager
    def working_copies(self) -> Iterator[None]:
        """Copies stand in for tensors while it is open; afterwards everything is as it was."""
        before = [(tensors, name, tensors[name]) for tensors, name in self._slots]
        copies: dict[int, Tensor] = {}  # one tensor under two names stays one
        for tensors, name, value in before:
            if isinstance(value, Tensor):
                tensors[name] = copies.setdefault(id(value), value.detach().clone())
        versions = {key: copy._version for key, copy in copies.items()}
        originals = [(parameter, parameter.data) for parameter in self.drifting]
        for parameter, value in originals:
            parameter.data = value.clone()
        try:
            with _Writes(self._watched, self._written) if self._watched else nullcontext():
                yield
        finally:
            self._moved = []
            for tensors, name, value in before:
                lent = copies.get(id(value), value)
                moved = isinstance(lent, Tensor) and lent._version != versions[id(value)]
                if moved or tensors.get(name, self) is not lent:
                    self._moved.append((tensors, name))
                tensors[name] = value
            for parameter, value in originals:
                parameter.data = value
            self.restore()

    def restore(self) -> None:
        """Put back what the first pass has written to parameters."""
        for parameter, value, copy in self._written:
            value.copy_(copy)
            parameter.data = value
            if all(other is not parameter for other in self.drifting):
                self.drifting.append(parameter)
        self._written.clear()

    def keep_changed_only(self) -> None:
        """Look after nothing but what the last pass has changed: the rest isn't worth copying each time."""
        self._slots, self._watched = self._moved, []


def _slots(module: nn.Module) -> Iterator[Slot]:
    for name, value in module._buffers.items():
        if isinstance(value, Tensor):
            yield module._buffers, name
    for name, value in vars(module).items():
        if isinstance(value, PLAIN) and name != "training":
            yield vars(module), name


class _Writes(TorchFunctionMode):
    """While it is open, copies parameters that an operation may be about to write to.

    Args:
        written: they are added to it, with what they hold and the copy.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], written: list[tuple[nn.Parameter, Tensor, Tensor]]) -> None:
        super().__init__()
        self._parameters = {parameter.untyped_storage()._cdata: (parameter, parameter.data) for parameter in parameters}
        self._written = written

    def __torch_function__(
        self, function: Callable[..., Any], types: Sequence[type], args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        """Run the function, after a look at what it may write to."""
        keywords = kwargs or {}
        if _may_write(function) or "out" in keywords:
            self._look([*args, *keywords.values()])
        return function(*args, **keywords)

    def _look(self, targets: Iterable[Any]) -> None:
        for tensor in targets:
            if isinstance(tensor, list | tuple):
                self._look(tensor)
            elif isinstance(tensor, Tensor) and tensor.layout is torch.strided:
                parameter, value = self._parameters.pop(tensor.untyped_storage()._cdata, (None, None))
                if parameter is not None and value is not None:
                    self._written.append((parameter, value, value.clone()))

    def __exit__(self, *error: Any) -> None:
        """Let go of copies that weren't needed, and find parameters that were given another tensor."""
        super().__exit__(*error)  # type: ignore[no-untyped-call]
        self._written[:] = [write for write in self._written if not torch.equal(write[1], write[2])]
        for parameter, value in self._parameters.values():
            if parameter.data_ptr() != value.data_ptr():
                self._written.append((parameter, value, value))


@cache
def _may_write(function: Any) -> bool:
    """Whether a function works in place, by its name: add_, __setitem__, __iadd__, torch._foreach_add_."""
    name = getattr(function, "__name__", "")
    return name in ("__setitem__", "backward") or name.startswith("__i") or name.rstrip("_") + "_" == name
