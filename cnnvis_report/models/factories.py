"""Networks of a user's own: `package.module:name` or `path/to/file.py:name`, a function, a class or a network."""

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from torch import nn

from cnnvis_report.errors import BadRequest, CnnVisError, EndsProgram, brief, nearest, shown
from cnnvis_report.isolation.diagnosis import check_open, missing_arguments
from cnnvis_report.isolation.eager import unwrap_inside, unwrapped
from cnnvis_report.isolation.module_tree import check_modules
from cnnvis_report.isolation.process_state import OF_FACTORIES, settings_restored, sys_path_kept
from cnnvis_report.isolation.user_code import (
    ends_program,
    redirect_user_output,
    register_network_files,
    shown_file,
    user_code_location,
)

Result = TypeVar("Result")
_loaded: dict[str, set[str]] = {}  # by a factory's place: modules that were there before it was asked
_brought: dict[str, set[str]] = {}  # by place: modules that came with it, whenever that was
DECLARED = ("class_names", "mean", "std", "size")


def is_factory(spec: str) -> bool:
    """Whether a text means a network of a user's own: a name within a module or a file."""
    module, _, name = spec.rpartition(":")
    return bool(module) and all(part.isidentifier() for part in name.split("."))


def make_network(spec: str) -> tuple[nn.Module, tuple[str, ...]]:
    """The network that `module:name` or `path/to/file.py:name` gives, unwrapped, and what of it a user has to know.

    Raises:
        BadRequest: it can't be had; the message says what went wrong, and where in the user's own file.
    """
    _loaded[spec.rpartition(":")[0]] = set(sys.modules)
    with sys_path_kept(), settings_restored(OF_FACTORIES) as changed:
        network = _made(spec)
    notice = f"{spec} changes {' and '.join(changed)} for the whole program; that is put back." if changed else ""
    return network, (notice,) if notice else ()


def function_at(spec: str) -> Callable[..., Any]:
    """The function, or callable object, that `module:name` or `path/to/file.py:name` names.

    Raises:
        BadRequest: there is none; the message says what went wrong, and where in the user's own file.
    """
    source, _, name = spec.rpartition(":")
    if not is_factory(spec):
        raise BadRequest(f"{shown(spec)} names no function; give package.module:function or path/to/file.py:function.")
    with sys_path_kept(), settings_restored(OF_FACTORIES):
        module = _module(spec, source)
        register_network_files({Path(getattr(module, "__file__", None) or "")})
        value = _guarded(spec, lambda: _attribute(spec, module, name))
    if isinstance(value, type):
        raise BadRequest(f"{spec} is a class; give a function, or an object of it that can be called.")
    if not callable(value):
        raise BadRequest(f"{spec} is of type {type(value).__name__}; a function is needed.")
    return value  # type: ignore[no-any-return]


def modules_of(source: str) -> list[ModuleType]:
    """The modules that came into the program with the factory of `source`, by whatever name they were asked for."""
    names = _brought.setdefault(source, set())
    names |= set(sys.modules) - _loaded.get(source, set(sys.modules))
    return [module for name in sorted(names) if isinstance(module := sys.modules.get(name), ModuleType)]


def module_of(source: str) -> ModuleType | None:
    """The module that a factory is in, once it has been imported from its name or file."""
    if source in sys.modules:
        return sys.modules[source]
    files = {
        path.resolve() for path in (Path(source).expanduser(), Path(f"{source}.py").expanduser()) if path.is_file()
    }
    names = {path.name for path in files}
    known = [(module, Path(getattr(module, "__file__", None) or "/")) for module in list(sys.modules.values())]
    return next((module for module, path in known if path.name in names and path.resolve() in files), None)


def _made(spec: str) -> nn.Module:
    source, _, name = spec.rpartition(":")
    module = _module(spec, source)
    register_network_files({Path(getattr(module, "__file__", None) or "")})
    result = _guarded(spec, lambda: _attribute(spec, module, name))
    if isinstance(result, type) or not isinstance(result, nn.Module):
        result = _called(spec, result)
    if not isinstance(result, nn.Module):
        hint = " Give torch.export.unflatten(program)." if type(result).__name__ == "ExportedProgram" else ""
        raise BadRequest(f"{spec}: returns a {type(result).__name__}; a torch.nn.Module is needed.{hint}")
    check_modules(result, spec)
    register_network_files(
        Path(getattr(sys.modules.get(type(part).__module__), "__file__", None) or "") for part in result.modules()
    )
    network = unwrapped(result)
    for attribute in DECLARED:  # what was said of the wrapper is meant of the network
        if attribute in vars(result) and not hasattr(network, attribute):
            setattr(network, attribute, vars(result)[attribute])
    unwrap_inside(network)
    check_open(network, spec)
    return network


