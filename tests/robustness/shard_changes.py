"""What happens to shards, the files that hold the arrays of several images, one change at a time.

The digests in the manifest are right for what the files hold then, so that nothing but a look at the members tells.
"""

import io
import os
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.robustness.folder_changes import Change, resealed

Members = dict[str, bytes]


def _members(path: Path) -> Members:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _array(values: np.ndarray, *, objects: bool = False) -> bytes:
    stream = io.BytesIO()
    np.save(stream, values, allow_pickle=objects)
    return stream.getvalue()


def _changed(change: Callable[[Members, random.Random], None]) -> Change:
    """The change of a folder that a change of the members of one of its shards is."""

    def of_folder(folder: Path, chance: random.Random) -> None:
        path = chance.choice(sorted((folder / "arrays").glob("shard-*.npz")))
        members = _members(path)
        change(members, chance)
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        resealed(folder, lambda run, images: None)

    of_folder.__name__ = f"shard_{change.__name__}"
    return of_folder


def other_images(members: Members, chance: random.Random) -> None:
    """The arrays of two images change places."""
    images = sorted({name.partition("/")[0] for name in members})
    turned = dict(zip(images, images[1:] + images[:1], strict=True))
    old = dict(members)
    members.clear()
    for name, content in old.items():
        image, _, key = name.partition("/")
        members[f"{turned[image]}/{key}"] = content


def lost_image(members: Members, chance: random.Random) -> None:
    image = chance.choice(sorted(members)).partition("/")[0]
    for name in [name for name in members if name.startswith(f"{image}/")]:
        del members[name]


def foreign(members: Members, chance: random.Random) -> None:
    """Members of nobody, of paths that lead out, and of an image of the shard."""
    image = chance.choice(sorted(members)).partition("/")[0]
    for name in ("../../evil.npy", "/etc/evil.npy", "evil", f"{image}/../evil.npy", f"{image}/evil/1.npy"):
        members[name] = _array(np.zeros(3))


def objects(members: Members, chance: random.Random) -> None:
    members[chance.choice(sorted(members))] = _array(np.array([{"a": 1}], dtype=object), objects=True)


def claims(members: Members, chance: random.Random) -> None:
    """The head of an array claims more than follows."""
    name = chance.choice(sorted(members))
    members[name] = _array(np.zeros(10_000_000, np.uint8))[:200]


def bomb(folder: Path, chance: random.Random) -> None:
    """A member claims to inflate to gigabytes."""
    path = chance.choice(sorted((folder / "arrays").glob("shard-*.npz")))
    members = _members(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    damaged = bytearray(path.read_bytes())
    at = damaged.index(b"PK\1\2") + 24  # where the list of members says how many bytes it comes to
    damaged[at : at + 4] = (3 << 30).to_bytes(4, "little")
    path.write_bytes(damaged)
    resealed(folder, lambda run, images: None)


def no_directory(folder: Path, chance: random.Random) -> None:
    """The list of members at the end is cut off, or somebody else's."""
    path = chance.choice(sorted((folder / "arrays").glob("shard-*.npz")))
    content = path.read_bytes()
    at = content.index(b"PK\1\2")
    end = chance.choice([b"", b"PK\5\6" + bytes(18), content[-22:], b"PK\5\6" + b"\xff" * 16 + bytes(2)])
    path.write_bytes(content[:at] + end)
    resealed(folder, lambda run, images: None)


def swapped_shards(folder: Path, chance: random.Random) -> None:
    """Two shards change places, and their digests with them."""
    one, two = sorted((folder / "arrays").glob("shard-*.npz"))[:2]
    between = one.with_name("between")
    one.rename(between)
    two.rename(one)
    between.rename(two)
    resealed(folder, lambda run, images: None)


def cut_shard(folder: Path, chance: random.Random) -> None:
    path = chance.choice(sorted((folder / "arrays").glob("shard-*.npz")))
    os.truncate(path, chance.randrange(path.stat().st_size))
    if chance.randrange(2):
        resealed(folder, lambda run, images: None)


def other_numbers(folder: Path, chance: random.Random) -> None:
    """Images name other shards than theirs."""

    def change(run: dict, images: list[dict]) -> None:  # type: ignore[type-arg]
        chance.choice(images)["shard"] = chance.choice([1, 0, 7, -1, None, 10**12, "0", True])

    resealed(folder, change)


SHARD_CHANGES: tuple[Change, ...] = (
    *(no_directory, swapped_shards, cut_shard, other_numbers, bomb),
    *map(_changed, (other_images, lost_image, foreign, objects, claims)),
)
