"""Weights from a file: read without running anything in it, and matched to a network key by key."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from cnnvis_report.data.image_file import several
from cnnvis_report.errors import BadRequest, UnknownName, brief
from cnnvis_report.models.checkpoints.candidates import Candidate, State, candidates, key_name
from cnnvis_report.models.checkpoints.file_kinds import check_kind
from cnnvis_report.models.checkpoints.limits import check_claims, check_limits
from cnnvis_report.models.checkpoints.safe_unpickle import unpickle
from cnnvis_report.models.checkpoints.state_versions import put_tensors
from cnnvis_report.models.checkpoints.tensor_matching import Match, match, preferred, whole, without_prefix
from cnnvis_report.models.known_networks.nearest_network import advice
from cnnvis_report.models.lightning.checkpoint import is_lightning
from cnnvis_report.models.torchvision_models.classifiers import drop_unfit_auxiliaries

LISTED = 5
ADDRESS = re.compile(r"(https?|s3|gs|hf|ftp):/")


def read_state(path: Path) -> State:
    """The tensors of a checkpoint by name, where no network says which are wanted.

    Averaged weights come before others, and the prefix that most names have is taken off.

    Raises:
        BadRequest: the file can't be read, or holds something else.
    """
    return without_prefix(whole(preferred(read_candidates(path)), {}).state)


def read_for(network: nn.Module, path: Path) -> Match:
    """The tensors of a checkpoint that are a network's, by its own names.

    Raises:
        BadRequest: the file can't be read, or holds something else.
    """
    return match(read_candidates(path), network.state_dict())


def read_candidates(path: Path) -> list[Candidate]:
    """All sets of tensors in a checkpoint: `.safetensors`, or `.pt`/`.pth`, bare or under keys of a training script.

    Args:
        path: a file, or FILE#KEY for what stands under a key, dotted where it is one of several levels.

    Raises:
        BadRequest, UnknownName: the file can't be read, or holds no tensors by name, or has no such key.
    """
    return candidates_in(read_content(split_key(path)[0]), path)


def candidates_in(content: object, path: Path) -> list[Candidate]:
    """All sets of tensors in what a checkpoint holds.

    Args:
        path: where it was read from, or FILE#KEY for what stands under a key.

    Raises:
        BadRequest, UnknownName: it holds no tensors by name, or has no such key.
    """
    file, key = split_key(path)
    if key:
        content = _under(content, key, file)
    state_dicts = candidates(content)
    if not state_dicts:
        raise BadRequest(f"{path}: {_without_state(content)}")
    for candidate in state_dicts:
        candidate.state.update(_plain(candidate.state, file))
        check_claims(candidate.state, file)
    return state_dicts


def split_key(path: Path) -> tuple[Path, str]:
    """FILE#KEY as the two; a file whose own name has a # is a file."""
    text = str(path)
    marks = [index for index, letter in enumerate(text) if letter == "#"]
    if path.is_file():
        return path, ""
    for index in reversed(marks):
        if Path(text[:index]).is_file():
            return Path(text[:index]), text[index + 1 :]
    return (Path(text[: marks[0]]), text[marks[0] + 1 :]) if marks else (path, "")


def is_plain(value: object) -> bool:
    """Whether it is a tensor that can be copied into a network's."""
    return isinstance(value, Tensor) and value.layout is torch.strided and not (value.is_quantized or value.is_meta)


def read_content(path: Path, *, part: bool = False) -> object:
    """What a checkpoint holds: tensors and plain Python values, whatever their arrangement.

    Args:
        part: whether it may be one of several files that make a checkpoint.

    Raises:
        BadRequest: the file can't be read, or is of another kind, or holds objects that could run code.
    """
    if ADDRESS.match(str(path)):
        raise BadRequest(f"{path.name} is to be had from an address, and nothing is fetched here. Download it first.")
    if not path.exists():
        raise BadRequest(f"{path}: there is no such file. Give --weights a .pth, .pt or .safetensors file.")
    if not (path.is_file() or path.is_dir()):  # a pipe would never answer, and a device never end
        raise BadRequest(f"{path}: is no regular file. Give --weights a .pth, .pt or .safetensors file.")
    try:
        if path.is_file():
            check_limits(path)
        check_kind(path, part=part)
        with path.open("rb") as file:
            # what stands beside the weights in Lightning's checkpoints is never made, whatever its class
            return load_file(path) if _is_safetensors(file.read(9)) else unpickle(path, lenient=is_lightning(path))
    except SafetensorError as error:
        raise BadRequest(
            f"{path}: can't be read as safetensors ({brief(error)}). Copy or download it again."
        ) from error
    except OSError as error:
        raise BadRequest(f"{path}: can't be read ({error.strerror or brief(error)}).") from error