def _module(spec: str, source: str) -> ModuleType:
    """The module, by name or from a file."""
    working_folder = str(Path.cwd())
    if working_folder not in sys.path:
        sys.path.insert(0, working_folder)  # as `python -m` does, so that a module of one's own is found
    path = next((path for path in (Path(source), Path(f"{source}.py")) if path.is_file()), None)
    if path is None and (source.endswith(".py") or "/" in source or "\\" in source):
        raise BadRequest(f"{spec}: there is no file {source}.{_nearest_file(source)}")
    if path is None and not all(part.isidentifier() for part in source.split(".")):
        raise BadRequest(f"{spec}: {source!r} is neither a module's name nor a file.")
    if path is not None and path.suffix != ".py":
        raise BadRequest(f"{spec}: {source} is no Python file.")
    return _guarded(spec, lambda: _from_file(path) if path else importlib.import_module(source), source)


def _from_file(path: Path) -> ModuleType:
    """A file as a module: within its package where it is part of one, so that relative imports work."""
    path = path.resolve()
    parts, top = [path.stem], path.parent
    while (top / "__init__.py").is_file():
        parts.insert(0, top.name)
        top = top.parent
    if str(top) not in sys.path:
        sys.path.insert(0, str(top))
    name = ".".join(parts)
    known = sys.modules.get(name)
    if known is None or Path(getattr(known, "__file__", None) or "").resolve() == path:
        module_spec = importlib.util.find_spec(name) if len(parts) > 1 else None
        if module_spec is not None or known is not None:
            return importlib.import_module(name)
    else:
        name = f"{name}@{path}"  # another file of this name is a module already
    module_spec = importlib.util.spec_from_file_location(name, path)
    if module_spec is None or module_spec.loader is None:
        raise ImportError(f"{path.name} can't be read as a module")
    module = importlib.util.module_from_spec(module_spec)
    sys.modules[name] = module
    try:
        module_spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[name]
        package = path.parent.name
        if len(parts) > 1 or not package.isidentifier() or "no known parent package" not in str(error):
            raise
        # the folder is a package to those who start above it, although it has no __init__.py
        sys.path.insert(0, str(path.parent.parent))
        return importlib.import_module(f"{package}.{path.stem}")
    return module


def _attribute(spec: str, module: ModuleType, path: str) -> Any:
    value: Any = module
    for name in path.split("."):
        if not hasattr(value, name):
            near = nearest(name, [known for known in vars(value) if not known.startswith("_")])
            hint = f" Did you mean {near!r}?" if near else ""
            owner = module.__name__.partition("@")[0] if value is module else path.rpartition(".")[0]
            raise BadRequest(f"{spec}: {owner} has no function {name!r}.{hint}")
        value = getattr(value, name)
    return value


def _called(spec: str, factory: Any) -> Any:
    name = spec.rpartition(":")[2]
    if not callable(factory):
        raise BadRequest(
            f"{spec}: {name} is of type {type(factory).__name__}; a function or a torch.nn.Module is needed."
        )
    if inspect.iscoroutinefunction(factory):
        raise BadRequest(f"{spec}: {name} is an async function; give a plain one that returns the network.")
    missing = missing_arguments(factory, 0)
    if missing:
        raise BadRequest(
            f"{spec}: can't be called without arguments ({missing}). Give a function that calls {name} with them."
        )
    return _guarded(spec, factory)


def _guarded(spec: str, action: Callable[[], Result], module: str = "") -> Result:
    """What somebody's code gives, or what went wrong in it, in one line.

    Args:
        module: its name, where it is being imported.
    """
    try:
        with redirect_user_output():
            return action()
    except CnnVisError:
        raise
    except SyntaxError as error:
        where = f"{shown_file(Path(error.filename))}:{error.lineno}" if error.filename else module
        raise BadRequest(f"{spec}: {where}: {error.msg} ({type(error).__name__}).") from error
    except ModuleNotFoundError as error:
        if module and error.name and f"{module}.".startswith(f"{error.name}."):
            raise BadRequest(
                f"{spec}: can't import {module!r} ({brief(error)}).{_nearest_file(f'{module}.py')} "
                f"Start in the folder that holds it, or give its path: path/to/file.py:name."
            ) from error
        raise BadRequest(f"{spec}: {_where(error)}imports {error.name!r}, which isn't installed here.") from error
    except SystemExit as error:
        raise EndsProgram(
            f"{spec}: {_where(error)}ends the program (SystemExit: {error.code}). Keep what a script does, such as "
            f"reading arguments, under: if __name__ == '__main__'."
        ) from error
    except KeyboardInterrupt:
        raise
    except Exception as error:
        raise BadRequest(f"{spec}: {_where(error)}{type(error).__name__}: {brief(error)}.") from error
    except BaseException as error:
        raise ends_program(error, spec, user_code_location(error)) from error


def _where(error: BaseException) -> str:
    location = user_code_location(error)
    return (
        f"{location} "
        if location and isinstance(error, SystemExit | ModuleNotFoundError)
        else f"{location}: "
        if location
        else ""
    )


def _nearest_file(source: str) -> str:
    """A hint at a file of nearly that name."""
    folder = Path(source).parent
    near = nearest(Path(source).stem, [path.stem for path in sorted(folder.glob("*.py"))]) if folder.is_dir() else None
    return f" Did you mean {folder / near}.py?" if near else ""
