"""Networks of a user's own: `package.module:name` or `path/to/file.py:name`, a function, a class or a network."""

import inspect
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from cnnvis_report.errors import BadRequest
from cnnvis_report.isolation.diagnosis import check_open
from cnnvis_report.isolation.eager import unwrap_inside, unwrapped
from cnnvis_report.isolation.flat_programs import with_layers
from cnnvis_report.isolation.module_tree import check_modules
from cnnvis_report.isolation.process_state import OF_FACTORIES, settings_restored, sys_path_kept
from cnnvis_report.isolation.user_code import register_network_files
from cnnvis_report.isolation.user_modules import attribute_of, guarded, user_module
from cnnvis_report.models.home import from_home
from cnnvis_report.models.own_code.arguments import typed_arguments

_loaded: dict[str, set[str]] = {}  # by a factory's place: modules that were there before it was asked
_brought: dict[str, set[str]] = {}  # by place: modules that came with it, whenever that was
DECLARED = ("class_names", "mean", "std", "size")


@dataclass(frozen=True)
class FactoryResult:
    """A network of a user's own.

    settings: how it is used, by name, as its factory says. notices: what a user has to know, a sentence each.
    """

    network: nn.Module
    settings: Mapping[str, Any] = field(default_factory=dict)
    notices: tuple[str, ...] = ()


def is_factory(spec: str) -> bool:
    """Whether a text means a network of a user's own: a name within a module or a file."""
    module, _, name = spec.rpartition(":")
    return bool(module) and all(part.isidentifier() for part in name.split("."))


def make_network(
    spec: str, texts: Mapping[str, str] | None = None, known: Mapping[str, Any] | None = None
) -> FactoryResult:
    """The network that `module:name` or `path/to/file.py:name` gives, unwrapped.

    Args:
        texts: arguments of the function, as they were typed. known: others, by name, from elsewhere.

    Raises:
        BadRequest: it can't be had; the message says what went wrong, and where in the user's own file.
    """
    _loaded[spec.rpartition(":")[0]] = set(sys.modules)
    with sys_path_kept(), settings_restored(OF_FACTORIES) as changed:
        network, settings = _made(spec, texts or {}, known)
    notice = f"{spec} changes {' and '.join(changed)} for the whole program; that is put back." if changed else ""
    return FactoryResult(network, settings, (notice,) if notice else ())


def modules_of(source: str) -> list[ModuleType]:
    """The modules that came into the program with the factory of `source`, by whatever name they were asked for."""
    names = _brought.setdefault(source, set())
    names |= set(sys.modules) - _loaded.get(source, set(sys.modules))
    return [module for name in sorted(names) if isinstance(module := sys.modules.get(name), ModuleType)]


def module_of(source: str) -> ModuleType | None:
    """The module that a factory is in, once it has been imported from its name or file."""
    if source in sys.modules:
        return sys.modules[source]
    source = from_home(source)
    files = {path.resolve() for path in (Path(source), Path(f"{source}.py")) if path.is_file()}
    names = {path.name for path in files}
    known = [(module, Path(getattr(module, "__file__", None) or "/")) for module in list(sys.modules.values())]
    return next((module for module, path in known if path.name in names and path.resolve() in files), None)


def _made(spec: str, texts: Mapping[str, str], known: Mapping[str, Any] | None) -> tuple[nn.Module, Mapping[str, Any]]:
    source, _, name = spec.rpartition(":")
    module = user_module(spec, source)
    register_network_files({Path(getattr(module, "__file__", None) or "")})
    result = guarded(spec, lambda: attribute_of(spec, module, name))
    is_result = isinstance(result, nn.Module | tuple) and not isinstance(result, type)
    if is_result and texts:
        raise BadRequest(f"{spec}: {name} is a network already, no function: there is nothing to give --arg to.")
    if not is_result:
        result = _called(spec, result, texts, known)
    settings: Mapping[str, Any] = {}
    if isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], Mapping):
        result, settings = result
    if not isinstance(result, nn.Module):
        hint = " Give torch.export.unflatten(program)." if type(result).__name__ == "ExportedProgram" else ""
        raise BadRequest(
            f"{spec}: returns a {type(result).__name__}; a torch.nn.Module is needed, or it and a dictionary.{hint}"
        )
    return usable(result, spec), settings


def usable(result: nn.Module, spec: str) -> nn.Module:
    """The network within wrappers, once it is known to be one whose operations can be followed.

    Raises:
        BadRequest: it isn't.
    """
    check_modules(result, spec)
    register_network_files(
        Path(getattr(sys.modules.get(type(part).__module__), "__file__", None) or "") for part in result.modules()
    )
    network = with_layers(unwrapped(result))
    for attribute in DECLARED:  # what was said of the wrapper is meant of the network
        if attribute in vars(result) and not hasattr(network, attribute):
            setattr(network, attribute, vars(result)[attribute])
    unwrap_inside(network)
    check_open(network, spec)
    return network


def _called(spec: str, factory: Any, texts: Mapping[str, str], known: Mapping[str, Any] | None) -> Any:
    name = spec.rpartition(":")[2]
    if not callable(factory):
        raise BadRequest(
            f"{spec}: {name} is of type {type(factory).__name__}; a function or a torch.nn.Module is needed."
        )
    if inspect.iscoroutinefunction(factory):
        raise BadRequest(f"{spec}: {name} is an async function; give a plain one that returns the network.")
    arguments = typed_arguments(factory, texts, spec, known)
    return guarded(spec, lambda: factory(**arguments))