def load_into(network: nn.Module, state: State | Match, path: Path, *, architecture: str = "") -> None:
    """Put the tensors into the network.

    Args:
        asked: torchvision's name of the network, where it has one.

    Raises:
        BadRequest: keys are missing or left over, or shapes differ; the message lists them.
    """
    state = check_fits(network, state, path, architecture=architecture)
    expected = network.state_dict()
    parameters = {name for name, _ in network.named_parameters()}
    whole = next(
        (key for key in expected if key in parameters and key in state and not _fits_type(state[key], expected[key])),
        None,
    )
    if whole is not None:
        raise BadRequest(
            f"{path}: {whole} holds {state[whole].dtype}, as of a quantized network, and no scale to read it by. "
            f"Give the weights in floating point."
        )
    put_tensors(network, {key: value for key, value in state.items() if key in expected}, strict=False)


def check_fits(network: nn.Module, state: State | Match, path: Path, *, architecture: str = "") -> State:
    """Refuse tensors that aren't the network's, which may be without values; gives them by the network's names.

    Raises:
        BadRequest: keys are missing or left over, or shapes differ; the message lists them.
    """
    match = state if isinstance(state, Match) else Match(state, strangers=tuple(state))
    state = match.state
    drop_unfit_auxiliaries(network, state)
    expected = network.state_dict()
    problems = [
        _listed("missing", [key for key in expected if key not in state and not key.endswith("num_batches_tracked")]),
        _listed("unexpected", [key for key in match.strangers if key not in expected]),
        _listed(
            "of another shape",
            [
                f"{key} {_sides(state[key])} for {_sides(expected[key])}"
                for key in expected
                if key in state and state[key].shape != expected[key].shape
            ],
        ),
    ]
    listed = "; ".join(problem for problem in problems if problem)
    if listed:
        raise BadRequest(f"{path}: the weights are of another network: {listed}.{advice(state, architecture)}")
    return state


def _is_safetensors(start: bytes) -> bool:
    """A safetensors file begins with the length of its header, and the header with a brace."""
    return len(start) == 9 and start[8:] == b"{" and int.from_bytes(start[:8], "little") < 100_000_000


def _plain(state: State, file: Path) -> State:
    """The tensors, once they are known to be plain ones."""
    odd = next((key for key, value in state.items() if not is_plain(value)), None)
    if odd is None:
        return state
    what = "quantized, and autograd can't follow whole numbers" if state[odd].is_quantized else "sparse or without data"
    raise BadRequest(f"{file}: {odd} is {what}. Save the state dict of the plain network, in floating point.")


def _fits_type(stored: Tensor, expected: Tensor) -> bool:
    return stored.is_floating_point() or stored.dtype == expected.dtype


def _under(content: object, key: str, file: Path) -> object:
    """What stands under a dotted key, which may end in a prefix of tensors' names."""
    rest = key
    while rest:
        inner: Mapping[Any, Any] = dict(enumerate(content)) if isinstance(content, list | tuple) else content  # type: ignore[assignment]
        if not isinstance(inner, Mapping):
            raise BadRequest(f"{file}#{key}: there is a {type(content).__name__} before {rest!r}, and no names in it.")
        names = {key_name(name): name for name in inner}
        whole = next((name for name in names if f"{rest}.".startswith(f"{name}.")), None)
        if whole is not None and not isinstance(inner[names[whole]], Tensor):
            content, rest = inner[names[whole]], rest[len(whole) + 1 :]
            continue
        within = {name[len(rest) + 1 :]: inner[key] for name, key in names.items() if name.startswith(f"{rest}.")}
        if not within:
            groups = dict.fromkeys(
                name if not isinstance(inner[key], Tensor) else name.partition(".")[0] for name, key in names.items()
            )
            raise UnknownName(f"key in {file.name}", key, groups)
        return within
    return content


def _without_state(content: object) -> str:
    """What a file without named tensors holds, and what to save instead."""
    kind = type(content).__name__
    if isinstance(content, Mapping) and "param_groups" in content:
        return "holds the state of an optimizer and no weights. Give the file with the model's state dict."
    keys = [key_name(key) for key in content][:LISTED] if isinstance(content, Mapping) else []
    keys_note = f" (its keys: {', '.join(keys)})" if keys else ""
    if any(re.search("optim", key) for key in keys) and not any("model" in key for key in keys):
        keys_note += ", as of an optimizer"
    return (
        f"holds a {kind} and no state dict{keys_note}. Save model.state_dict(), or a dict with it under 'state_dict'."
    )


def _listed(what: str, keys: list[str]) -> str:
    return f"{len(keys)} {what} ({several(keys, LISTED)})" if keys else ""


def _sides(value: Tensor) -> str:
    return "×".join(map(str, value.shape)) or "scalar"
