"""Weights that training kept in parts, put together again: weight normalization, spectral normalization, pruning.

PyTorch computes such a weight from its parts in every pass; in eval mode it is the same in all of them.
"""

import re
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

State = dict[str, Tensor]
PARAMETRIZED = re.compile(r"(.*?)parametrizations\.([^.]+)\.(original\d?)")
PARTS = re.compile(r"(_g|_v|_u|_orig|_mask)$|(^|\.)parametrizations\.")


def put_together(state: State, expected: Mapping[str, Tensor]) -> tuple[State, tuple[str, ...]]:
    """The tensors with whole weights for those in parts, and a sentence for each kind of parts.

    Args:
        expected: the network's own tensors; one that has its weights in parts itself gets them as they are.
    """
    if any(map(PARTS.search, expected)) or not any(map(PARTS.search, state)):
        return state, ()
    whole, used, counts = dict(state), set[str](), dict[str, int]()
    for name, kind, parts, value in _weights(state):
        if name in state:
            continue
        whole[name] = value
        used |= set(parts)
        counts[kind] = counts.get(kind, 0) + 1
    state_left = {key: value for key, value in whole.items() if key not in used}
    notices = tuple(
        f"{count} {'weight is' if count == 1 else 'weights are'} put together from the parts of {kind}."
        for kind, count in counts.items()
    )
    return state_left, notices


def _weights(state: State) -> Iterator[tuple[str, str, list[str], Tensor]]:
    """Each weight that is in parts: its name, by what, the names of its parts, its value."""
    for key, value in state.items():
        parametrized = PARAMETRIZED.fullmatch(key)
        if parametrized is not None:
            name = f"{parametrized[1]}{parametrized[2]}"
            within = f"{parametrized[1]}parametrizations.{parametrized[2]}."
            parts = [other for other in state if other.startswith(within)]
            last = parametrized[3]
            if last == "original0" and len(parts) == 2 and f"{within}original1" in state:
                weight = _normed(value, state[f"{within}original1"])
                if weight is not None:
                    yield name, "weight normalization", parts, weight
            elif last == "original" and {f"{within}0._u", f"{within}0._v"} | {key} == set(parts):
                weight = _spectral(value, state[f"{within}0._u"], state[f"{within}0._v"])
                if weight is not None:
                    yield name, "spectral normalization", parts, weight
        elif key.endswith("_g") and f"{key[:-2]}_v" in state:
            weight = _normed(value, state[f"{key[:-2]}_v"])
            if weight is not None:
                yield key[:-2], "weight normalization", [key, f"{key[:-2]}_v"], weight
        elif key.endswith("_orig"):
            name = key.removesuffix("_orig")
            mask, u, v = (state.get(f"{name}{end}") for end in ("_mask", "_u", "_v"))
            if mask is not None and mask.shape == value.shape:
                yield name, "pruning, a mask for each,", [key, f"{name}_mask"], value * mask.to(value.dtype)
            elif u is not None and v is not None and (weight := _spectral(value, u, v)) is not None:
                yield name, "spectral normalization", [key, f"{name}_u", f"{name}_v"], weight


def _normed(lengths: Tensor, directions: Tensor) -> Tensor | None:
    """Directions times lengths over their norms, g · v / |v|; None where g is no such.

    The norm goes over all dimensions but the one of which g has a length each.
    """
    if lengths.ndim == 0:
        norm: Tensor = directions.double().norm()
    elif lengths.ndim != directions.ndim or any(
        size not in (1, side) for size, side in zip(lengths.shape, directions.shape, strict=True)
    ):
        return None
    else:
        over = [dim for dim, size in enumerate(lengths.shape) if size == 1]
        norm = (
            torch.linalg.vector_norm(directions.double(), dim=over, keepdim=True) if over else directions.double().abs()
        )
    return (directions.double() * (lengths.double() / norm)).to(directions.dtype)


def _spectral(weight: Tensor, left: Tensor, right: Tensor) -> Tensor | None:
    """W / (u · W v), W as a matrix whose rows are along the dimension that u has the length of; None where none fits.

    Where two dimensions are as long, the rows are those along which u and v were found: there they stretch more.
    """
    wide, u, v = weight.double(), left.double().flatten(), right.double().flatten()
    stretches = [
        torch.dot(u, wide.movedim(dim, 0).flatten(1) @ v)
        for dim in range(min(2, wide.ndim))
        if wide.ndim > 1 and wide.shape[dim] == len(u) and wide.numel() == len(u) * len(v)
    ]
    return (wide / max(stretches)).to(weight.dtype) if stretches and float(max(stretches)) > 0 else None
