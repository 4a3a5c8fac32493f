"""A checkpoint of Lightning: which it is, what its training was told, and what it says of its network."""

import argparse
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any

import torch
from torch import Tensor

from cnnvis_report.errors import BadRequest, shown
from cnnvis_report.models.checkpoints.limits import PICKLED, check_limits
from cnnvis_report.models.checkpoints.safe_unpickle import Inert

VERSION = "pytorch-lightning_version"
HYPER_PARAMETERS, NAME = "hyper_parameters", "hparams_name"
DEEPEST = 20  # values within values
LISTED = 8
PLAIN = (type(None), bool, int, float, str, bytes, Tensor, torch.dtype, torch.device, torch.Size)


def is_lightning(path: Path) -> bool:
    """Whether a file is a checkpoint of Lightning, by a key that it has; nothing is unpickled, and little is read."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            start = file.read(2)
        if start not in (b"PK", b"\x80\x02"):
            return False
        check_limits(path)
        return VERSION.encode() in _pickle_of(path, zipped=start == b"PK")
    except (BadRequest, OSError, zipfile.BadZipFile, NotImplementedError, ValueError, RuntimeError, EOFError):
        return False  # damaged: to read it says so


def _pickle_of(path: Path, *, zipped: bool) -> bytes:
    if not zipped:
        with path.open("rb") as file:
            return file.read(PICKLED)
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        if len(names) != 1:
            return b""
        with archive.open(names[0]) as entry:
            return entry.read(PICKLED)


class Values(dict[str, Any]):
    """Hyper-parameters as one argument: by attribute and by key."""

    def __getattr__(self, name: str) -> Any:
        """The value of that name."""
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(name) from error


class HyperParameters(Mapping[str, Any]):
    """What the training was told, by name; a value that isn't plain data is made when it is asked for.

    Args:
        content: of the checkpoint, read without running anything in it. make: gives the content as the program in the
            file makes it, or refuses to; is told which value needs it.
    """

    def __init__(self, content: Mapping[str, Any], make: Callable[[str], Mapping[str, Any]]) -> None:
        read = content.get(HYPER_PARAMETERS)
        self._values = read if isinstance(read, Mapping) else {}
        self._make = make
        name = content.get(NAME)
        # one argument that holds all of them: of save_hyperparameters(args), say
        self._whole = name if isinstance(name, str) and name not in ("", "kwargs", *self._values) else None

    def __getitem__(self, name: str) -> Any:
        """The value.

        Raises:
            KeyError: there is none. BadRequest: it isn't plain data, and the file isn't trusted.
        """
        if name == self._whole:
            return Values({key: self[key] for key in self._values})
        try:
            return plain(self._values[name])
        except TypeError as error:
            objects = self._make(f"its hyper-parameter {name}, {error},").get(HYPER_PARAMETERS)
            return objects[name]  # type: ignore[index] # a mapping, as it was one without its objects

    def __iter__(self) -> Iterator[str]:
        """The names."""
        yield from (name for name in self._values if isinstance(name, str))
        if self._whole:
            yield self._whole

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def described(self) -> list[str]:
        """The names, with the values that are short."""
        words = []
        for name, value in self._values.items():
            short = isinstance(value, bool | int | float | str) and len(str(value)) <= 40
            words.append(f"{name}={value}" if short else str(shown(name)).strip("'"))
        return words


def plain(value: Any, depth: int = DEEPEST) -> Any:
    """A value of plain data, with paths and namespaces made of their stand-ins.

    Raises:
        TypeError: it is something else; the message says what.
    """
    if depth < 0:
        raise TypeError("values within values without end")
    if isinstance(value, Mapping):
        return {plain(key, depth - 1): plain(inner, depth - 1) for key, inner in value.items()}
    if type(value) in (list, tuple, set, frozenset):
        return type(value)(plain(inner, depth - 1) for inner in value)
    if isinstance(value, Inert):
        return _of_stand_in(value, depth)
    if isinstance(value, PLAIN):
        return value
    raise TypeError(f"a {type(value).__module__}.{type(value).__qualname__}")


def _of_stand_in(value: Inert, depth: int) -> Any:
    name = f"{type(value).__module__}.{type(value).__qualname__}"
    if name in ("argparse.Namespace", "types.SimpleNamespace") and isinstance(value.state, Mapping):
        return argparse.Namespace(**{str(key): plain(inner, depth - 1) for key, inner in value.state.items()})
    if name.startswith("pathlib.") and all(isinstance(part, str) for part in value.made_of):
        return Path(PurePath(*value.made_of))
    raise TypeError(f"a {name}")


def last_weight(state: Mapping[str, Tensor]) -> str:
    """In words, the weight of the last layer, whose rows are the classes; empty where no tensor can be one."""
    name = next((name for name in reversed(list(state)) if state[name].ndim in (2, 4) and "weight" in name), None)
    return "" if name is None else f"{name}, {'×'.join(map(str, state[name].shape))}"
