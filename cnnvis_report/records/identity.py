"""What decides the results of a run, part by part, so that it can be said what has changed since."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from math import isclose

# of the range of the logits; on other processors, and with another number of threads, rounding leaves 1e-6 of it
SAME = 1e-4
LISTED = "the images' names, labels or order"


@dataclass(frozen=True)
class Identity:
    """What decides the results of a run.

    parts: a digest of each thing that decides the results, by what it is.
    logits: of noise, and of the example, as the network gave them; None where a number isn't finite, empty where the
        network gives others on every pass.
    example: a digest of the example image, whose logits say nothing of another.
    """

    parts: dict[str, str] = field(default_factory=dict)
    logits: tuple[tuple[float | None, ...], ...] = ()
    example: str = ""


@dataclass(frozen=True)
class Content:
    """An image that a run has seen.

    name: the file.
    digest: of all that its files hold.
    """

    name: str
    digest: str


def fingerprint(identity: Identity, contents: Iterable[Content] = ()) -> str:
    """Of what decides a run, and of its images' contents where they are given: 32 hexadecimal digits.

    Logits aren't in it: rounding may change them.
    """
    content = [sorted(identity.parts.items()), [[file.name, file.digest] for file in contents]]
    return sha256(json.dumps(content).encode("utf-8", "replace")).hexdigest()[:32]


def changes(earlier: Identity, now: Identity) -> list[str]:
    """What decides the results and isn't as it was, in words; empty where everything is."""
    names = [name for name in now.parts if earlier.parts.get(name) != now.parts[name]]
    names += [name for name in earlier.parts if name not in now.parts]
    rows = list(zip(earlier.logits, now.logits, strict=False))
    if earlier.example != now.example:
        rows = rows[:1]
    if len(earlier.logits) != len(now.logits) or not all(_alike(*pair) for pair in rows):
        names.append("the network's logits")
    return names


def changed_images(earlier: Iterable[Content], now: Sequence[Content], *, whole: bool) -> list[str]:
    """How many images are others than they were, in words; empty where none is.

    Args:
        earlier: what an earlier start has seen. now: all images of the set.
        whole: whether the earlier start has seen all of its images.
    """
    before, after = _by_name(earlier), _by_name(now)
    other = sum(before[name] != after[name][: len(before[name])] for name in before if name in after)
    removed = sum(name not in after for name in before)
    added = sum(name not in before for name in after) if whole else 0
    changes = [(other, "with another content"), (removed, "gone"), (added, "added")]
    return [f"{count} image{'s' if count > 1 else ''} {what}" for count, what in changes if count]


def _by_name(contents: Iterable[Content]) -> dict[str, list[str]]:
    """Lists may give several files that are shown by one name."""
    digests = defaultdict(list)
    for content in contents:
        digests[content.name].append(content.digest)
    return digests


def _alike(earlier: Sequence[float | None], now: Sequence[float | None]) -> bool:
    """Whether two rows of logits are the same but for rounding."""
    if len(earlier) != len(now):
        return False
    known = [value for value in earlier if value is not None]
    room = SAME * (max(known) - min(known)) + SAME / 10 * max(map(abs, known)) if known else 0.0
    pairs = zip(earlier, now, strict=True)
    return all(
        (a is None) == (b is None) and (a is None or b is None or isclose(a, b, rel_tol=0, abs_tol=room))
        for a, b in pairs
    )
