"""Checkpoints of PyTorch, read without running anything that is in them.

PyTorch's `weights_only` unpickler makes tensors and plain values, and refuses all other classes. Training scripts put
some beside the weights that hold values and do nothing: arguments, paths, dates, NumPy's numbers. Those are let in, for
one reading, as stand-ins of the same name: not even a class of that kind runs, whatever a file calls it with.
"""

import io
import pickletools
import re
import struct
import warnings
import zipfile
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch

from cnnvis_report.errors import BadRequest, brief

LEGACY_PICKLES = 5  # in a row, in files of the format before 1.6: magic number, protocol, system, content, keys
ADVICE = "Save the weights alone: torch.save(model.state_dict(), 'weights.pth')."

# what the unpickler knows by itself
KNOWN = (
    *("torch._utils.", "torch._tensor.", "torch.serialization.", "torch.storage.", "torch.nn.parameter.", "torch.Size"),
    *("torch.device", "torch.Tensor", "torch.float", "torch.bfloat", "torch.int", "torch.uint", "torch.bool"),
    *("torch.FloatStorage", "torch.HalfStorage", "torch.DoubleStorage", "torch.LongStorage", "torch.IntStorage"),
    *("torch.BoolStorage", "torch.ByteStorage", "torch.BFloat16Storage", "collections.", "_codecs.encode"),
    *("builtins.set", "builtins.complex", "builtins.bytearray"),
)
# what only holds values
VALUES = re.compile(
    r"argparse\.Namespace|types\.SimpleNamespace|pathlib(\._local)?\.\w*Path|decimal\.Decimal|fractions\.Fraction"
    r"|datetime\.(datetime|date|time|timedelta|timezone)|uuid\.UUID|typing\.\w+|omegaconf\.[\w.]+"
    r"|builtins\.(int|float|str|bool|bytes|tuple|frozenset|slice|range|list|dict)"
    r"|numpy\.(dtype|ndarray|dtypes\.\w+|(core|_core)\.(multiarray\.(scalar|_reconstruct)|numeric\._frombuffer))"
    r"|numpy\.(bool|int|uint|float|complex|str|bytes|datetime|timedelta|longdouble|clongdouble)\w*"
    r"|numpy\.random\.[\w.]+|numpy\.ma\.core\.\w+|torch\.torch_version\.TorchVersion"
)
MAPPINGS = (
    "collections.defaultdict",
    "lightning.fabric.utilities.data.AttributeDict",
    "lightning_fabric.utilities.data.AttributeDict",
    "pytorch_lightning.utilities.parsing.AttributeDict",
    "lightning.pytorch.utilities.parsing.AttributeDict",
    "lightning_utilities.core.apply_func.AttributeDict",
    "yacs.config.CfgNode",
    "fvcore.common.config.CfgNode",
    "easydict.EasyDict",
    "addict.addict.Dict",
    "munch.Munch",
    "timm.utils.misc.AttributeDict",
)
LISTS = ("collections.deque",)


class Inert:
    """Stands in for an object that holds values: keeps what it was made of, and does nothing with it."""

    def __init__(self, *made_of: Any, **_: Any) -> None:
        self.made_of = made_of
        self.state: Any = None

    def __new__(cls, *_: Any, **__: Any) -> "Inert":
        """Whatever it is called with."""
        return super().__new__(cls)

    def __setstate__(self, state: Any) -> None:
        self.state = state


class InertMapping:
    """Stands in for a dictionary of another kind: makes a plain one."""

    def __new__(cls, *_: Any, **__: Any) -> "OrderedDict[Any, Any]":  # type: ignore[misc]
        """A dictionary of the kind that the unpickler fills."""
        return OrderedDict()


class InertList:
    """Stands in for a list of another kind: makes a plain one."""

    def __new__(cls, *_: Any, **__: Any) -> list[Any]:  # type: ignore[misc]
        """A list, which the unpickler fills."""
        return []


def unpickle(path: Path, *, lenient: bool = False) -> object:
    """What a `.pt` or `.pth` file holds, on the CPU.

    Args:
        lenient: objects of any class are stood in for, not of those alone that are known to hold values; none is made.

    Raises:
        BadRequest: it can't be read, or holds a class that isn't known to be harmless, which is named.
    """
    names = list(globals_in(path))
    stand_ins = [_stand_in(name) for name in names if _kind(name) is not None or (lenient and not is_harmless(name))]
    try:
        with warnings.catch_warnings(), torch.serialization.safe_globals(stand_ins):
            warnings.simplefilter("ignore")  # what it warns of comes back as an error, or doesn't matter
            return _with_arrays(torch.load(path, map_location="cpu", weights_only=True))
    except UnpicklingError as error:
        raise BadRequest(f"{path}: {_refused(names, str(error))}") from error
    except (
        *(RuntimeError, EOFError, ValueError, KeyError, TypeError, AttributeError, IndexError, OSError),
        *(MemoryError, OverflowError, AssertionError, BufferError, struct.error),
    ) as error:
        raise BadRequest(f"{path}: isn't a checkpoint that PyTorch can read ({brief(error)}).") from error


