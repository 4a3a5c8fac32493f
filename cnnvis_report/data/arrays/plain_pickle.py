"""Pickles of plain values and NumPy arrays, read without Python's unpickler: nothing in a file can run."""

import pickletools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cnnvis_report.errors import CnnVisError

MOST_STEPS = 5_000_000
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
VALUES = {
    *("INT", "LONG", "BININT", "BININT1", "BININT2", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
    *("BYTEARRAY8",),
}
OLD_TEXTS = {"STRING", "BINSTRING", "SHORT_BINSTRING"}  # of Python 2, where they are bytes too
PASSED = {"PROTO", "FRAME"}


class NotPlain(CnnVisError):
    """A pickle that holds something else than plain values and arrays; the message says what."""


@dataclass
class Reduced:
    """What a pickle makes by calling something, which isn't called: its name, its arguments and its state."""

    name: str
    arguments: Any
    state: Any = None


class _Mark:
    """Where a collection begins on the stack."""


@dataclass
class _Machine:
    """What a pickle's steps work on."""

    stack: list[Any] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)

    def since_mark(self) -> list[Any]:
        """The values above the last mark, which goes too."""
        at = max(index for index, value in enumerate(self.stack) if isinstance(value, _Mark))
        values = self.stack[at + 1 :]
        del self.stack[at:]
        return values

    def set_items(self, pairs: list[Any]) -> None:
        """Put values into the dictionary on top by their keys, which are texts or whole numbers."""
        target = self.stack[-1]
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            if not isinstance(key, str | bytes | int) or not isinstance(target, dict):
                raise NotPlain("a dictionary whose keys are no texts")
            target[key] = value

    def extend(self, values: list[Any]) -> None:
        """Put values at the end of the list on top."""
        if not isinstance(self.stack[-1], list):
            raise NotPlain("values that are added to what is no list")
        self.stack[-1].extend(values)

    def wrap(self, count: int) -> None:
        """Make a tuple of the last values."""
        values = tuple(self.stack[-count:])
        del self.stack[-count:]
        self.stack.append(values)

    def reduce(self) -> None:
        """Note a call; one that only writes bytes down as Python 3 does for Python 2 gives the bytes."""
        arguments, name = self.stack.pop(), self.stack.pop()
        if name == "_codecs encode" and isinstance(arguments, tuple) and arguments and isinstance(arguments[0], str):
            self.stack.append(arguments[0].encode("latin-1"))
            return
        self.stack.append(Reduced(name if isinstance(name, str) else "something", arguments))

    def build(self) -> None:
        """Note a state."""
        state = self.stack.pop()
        if not isinstance(self.stack[-1], Reduced):
            raise NotPlain("an object with a state")
        self.stack[-1].state = state

    def name_of_stack(self) -> None:
        """Note a name whose parts are on the stack."""
        name, module = self.stack.pop(), self.stack.pop()
        self.stack.append(f"{module} {name}")


STEPS: dict[str, Callable[[_Machine, Any], object]] = {
    "MARK": lambda machine, _: machine.stack.append(_Mark()),
    "EMPTY_DICT": lambda machine, _: machine.stack.append({}),
    "EMPTY_LIST": lambda machine, _: machine.stack.append([]),
    "EMPTY_TUPLE": lambda machine, _: machine.stack.append(()),
    "DICT": lambda machine, _: _dictionary(machine),
    "LIST": lambda machine, _: machine.stack.append(machine.since_mark()),
    "TUPLE": lambda machine, _: machine.stack.append(tuple(machine.since_mark())),
    "TUPLE1": lambda machine, _: machine.wrap(1),
    "TUPLE2": lambda machine, _: machine.wrap(2),
    "TUPLE3": lambda machine, _: machine.wrap(3),
    "APPEND": lambda machine, _: machine.extend([machine.stack.pop()]),
    "APPENDS": lambda machine, _: machine.extend(machine.since_mark()),
    "SETITEM": lambda machine, _: machine.set_items([*reversed([machine.stack.pop(), machine.stack.pop()])]),
    "SETITEMS": lambda machine, _: machine.set_items(machine.since_mark()),
    "GLOBAL": lambda machine, name: machine.stack.append(name),
    "STACK_GLOBAL": lambda machine, _: machine.name_of_stack(),
    "REDUCE": lambda machine, _: machine.reduce(),
    "BUILD": lambda machine, _: machine.build(),
    "POP": lambda machine, _: machine.stack.pop(),
    "MEMOIZE": lambda machine, _: machine.memo.__setitem__(len(machine.memo), machine.stack[-1]),
    **{name: lambda machine, at: machine.memo.__setitem__(at, machine.stack[-1])
       for name in ("PUT", "BINPUT", "LONG_BINPUT")},
    **{name: lambda machine, at: machine.stack.append(machine.memo[at]) for name in ("GET", "BINGET", "LONG_BINGET")},
}  # fmt: skip


def _dictionary(machine: _Machine) -> None:
    pairs = machine.since_mark()
    machine.stack.append({})
    machine.set_items(pairs)


def read_plain(content: bytes) -> Any:
    """The value of a pickle. Calls in it are `Reduced`; texts of Python 2 are bytes.

    Raises:
        NotPlain: it is damaged, too long, or has a step that plain values don't need.
    """
    machine = _Machine()
    try:
        for number, (step, argument, _) in enumerate(pickletools.genops(content)):
            if number > MOST_STEPS:
                raise NotPlain(f"more than {MOST_STEPS:,} steps")
            if step.name == "STOP":
                return machine.stack.pop()
            if step.name in VALUES:
                machine.stack.append(argument)
            elif step.name in CONSTANTS:
                machine.stack.append(CONSTANTS[step.name])
            elif step.name in OLD_TEXTS:
                machine.stack.append(str(argument).encode("latin-1"))
            elif step.name in STEPS:
                STEPS[step.name](machine, argument)
            elif step.name not in PASSED:
                raise NotPlain(f"a step that plain values don't need ({step.name})")
    except NotPlain:
        raise
    except Exception as error:  # a damaged pickle raises whatever comes
        raise NotPlain("damaged") from error
    raise NotPlain("damaged")


def array_bytes(value: Any) -> tuple[tuple[int, ...], str, bytes] | None:
    """(sides, kind of number, values) of a pickled array; None where it is none, or is in another order."""
    if not isinstance(value, Reduced):
        return None
    try:
        if value.name.endswith("multiarray _reconstruct"):
            _, shape, dtype, by_columns, content = value.state
        elif value.name.endswith("numeric _frombuffer"):
            content, dtype, shape, order = value.arguments
            by_columns = order == "F" and len(shape) > 1
        else:
            return None
        kind = dtype.arguments[0]
        sides = tuple(int(side) for side in shape)
        text = kind.decode() if isinstance(kind, bytes) else str(kind)
        return None if by_columns else (sides, text, bytes(content))
    except Exception:  # parts of other kinds
        return None
