"""The archive that torch.export.save writes: what it holds, and a copy of it that is safe to load."""

import io
import json
import math
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cnnvis_report.errors import BadRequest
from cnnvis_report.models.checkpoints.torch_archives import names_in, opened_archive
from cnnvis_report.models.loader import ModelRequest

PROGRAM, WEIGHTS, CONSTANTS = "models/model.json", "data/weights/", "data/constants/"
TABLES = (f"{WEIGHTS}model_weights_config.json", f"{CONSTANTS}model_constants_config.json")
SAMPLES = "data/sample_inputs/model.pt"
COPIED = ("archive_format", "archive_version", "byteorder", ".data/version")
LONGEST = 1 << 28  # bytes of a program
OLD = "serialized_exported_program.json"
ITEM_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 2, 7: 4, 8: 8, 9: 4, 10: 8, 11: 16, 12: 1, 13: 2}  # by PyTorch's numbers
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


def is_program(path: Path) -> bool:
    """Whether a file is an archive of torch.export, by the names in it."""
    names = names_in(path)
    ends = {name.partition("/")[2] for name in names}
    return PROGRAM in ends or OLD in names or any(name.startswith("data/aotinductor/") for name in ends)


def safe_copy(path: Path, request: ModelRequest) -> io.BytesIO:
    """The archive with what a network is made of, and nothing in it that could run.

    Raises:
        BadRequest: it can't be read, or something in it could run and isn't trusted.
    """
    with opened_archive(path) as archive:
        return _copied(archive, path, request)


def _copied(archive: zipfile.ZipFile, path: Path, request: ModelRequest) -> io.BytesIO:
    names = {name.partition("/")[2]: name for name in archive.namelist()}
    if PROGRAM not in names:
        what = "is compiled by AOTInductor" if OLD not in archive.namelist() else "is of PyTorch before 2.8"
        raise BadRequest(f"{path}: {what}, which isn't read. Save it again: torch.export.save(program, 'network.pt2').")
    program = _read_json(archive, names[PROGRAM], path)
    fault = unsafe_part(program)
    if fault:
        request.require_trust(fault)
    copy = io.BytesIO()
    with zipfile.ZipFile(copy, "w", zipfile.ZIP_STORED) as target:
        for entry in COPIED:
            if entry in names:
                target.writestr(f"program/{entry}", archive.read(names[entry]))
        target.writestr(f"program/{PROGRAM}", json.dumps(program if fault else reduced(program)))
        target.writestr(f"program/{SAMPLES}", b"")
        for table in TABLES:
            _copy_tensors(archive, target, names, table, request, path)
    copy.seek(0)
    return copy


def _read_json(archive: zipfile.ZipFile, name: str, path: Path) -> dict[str, Any]:
    if archive.getinfo(name).file_size > LONGEST:
        raise BadRequest(f"{path}: its {name} is too long for a network's.")
    value = json.loads(archive.read(name))
    if not isinstance(value, dict):
        raise BadRequest(f"{path}: is damaged: its {name} is no dictionary.")
    return value


def _copy_tensors(
    archive: zipfile.ZipFile,
    target: zipfile.ZipFile,
    names: dict[str, str],
    table: str,
    request: ModelRequest,
    path: Path,
) -> None:
    """Copy the tensors that a table names, each of which has to be as large as it says."""
    folder = table.rpartition("/")[0]
    entries = _read_json(archive, names[table], path)
    target.writestr(f"program/{table}", json.dumps(entries))
    copied = set()
    for key, entry in entries["config"].items():
        source = f"{folder}/{entry['path_name']}"
        if entry["use_pickle"] or not entry["path_name"].startswith(("weight_", "tensor_")):
            request.require_trust(f"its {key}, a pickle,")
        else:
            _check_tensor(entry["tensor_meta"], archive.getinfo(names[source]).file_size, key, path)
        if source not in copied:
            copied.add(source)
            target.writestr(f"program/{source}", archive.read(names[source]))


def _check_tensor(tensor: dict[str, Any], size: int, key: str, path: Path) -> None:
    count = 1
    for side in tensor["sizes"]:
        count *= int(side["as_int"])
    if not 0 <= count * ITEM_SIZES.get(tensor["dtype"], 1) <= size:
        raise BadRequest(f"{path}: is damaged: its {key} doesn't have the {count} numbers that it declares.")


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