def globals_in(path: Path) -> Iterator[str]:
    """The classes and functions that a checkpoint names, in order and each once; nothing is run or made."""
    seen: set[str] = set()
    try:
        for pickle in _pickles(path):
            for name in _named(pickle):
                if name not in seen:
                    seen.add(name)
                    yield name
    except Exception:  # no pickle, or a damaged one: to read it says so
        return


def _pickles(path: Path) -> Iterator[io.BufferedIOBase]:
    """The pickle within a checkpoint; those in a row of an old one, each begun where the last has ended."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith("/data.pkl"):
                    yield io.BytesIO(archive.read(name))
        return
    with path.open("rb") as file:
        for _ in range(LEGACY_PICKLES):
            yield file


def _named(pickle: io.BufferedIOBase) -> Iterator[str]:
    """What a pickle names by GLOBAL, or by two texts and STACK_GLOBAL."""
    texts: list[str] = []
    for code, argument, _ in pickletools.genops(pickle):  # type: ignore[arg-type]
        if code.name == "GLOBAL":
            module, _, name = str(argument).partition(" ")
        elif code.name == "STACK_GLOBAL" and len(texts) > 1:
            module, name = texts[-2:]
        else:
            if isinstance(argument, str):
                texts.append(argument)
            continue
        module, name = NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))
        yield f"{module}.{name}"


def is_harmless(name: str) -> bool:
    """Whether a class or function is one that holds values, or that the unpickler makes tensors with."""
    return _kind(name) is not None or name.startswith(KNOWN)


def _kind(name: str) -> type | None:
    """The stand-in that suits a class of this name; None where it isn't known to be harmless."""
    if name in MAPPINGS:
        return InertMapping
    if name in LISTS:
        return InertList
    return Inert if VALUES.fullmatch(name) else None


def _stand_in(name: str) -> Any:
    """A class of its own, called like the one in the file, as `safe_globals` looks for it."""
    module, _, class_name = name.rpartition(".")
    kind = _kind(name) or Inert
    return type(class_name, (kind,), {"__module__": module, "__qualname__": class_name})


def _refused(names: list[str], message: str) -> str:
    """Why a file wasn't opened, by what it holds."""
    strangers = [name for name in names if not is_harmless(name)]
    if any(name.startswith("torch.nn.modules.") for name in strangers):
        return (
            f"isn't a file of plain tensors: it holds a pickled network or a part of one ({strangers[0]}), which could "
            f"run any code when opened, so it was not. Where it was made: "
            f"torch.save(network.state_dict(), 'weights.pth')."
        )
    if any(name.startswith("torch.distributed.") for name in names):
        return (
            "holds one process's part of tensors that are spread over several (torch.distributed). Gather them where "
            "they were trained, into a full state dict."
        )
    if "Unsupported operand" in message and not strangers:
        return (
            "isn't a file of plain tensors as torch.save writes them (another pickle protocol), so it could only be "
            f"read by running what is in it. {ADVICE}"
        )
    blocked = re.search(r"GLOBAL (\S+)", message)
    named = next(iter(strangers), blocked[1] if blocked else "")
    if named:
        short_name = named.rpartition(".")[2]
        what = f"a {named} object" if short_name[:1].isupper() else f"a call of {named}"
        return (
            f"isn't a file of plain tensors: it holds {what}, which could run any code when opened, so it was not. "
            f"{ADVICE}"
        )
    return f"isn't a checkpoint that PyTorch can read without running what is in it. {ADVICE}"


def _with_arrays(content: object) -> object:
    """The content with NumPy arrays that stand-ins hold as tensors: some scripts keep their weights so."""
    if isinstance(content, Inert):
        array = _array(content)
        return content if array is None else array
    seen: set[int] = set()  # some dictionaries hold themselves, and some each other many times
    waiting = [content]
    while waiting:
        mapping = waiting.pop()
        if not isinstance(mapping, dict) or id(mapping) in seen:
            continue
        seen.add(id(mapping))
        for key, value in mapping.items():
            if isinstance(value, Inert):
                array = _array(value)
                mapping[key] = value if array is None else array
            elif isinstance(value, dict):
                waiting.append(value)
    return content


def _array(stand_in: Inert) -> torch.Tensor | None:
    """A tensor of a numeric array: shape, type, order and bytes, as NumPy pickles them; None for anything else."""
    try:
        _, shape, dtype, by_column, data = stand_in.state
        order = dtype.state[1] if dtype.state else "="
        flat = np.frombuffer(data, np.dtype(dtype.made_of[0]).newbyteorder(order))
        if flat.dtype.kind not in "fiub":
            return None
        values = flat.reshape(shape, order="F" if by_column else "C")
        return torch.from_numpy(values.astype(flat.dtype.newbyteorder("="), order="C"))
    except (TypeError, ValueError, AttributeError, IndexError):
        return None
