"""Open a pickle, which runs the program that it is: for files that a user trusts."""

import pickle
import re
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import torch

from cnnvis_report.errors import BadRequest, EndsProgram
from cnnvis_report.isolation.process_state import OF_FACTORIES, settings_restored, sys_path_kept
from cnnvis_report.isolation.user_modules import guarded, user_module
from cnnvis_report.models.checkpoints.limits import check_limits

MAIN = "__main__"


def run_pickle(path: Path, definitions: str = "") -> Any:
    """What a pickle makes, on the CPU. Only after `ModelRequest.require_trust`.

    Args:
        definitions: `path/to/file.py:Class` or `package.module:Class` of the classes that a script has defined, which
            a pickle looks for in the program that opens it.

    Raises:
        BadRequest: it can't be opened here; the message says what is missing.
    """
    check_limits(path)
    with sys_path_kept(), settings_restored(OF_FACTORIES):
        module = user_module(definitions, definitions.rpartition(":")[0]) if definitions else None
        try:
            return guarded(path.name, lambda: _loaded(path, module))
        except EndsProgram:
            raise
        except BadRequest as error:
            raise _explained(path, error) from error


def _loaded(path: Path, module: ModuleType | None) -> Any:
    reader = SimpleNamespace(
        Unpickler=type("Unpickler", (_Unpickler,), {"definitions": module}), load=pickle.load, __name__="pickle"
    )
    try:
        return torch.load(path, map_location="cpu", weights_only=False, pickle_module=reader)
    except (RuntimeError, pickle.UnpicklingError):  # of pickle.dump, without torch.save
        with path.open("rb") as file:
            if not file.read(1) == b"\x80":
                raise
            file.seek(0)
            return reader.Unpickler(file).load()


class _Unpickler(pickle.Unpickler):
    """Looks for what a script has defined in a module that the user names."""

    definitions: ModuleType | None = None

    def find_class(self, module: str, name: str) -> Any:
        """The class or function of a pickle's name."""
        if module == MAIN and self.definitions is not None:
            value: Any = self.definitions
            for part in name.split("."):
                value = getattr(value, part)
            return value
        return super().find_class(module, name)


def _explained(path: Path, error: BadRequest) -> BadRequest:
    """What to do where a class can't be found."""
    missing = re.search(r"Can't get attribute '(\S+)' on <module '(\S+?)'", str(error))
    if missing is None:
        return error
    if missing[2].endswith(MAIN):  # python -m puts a package before it
        return BadRequest(
            f"{path.name}: its class {missing[1]} was defined in the script that made it. Name that with --arch: "
            f"--arch path/to/script.py:{missing[1]}"
        )
    return BadRequest(f"{path.name}: {missing[2]} has no {missing[1]} here; it was made with another version of it.")
