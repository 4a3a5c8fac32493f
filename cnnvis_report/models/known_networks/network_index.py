"""All networks of torchvision and timm by the names and shapes of their tensors: whose are these weights?

`networks.txt` holds a fingerprint of each network's tensors before its last layer, so that weights with other classes
are found too, without timm, and without building one network.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from torch import Tensor

from cnnvis_report.models.known_networks.network_names import network_lines

# no part of what a network has learned, and in some versions of it alone
ASIDE = ("num_batches_tracked", "relative_position_index", "attn_mask")
COLOURS = 3
Sides = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Known:
    """Networks whose tensors before the last layer are these. channels: that the weights read, where not three."""

    names: tuple[str, ...]
    channels: int | None = None


def find_networks(state: Mapping[str, Tensor]) -> Known | None:
    """The networks whose every tensor before the last layer is there, with none beside; None where there are none."""
    for sides in _behind_prefixes({key: tuple(value.shape) for key, value in state.items()}):
        names = _named(sides)
        if names:
            return Known(names)
        stem = next((key for key, shape in sides.items() if len(shape) == 4), None)
        if stem is None or sides[stem][1] == COLOURS:
            continue
        channels = sides[stem][1]
        names = _named({**sides, stem: (sides[stem][0], COLOURS, *sides[stem][2:])})
        if names:
            return Known(names, channels)
    return None


@lru_cache(maxsize=1)
def timm_names() -> frozenset[str]:
    """The names of timm's networks that are known here."""
    known = {name for prints in _index().values() for names in prints.values() for name in names}
    return frozenset(name.removeprefix("timm/") for name in known if name.startswith("timm/"))


def fingerprint(state: Mapping[str, Tensor], heads: Sequence[str]) -> str:
    """Of a network's tensors but those of its last layers, by names and shapes: 12 hexadecimal digits."""
    return _fingerprint({key: tuple(value.shape) for key, value in state.items()}, heads)


def _fingerprint(sides: Sides, heads: Sequence[str]) -> str:
    digest = blake2b(digest_size=6)
    for key, shape in sorted(sides.items()):
        if not key.endswith(ASIDE) and key.rpartition(".")[0] not in heads:
            digest.update(f"{key} {'x'.join(map(str, shape))}\n".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _named(sides: Sides) -> tuple[str, ...]:
    return next((names for heads in _index() if (names := _index()[heads].get(_fingerprint(sides, heads)))), ())


def _behind_prefixes(sides: Sides) -> Iterator[Sides]:
    """The tensors as they are, and behind whatever prefix most of them have."""
    yield sides
    for _ in range(3):
        firsts = [key.partition(".")[0] for key in sides]
        most = max(set(firsts), key=firsts.count, default="")
        sides = {key[len(most) + 1 :]: shape for key, shape in sides.items() if key.startswith(f"{most}.")}
        if 2 * len(sides) <= len(firsts):
            return
        yield sides


@lru_cache(maxsize=1)
def _index() -> dict[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """By the last layers' names, the networks by their fingerprints."""
    index: dict[tuple[str, ...], dict[str, tuple[str, ...]]] = {}
    for fingerprint, heads, names in network_lines():
        index.setdefault(() if heads == "-" else tuple(heads.split(",")), {})[fingerprint] = tuple(names)
    return index
