"""The code of networks and methods that somebody has written: the files that it is in, and those that these import."""

import ast
import inspect
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache, partial
from hashlib import sha256
from pathlib import Path
from types import FunctionType, MethodType, ModuleType
from typing import Any

from torch import nn

from cnnvis_report.models.own_code.factories import module_of, modules_of

MOST_FILES = 500


def code_hash(files: Iterable[Path]) -> str:
    """A digest of what own files hold, whatever folder they lie in."""
    digest = sha256()
    for path in sorted(files, key=lambda path: (path.name, str(path))):
        digest.update(f"{path.name}\n".encode("utf-8", "replace"))
        digest.update(_code(_read(path)))
    return digest.hexdigest()[:32]


def network_files(network: nn.Module, spec: str = "") -> set[Path]:
    """The own files that a network's classes, and functions that were put into it, are written in.

    With them all that these reach by their globals or import, and what came into the program beside them.

    Args:
        spec: what it was called by; the module of a factory counts, too.
    """
    functions = [function for module in network.modules() for function in _functions(module)]
    name = spec.rpartition(":")[0]
    factory = module_of(name) if name else None
    beside = modules_of(name) if name else []
    modules = [*([factory] if factory else []), *beside]
    return _with_imports({*_reached([*functions, *modules]), *_files_of(functions)})


def method_files(function: Callable[..., Any]) -> set[Path]:
    """The own files that a method is written in."""
    return _with_imports(_reached([function]))


def _functions(module: nn.Module) -> Iterator[Any]:
    for holder in (vars(module), *(vars(kind) for kind in type(module).__mro__)):
        for value in holder.values():
            function = getattr(value, "__func__", getattr(value, "fget", value))
            if hasattr(function, "__code__"):
                yield function


def _files_of(functions: Iterable[Any]) -> set[Path]:
    return {Path(name) for name in {function.__code__.co_filename for function in functions}}


def _reached(start: Iterable[Any]) -> set[Path]:
    """The own files of functions and modules, and of what their globals hold, however that came there."""
    files: set[Path] = set()
    seen: set[int] = set()
    waiting = list(start)
    while waiting and len(files) < MOST_FILES:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        value = inspect.unwrap(value) if isinstance(value, FunctionType) else value
        if isinstance(value, FunctionType):
            path, inner = Path(value.__code__.co_filename), value.__globals__
        elif isinstance(value, ModuleType):
            path, inner = Path(getattr(value, "__file__", None) or ""), vars(value)
        elif isinstance(value, type):
            path, inner = _module_file(value), {}
            waiting += vars(value).values() if _is_own(path) else ()
        else:
            waiting += _held(value)
            continue
        if _is_own(path):
            files.add(path)
            waiting += list(inner.values()) if id(inner) not in seen else ()
            seen.add(id(inner))
    return files


def _held(value: Any) -> Iterable[Any]:
    """Functions and classes within others' wrappers and in tables of them."""
    if isinstance(value, partial):
        return (value.func,)
    if isinstance(value, staticmethod | classmethod | MethodType):
        return (value.__func__,)
    parts = value.values() if type(value) is dict else value if type(value) in (list, tuple) else ()
    return [part for part in parts if isinstance(part, FunctionType | type | ModuleType | partial)]


def _module_file(kind: type) -> Path:
    return Path(getattr(sys.modules.get(kind.__module__), "__file__", None) or "")


def _with_imports(start: Iterable[Path]) -> set[Path]:
    """Own files, and all that they import, wherever in them, as far as it was imported and is somebody's own."""
    files: set[Path] = set()
    waiting = [path for path in start if _is_own(path)]
    loaded = _loaded() if waiting else {}
    while waiting and len(files) < MOST_FILES:
        path = waiting.pop()
        if path in files:
            continue
        files.add(path)
        for name in _imported(path, loaded.get(path, "")):
            file = getattr(sys.modules.get(name), "__file__", None)
            if file and _is_own(Path(file)):
                waiting.append(Path(file))
    return files


def _loaded() -> dict[Path, str]:
    """Full names of the modules of the process, thousands of them, by the files that they are of."""
    modules = [(name, getattr(module, "__file__", None)) for name, module in list(sys.modules.items())]
    return {_path(file): name for name, file in modules if file}


def _imported(path: Path, own_name: str) -> Iterator[str]:
    """Full names of what a file imports; of `from a import b` both a and a.b."""
    package = own_name if path.name == "__init__.py" else own_name.rpartition(".")[0]
    for node in _import_statements(_read(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                parts = alias.name.split(".")
                yield from (".".join(parts[: end + 1]) for end in range(len(parts)))
        else:
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


@lru_cache(MOST_FILES)
def _import_statements(content: bytes) -> tuple[ast.Import | ast.ImportFrom, ...]:
    """A file's, wherever in it they stand; none where it can't be parsed."""
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    return tuple(node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom))


@cache
def _path(file: str) -> Path:
    return Path(file)


@cache
def _is_own(path: Path) -> bool:
    """Whether a file is source, and neither Python's, nor of an installed package, nor of this one."""
    if path.suffix != ".py" or not path.is_file():
        return False
    if {"site-packages", "dist-packages"} & set(path.parts):
        return False
    other = [Path(sysconfig.get_path("stdlib")), Path(__file__).parents[2]]
    return not any(path.is_relative_to(folder) for folder in other)


@lru_cache(MOST_FILES)
def _code(content: bytes) -> bytes:
    """What a file says, without its comments and layout, which decide nothing."""
    try:
        return ast.unparse(ast.parse(content)).encode("utf-8", "replace")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return content


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
