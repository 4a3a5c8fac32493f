"""Weights from a file: read without running anything in it, and matched to a network key by key."""

import warnings
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from pickle import UnpicklingError

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from cnnvis_report.errors import BadRequest

WRAPPERS = ("state_dict", "model_state_dict", "model_state", "model", "net", "ema")
PREFIXES = ("module.", "model.", "_orig_mod.", "net.")
LISTED = 5

State = dict[str, Tensor]


def read_state(path: Path) -> State:
    """The tensors of a checkpoint by name: `.safetensors`, or a `.pt`/`.pth` state dict, bare or wrapped.

    Wrapped means: under one of the keys that training scripts use, or with a prefix that wrappers such as
    DataParallel leave.

    Raises:
        BadRequest: the file can't be read, or holds something else.
    """
    content = read_content(path)
    state = _unwrapped(content)
    if state is None:
        kind = type(content).__name__
        raise BadRequest(
            f"{path}: holds a {kind} and no state dict. Save model.state_dict(), or a dict with it under 'state_dict'."
        )
    odd = next((key for key, value in state.items() if not is_plain(value)), None)
    if odd is not None:
        raise BadRequest(
            f"{path}: {odd} is sparse, quantised or without data. Save the state dict of the plain network."
        )
    return _without_prefix(state)


def is_plain(value: object) -> bool:
    """Whether it is a tensor that can be copied into a network's."""
    return isinstance(value, Tensor) and value.layout is torch.strided and not (value.is_quantized or value.is_meta)


def read_content(path: Path) -> object:
    """What a checkpoint holds: tensors and plain Python values, whatever their arrangement.

    Raises:
        BadRequest: the file can't be read, or holds objects that could run code.
    """
    if not path.is_file():
        raise BadRequest(f"{path}: there is no such file. Give --weights a .pth, .pt or .safetensors file.")
    try:
        with path.open("rb") as file:
            return load_file(path) if _is_safetensors(file.read(9)) else _unpickle(path)
    except (SafetensorError, OSError) as error:
        raise BadRequest(f"{path}: can't be read as safetensors ({error}).") from error


def load_into(network: nn.Module, state: State, path: Path) -> None:
    """Put the tensors into the network.

    Raises:
        BadRequest: keys are missing or left over, or shapes differ; the message lists them.
    """
    own = network.state_dict()
    problems = [
        _listed("missing", [key for key in own if key not in state and not key.endswith("num_batches_tracked")]),
        _listed("unexpected", [key for key in state if key not in own]),
        _listed(
            "of another shape",
            [
                f"{key} {_sides(state[key])} for {_sides(own[key])}"
                for key in own
                if key in state and state[key].shape != own[key].shape
            ],
        ),
    ]
    found = [problem for problem in problems if problem]
    if found:
        raise BadRequest(f"{path}: the weights are of another network: {'; '.join(found)}.")
    network.load_state_dict(state, strict=False)


def check_finite(network: nn.Module, source: str) -> None:
    """Refuse weights with NaN or infinity.

    Raises:
        BadRequest: naming the first such tensor.
    """
    for name, value in network.state_dict().items():
        if value.is_floating_point() and not bool(value.isfinite().all()):
            bad = int((~value.isfinite()).sum())
            raise BadRequest(
                f"{source}: {name} has {bad} of {value.numel()} values that aren't finite. "
                f"The training probably diverged; use an earlier checkpoint."
            )


def weights_hash(network: nn.Module) -> str:
    """A fingerprint of all parameters and buffers, whatever file they came from: 16 hexadecimal digits."""
    digest = sha256()
    for name, value in sorted(network.state_dict().items()):
        digest.update(f"{name} {value.dtype} {list(value.shape)}\n".encode())
        digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


def _unpickle(path: Path) -> object:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what it warns of comes back as an error, or doesn't matter
            return torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise BadRequest(
            f"{path}: isn't a file of plain tensors; it holds a pickled model or other objects, which could run any "
            f"code when opened, so it was not. Save model.state_dict() instead."
        ) from error
    except (RuntimeError, EOFError, ValueError, KeyError, TypeError, AttributeError, IndexError, OSError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise BadRequest(f"{path}: isn't a checkpoint that PyTorch can read ({reason}).") from error


def _is_safetensors(start: bytes) -> bool:
    """A safetensors file begins with the length of its header, and the header with a brace."""
    return len(start) == 9 and start[8:] == b"{" and int.from_bytes(start[:8], "little") < 100_000_000


def _unwrapped(content: object) -> State | None:
    """The first mapping of names to tensors in what a training script has saved."""
    if not isinstance(content, Mapping):
        return None
    tensors = {str(key): value for key, value in content.items() if isinstance(value, Tensor)}
    if tensors and len(tensors) == len(content):
        return tensors
    for key in WRAPPERS:
        inner = _unwrapped(content.get(key))
        if inner:
            return inner
    return tensors or None


def _without_prefix(state: State) -> State:
    for prefix in PREFIXES:
        if state and all(key.startswith(prefix) for key in state):
            return _without_prefix({key.removeprefix(prefix): value for key, value in state.items()})
    return state


def _listed(what: str, keys: list[str]) -> str:
    more = f" and {len(keys) - LISTED} more" if len(keys) > LISTED else ""
    return f"{len(keys)} {what} ({', '.join(keys[:LISTED])}{more})" if keys else ""


def _sides(value: Tensor) -> str:
    return "×".join(map(str, value.shape)) or "scalar"
