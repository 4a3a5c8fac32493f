"""What methods say of themselves, read from their files without running them: lists and help need no torch."""

import ast
from importlib.resources import files

from cnnvis_report.extensions.entry_points import installed
from cnnvis_report.extensions.registry import Registry
from cnnvis_report.methods import options, registry
from cnnvis_report.methods.registry import METHODS, Method, method, methods
from cnnvis_report.records import methods as records


def catalog() -> tuple[Method, ...]:
    """All methods by name; torch is imported only where an installed package adds methods, which needs it itself."""
    if installed(METHODS.group):
        return methods()
    declared = Registry[Method]("method")
    for file in files("cnnvis_report.methods").iterdir():
        if file.name.endswith(".py"):
            _declare(
                file.read_text(encoding="utf-8"), f"cnnvis_report.methods.{file.name.removesuffix('.py')}", declared
            )
    return tuple(entry for _, entry in sorted(declared.entries().items()))


def _declare(source: str, module: str, into: Registry[Method]) -> None:
    """Announce the methods of a file by their decorators, signatures and docstrings, without imports and bodies."""
    if "@method(" not in source:
        return
    tree = ast.parse(source)
    tree.body = [node for node in tree.body if _is_literal(node) or _is_method(node)]
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            node.body, node.returns = node.body[:1], None  # the docstring
            for argument in (*node.args.args, *node.args.kwonlyargs):
                argument.annotation = None
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call):
                    decorator.keywords.append(ast.keyword("registry", ast.Name("_into", ast.Load())))
    names = {**vars(records), **vars(options), **vars(registry), "method": method, "_into": into, "__name__": module}
    exec(compile(ast.fix_missing_locations(tree), module, "exec"), names)


def _is_method(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and any(
        isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "method" for decorator in node.decorator_list
    )


def _is_literal(node: ast.stmt) -> bool:
    """Whether a statement gives a name to a plain value, which a decorator may use."""
    if not isinstance(node, ast.Assign):
        return False
    try:
        ast.literal_eval(node.value)
    except ValueError:
        return False
    return True
