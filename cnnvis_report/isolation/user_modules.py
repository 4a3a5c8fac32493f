"""Modules of a user's own: imported by name or from a file, with whatever goes wrong in one line."""

import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from cnnvis_report.errors import BadRequest, CnnVisError, EndsProgram, brief, nearest
from cnnvis_report.isolation.user_code import ends_program, redirect_user_output, shown_file, user_code_location

Result = TypeVar("Result")


def user_module(spec: str, source: str) -> ModuleType:
    """The module of a user's own, by name or from a file.

    Raises:
        BadRequest: there is none, or it can't be imported.
    """
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
    return guarded(spec, lambda: _from_file(path) if path else importlib.import_module(source), source)


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


def attribute_of(spec: str, module: ModuleType, path: str) -> Any:
    """What is called by a dotted name within a module.

    Raises:
        BadRequest: nothing is; the message names the nearest.
    """
    value: Any = module
    for name in path.split("."):
        if not hasattr(value, name):
            near = nearest(name, [known for known in vars(value) if not known.startswith("_")])
            hint = f" Did you mean {near!r}?" if near else ""
            owner = module.__name__.partition("@")[0] if value is module else path.rpartition(".")[0]
            raise BadRequest(f"{spec}: {owner} has no function {name!r}.{hint}")
        value = getattr(value, name)
    return value


def guarded(spec: str, action: Callable[[], Result], module: str = "") -> Result:
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
