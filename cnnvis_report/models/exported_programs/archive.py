"""The archive that torch.export.save writes: what it holds, and a copy of it that is safe to load."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from cnnvis_report.errors import BadRequest
from cnnvis_report.models.checkpoints.torch_archives import names_in, opened_archive
from cnnvis_report.models.exported_programs.vetting import reduced, unsafe_part
from cnnvis_report.models.loader import ModelRequest

PROGRAM, WEIGHTS, CONSTANTS = "models/model.json", "data/weights/", "data/constants/"
TABLES = (f"{WEIGHTS}model_weights_config.json", f"{CONSTANTS}model_constants_config.json")
SAMPLES = "data/sample_inputs/model.pt"
COPIED = ("archive_format", "archive_version", "byteorder", ".data/version")
LONGEST = 1 << 28  # bytes of a program
OLD = "serialized_exported_program.json"
ITEM_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 2, 7: 4, 8: 8, 9: 4, 10: 8, 11: 16, 12: 1, 13: 2}  # by PyTorch's numbers


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
