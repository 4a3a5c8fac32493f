"""The code of networks and methods that somebody has written: the files that it is in, and those that these import."""

import ast
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from torch import nn

MOST_FILES = 500


def code_hash(files: Iterable[Path]) -> str:
    """A digest of what own files hold, whatever folder they lie in."""
    digest = sha256()
    for path in sorted(files, key=lambda each: (each.name, str(each))):
        digest.update(f"{path.name}\n".encode("utf-8", "replace"))
        digest.update(_code(path))
    return digest.hexdigest()[:32]


def network_files(network: nn.Module, spec: str = "") -> set[Path]:
    """The own files that a network's classes, and functions that were put into it, are written in.

    spec: what it was called by; the module of a factory counts, too.
    """
    functions = [each for module in network.modules() for each in _functions(module)]
    files = {Path(each.__code__.co_filename) for each in functions}
    factory = spec.rpartition(":")[0] or spec
    if factory in sys.modules:
        files.add(Path(getattr(sys.modules[factory], "__file__", None) or ""))
    elif factory.endswith(".py"):
        files.add(Path(factory).absolute())
    return _with_imports(files)


def method_files(function: Callable[..., Any]) -> set[Path]:
    """The own files that a method is written in."""
    code = getattr(function, "__code__", None)
    return _with_imports({Path(code.co_filename)} if code else ())


def _functions(module: nn.Module) -> Iterator[Any]:
    for holder in (vars(module), *(vars(kind) for kind in type(module).__mro__)):
        for value in holder.values():
            found = getattr(value, "__func__", getattr(value, "fget", value))
            if hasattr(found, "__code__"):
                yield found


def _with_imports(files: Iterable[Path]) -> set[Path]:
    """Own files, and all that they import, wherever in them, as far as it was imported and is somebody's own."""
    found: set[Path] = set()
    waiting = [path for path in files if _is_own(path)]
    loaded = {
        Path(file): name for name, module in list(sys.modules.items()) if (file := getattr(module, "__file__", None))
    }
    while waiting and len(found) < MOST_FILES:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        for name in _imported(path, loaded.get(path, "")):
            file = getattr(sys.modules.get(name), "__file__", None)
            if file and _is_own(Path(file)):
                waiting.append(Path(file))
    return found


def _imported(path: Path, own_name: str) -> Iterator[str]:
    """Full names of what a file imports; of `from a import b` both a and a.b."""
    try:
        tree = ast.parse(_read(path))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    package = own_name if path.name == "__init__.py" else own_name.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                parts = alias.name.split(".")
                yield from (".".join(parts[: end + 1]) for end in range(len(parts)))
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _is_own(path: Path) -> bool:
    """Whether a file is source, and neither Python's, nor of an installed package, nor of this one."""
    if path.suffix != ".py" or not path.is_file():
        return False
    if {"site-packages", "dist-packages"} & set(path.parts):
        return False
    other = [Path(sysconfig.get_path("stdlib")), Path(__file__).parents[1]]
    return not any(path.is_relative_to(folder) for folder in other)


def _code(path: Path) -> bytes:
    """What a file says, without its comments and layout, which decide nothing."""
    try:
        return ast.unparse(ast.parse(_read(path))).encode("utf-8", "replace")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _read(path)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
