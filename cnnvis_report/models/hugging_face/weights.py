"""The weights of a folder: one file, or several and an index of what lies where."""

from pathlib import Path

from torch import Tensor

from cnnvis_report.errors import BadRequest, shown
from cnnvis_report.models.checkpoints.candidates import State
from cnnvis_report.models.checkpoints.limits import check_claims
from cnnvis_report.models.checkpoints.read_checkpoint import is_plain, read_content
from cnnvis_report.models.folder_config import CONFIG, read_config

FILES = ("model.safetensors", "pytorch_model.bin")  # those that run nothing come first
INDEX = ".index.json"
MOST_PARTS = 1000


def read_weights(folder: Path) -> tuple[State, str]:
    """All tensors by name, and the file that they or their index are in.

    Raises:
        BadRequest: there are none, a part is missing, or one can't be read.
    """
    for name in FILES:
        if (folder / name).is_file():
            return _tensors(folder / name), name
        if (folder / f"{name}{INDEX}").is_file():
            return _joined(folder, f"{name}{INDEX}"), f"{name}{INDEX}"
    others = sorted(path.name for path in folder.glob("*.h5")) + sorted(path.name for path in folder.glob("*.msgpack"))
    holds = f" It holds {others[0]}, which is of TensorFlow or Flax." if others else ""
    raise BadRequest(f"{folder}: has no weights beside {CONFIG}; {' or '.join(FILES)} is needed.{holds}")


def _joined(folder: Path, index: str) -> State:
    """The tensors of all parts."""
    weight_map = read_config(folder, index).get("weight_map")
    if not isinstance(weight_map, dict) or not all(isinstance(part, str) for part in weight_map.values()):
        raise BadRequest(f"{folder / index}: has no weight_map, which says where each tensor is.")
    parts = sorted(set(weight_map.values()))
    if len(parts) > MOST_PARTS:
        raise BadRequest(f"{folder / index}: names {len(parts):,} files; at most {MOST_PARTS:,} are read.")
    odd = next((part for part in parts if not part or Path(part).name != part or part in (".", "..")), None)
    if odd is not None:
        raise BadRequest(f"{folder / index}: names {shown(odd)}, which is no file beside it.")
    missing = [part for part in parts if not (folder / part).is_file()]
    if missing:
        raise BadRequest(f"{folder}: {len(missing)} of {len(parts)} parts of the weights are missing ({missing[0]}).")
    return {name: value for part in parts for name, value in _tensors(folder / part).items()}


def _tensors(path: Path) -> State:
    """The tensors of a file by name."""
    content = read_content(path, part=True)
    plain = isinstance(content, dict) and all(isinstance(name, str) for name in content)
    if not isinstance(content, dict) or not plain or not all(is_plain(value) for value in content.values()):
        raise BadRequest(f"{path}: holds something else than plain tensors by name.")
    state: dict[str, Tensor] = dict(content)
    check_claims(state, path)
    return state
