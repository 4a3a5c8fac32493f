"""Looks over a program of torch.export: PyTorch's own loader evaluates texts in it, and looks up any function by name.

Symbolic sizes are evaluated as Python by sympy, the targets of nodes are looked up in the whole of torch, descriptions
of arguments may import modules, and sample inputs, some weights and custom objects are pickles. So only what a network
needs is let through, and the rest of it is left out.
"""

import json
import math
import re
from collections.abc import Iterator
from typing import Any

OPERATION = re.compile(r"torch\.ops\.(aten|torchvision|prims)\.(\w+)(\.\w+)?")
ARITHMETIC = re.compile(
    r"_operator\.(add|sub|mul|floordiv|truediv|mod|neg|getitem|eq|ne|lt|le|gt|ge|and_|or_)"
    r"|math\.(ceil|floor|trunc)|torch\.sym_(int|max|min|float|not|ite)"
)
REACH_OUTSIDE = {"from_file"}  # of aten: they read or write files
UNSAFE = {"set_", "set", "resize_", "resize_as_", "_resize_output_"}  # they may leave what a tensor holds
SYMBOL = re.compile(r"[su]\d{1,9}")
SIZE_WORDS = {"Symbol", "integer", "positive", "nonnegative", "True", "False", "FloorDiv", "CeilDiv", "CleanDiv", "Mod"}
SIZE_WORDS |= {"PythonMod", "ModularIndexing", "Max", "Min", "IntTrueDiv", "TruncToInt", "CeilToInt", "FloorToInt"}
SIZE = re.compile(r"[\w\s+\-*/(),='<>]{1,500}")
STRUCTURES = {None, "builtins.tuple", "builtins.list", "builtins.dict"}
CONTEXT = re.compile(r'null|\[("\w{1,100}"(, )?)*\]')
OBJECTS = {"as_custom_obj", "as_opaque", "as_graph", "as_graphs", "custom_obj", "script_object"}
LARGEST = 1 << 30  # numbers of one tensor


def unsafe_part(program: dict[str, Any]) -> str:
    """What in a program could do more than compute, in words; empty where nothing can.

    Args:
        program: the content of its `models/model.json`.
    """
    for key, value in _entries(program):
        fault = _fault(key, value)
        if fault:
            return fault
    for symbol in program.get("range_constraints") or {}:
        if not SYMBOL.fullmatch(symbol):
            return f"its size {symbol[:80]!r}"
    return ""


def _fault(key: str, value: Any) -> str:
    if key in ("target", "as_operator") and not _is_known(value):
        return f"its operation {str(value)[:80]!r}"
    if key == "expr_str" and not _is_size(value):
        return f"its size {str(value)[:80]!r}"
    if key in ("in_spec", "out_spec") and value and not _is_structure(value):
        return "the structure of its arguments"
    if key in OBJECTS and value is not None:
        return f"an object in it ({key})"
    if key == "as_ints" and isinstance(value, list) and not _fits(value):
        return "a size in it, which no memory would hold,"
    return ""


def _is_known(target: object) -> bool:
    """Whether a node's target is an operation on tensors, or arithmetic of sizes."""
    if not isinstance(target, str):
        return target is None
    match = OPERATION.fullmatch(target)
    return bool(ARITHMETIC.fullmatch(target)) or (match is not None and match[2] not in REACH_OUTSIDE | UNSAFE)


def _is_size(text: object) -> bool:
    """Whether a text is arithmetic of symbols and small numbers, and nothing else that Python would evaluate."""
    if not isinstance(text, str) or not SIZE.fullmatch(text) or "**" in text:
        return False
    words = re.findall(r"\w+", text)
    return all(word in SIZE_WORDS or SYMBOL.fullmatch(word) or (word.isdecimal() and len(word) < 19) for word in words)


def _is_structure(text: object) -> bool:
    """Whether a description of arguments has tuples, lists and dictionaries with plain keys alone."""
    try:
        structure = json.loads(str(text))
    except (ValueError, RecursionError):
        return False
    return all(
        (key != "type" or value in STRUCTURES)
        and (key != "context" or value is None or bool(CONTEXT.fullmatch(str(value))))
        for key, value in _entries(structure)
    )


def _fits(sides: list[Any]) -> bool:
    numbers = [abs(side) for side in sides if isinstance(side, int)]
    return math.prod(max(number, 1) for number in numbers[:64]) <= LARGEST


def _entries(value: Any) -> Iterator[tuple[str, Any]]:
    """Every key of every dictionary in a value, at any depth."""
    waiting = [value]
    while waiting:
        current = waiting.pop()
        if isinstance(current, dict):
            yield from current.items()
            waiting += current.values()
        elif isinstance(current, list):
            waiting += current


def reduced(program: dict[str, Any]) -> dict[str, Any]:
    """The program without what nothing here reads: where it was written, and guards, which are code."""
    program["guards_code"] = []
    for key, value in _entries(program):
        if key == "metadata" and isinstance(value, dict):
            for name in [name for name in value if name != "nn_module_stack"]:
                del value[name]
    return program
