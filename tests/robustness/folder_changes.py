"""What a disk fault, a careless hand or a malicious one does to a report's folder, one change at a time."""

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from cnnvis_report.store.files.digests import SEAL, digest_of, sealed
from cnnvis_report.store.manifest import CLOCKS, FIRST_LINE

ODD: tuple[Any, ...] = (
    *(None, True, -1, 0, 7, 10**30, 0.5, float("nan"), float("inf"), "", "../../evil", "\ud800", "x" * 10_000),
    *([], [[]], {}, {"a": 1}, [1, 2, 3], "<script>", "a\0b", [None] * 5, "arrays/../../../evil"),
)
DEFLATED_BOMB = 50_000_000  # bytes that it comes to

Change = Callable[[Path, random.Random], None]


def _pick(folder: Path, chance: random.Random, pattern: str = "*") -> Path:
    return chance.choice(sorted(path for path in folder.rglob(pattern) if path.is_file() and path.suffix != ".webp"))


def flip(folder: Path, chance: random.Random) -> None:
    path = _pick(folder, chance)
    content = bytearray(path.read_bytes())
    for _ in range(chance.choice([1, 1, 1, 20])):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def cut(folder: Path, chance: random.Random) -> None:
    path = _pick(folder, chance)
    size = path.stat().st_size
    os.truncate(path, chance.choice([0, 1, size // 2, size - 1, chance.randrange(size)]))


def cut_lines(folder: Path, chance: random.Random) -> None:
    path = folder / "run.json"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    del lines[chance.randrange(len(lines)) : chance.choice([None, None, -1])]
    path.write_text("".join(lines), encoding="utf-8")


def swap(folder: Path, chance: random.Random) -> None:
    one, two = chance.sample(sorted((folder / "arrays").iterdir()), 2)
    content = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(content)


def swap_lines(folder: Path, chance: random.Random) -> None:
    path = folder / "run.json"
    lines = path.read_text(encoding="utf-8").split("\n")
    at, other = chance.sample(range(2, len(lines) - 2), 2)
    lines[at], lines[other] = lines[other], lines[at]
    path.write_text("\n".join(lines), encoding="utf-8")


def delete(folder: Path, chance: random.Random) -> None:
    _pick(folder, chance).unlink()


def delete_folder(folder: Path, chance: random.Random) -> None:
    inner = [path for path in sorted(folder.iterdir()) if path.is_dir()]
    shutil.rmtree(chance.choice(inner))


def append(folder: Path, chance: random.Random) -> None:
    with _pick(folder, chance).open("ab") as file:
        file.write(chance.choice([b"\n", b"x", b"]}", b"PK\5\6" + bytes(18), bytes(100)]))


def garbage(folder: Path, chance: random.Random) -> None:
    _pick(folder, chance).write_bytes(chance.choice([b"", b"{}", b"[]", b"null", b"[" * 100_000, b"\xff" * 50, b"{"]))


def in_its_place(folder: Path, chance: random.Random) -> None:
    """A folder, a pipe, a device, a link where a file was."""
    path = _pick(folder, chance)
    path.unlink()
    kind = chance.randrange(5)
    if kind == 0:
        path.mkdir()
    elif kind == 1:
        os.mkfifo(path)
    else:
        targets = [Path("/dev/zero"), folder.parent / "precious.txt", Path("/dev/null")]
        path.symlink_to(targets[kind - 2])


def in_the_way(folder: Path, chance: random.Random) -> None:
    """Something else where a lock, a journal, a list or a folder of ours has to be."""
    path = folder / chance.choice([".lock", "journal.jsonl", "pages.json", "images", "stills", "data"])
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    kind = chance.randrange(4)
    if kind == 0 and not path.suffix and path.name != ".lock":
        path.write_text("mine")
    elif kind == 0:
        path.mkdir()
    elif kind == 1:
        os.mkfifo(path)
    elif kind == 2:
        path.symlink_to(folder.parent / "precious.txt")
    else:
        path.write_text("mine")


def linked_folder(folder: Path, chance: random.Random) -> None:
    name = chance.choice([path.name for path in sorted(folder.iterdir()) if path.is_dir()])
    shutil.rmtree(folder / name)
    (folder / name).symlink_to(folder.parent / "elsewhere")
    (folder / "pages.json").write_text(
        json.dumps([f"{name}/precious.txt", "run.json", "../precious.txt", "/etc/x.html"])
    )


def odd_arrays(folder: Path, chance: random.Random) -> None:
    """NaN, other shapes, other types, objects, more or fewer arrays, a bomb; with the digest that they have now."""
    path = _pick(folder, chance, "*.npz")
    with np.load(path) as file:
        arrays = dict(file)
    key = chance.choice(sorted(arrays))
    kind = chance.randrange(7)
    if kind == 0:
        arrays[key] = np.full(arrays[key].shape, np.nan, np.float32)
    elif kind == 1:
        arrays[key] = arrays[key][..., :1]
    elif kind == 2:
        arrays[key] = np.array([{"a": 1}], dtype=object)
    elif kind == 3:
        del arrays[key]
    elif kind == 4:
        arrays["../../evil"] = np.zeros(3)
    elif kind == 5:
        arrays[key] = np.array(["text"])
    elif kind == 6:
        arrays[key] = np.zeros(DEFLATED_BOMB, np.uint8)
    save = np.savez if kind < 6 else np.savez_compressed
    save(path, **arrays)
    if chance.randrange(2):
        resealed(folder, lambda run, images: None)


def odd_field(folder: Path, chance: random.Random) -> None:
    """Some field somewhere is something else; half of the time nobody can tell by a digest."""

    def change(run: dict[str, Any], images: list[dict[str, Any]]) -> None:
        place: Any = chance.choice([run, run, *images])
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            key = chance.choice(keys)
            if not isinstance(place[key], dict | list) or not place[key] or not chance.randrange(4):
                break
            place = place[key]
        if chance.randrange(6) == 0 and isinstance(place, dict):
            del place[key]
        elif chance.randrange(6) == 0 and isinstance(place[key], list):
            place[key] = place[key][1:] if chance.randrange(2) else place[key] * 2
        else:
            place[key] = chance.choice(ODD)

    resealed(folder, change, seal=bool(chance.randrange(2)))


def resealed(
    folder: Path, change: Callable[[dict[str, Any], list[dict[str, Any]]], None], *, seal: bool = True
) -> None:
    """Rewrite the manifest, with seals and digests that are right for what it says, and what the files hold, now."""

    content = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    run, images = content["run"], content["images"]
    if seal:
        for name in run["files"]:
            if (folder / name).is_file():
                stored = digest_of(folder / name)
                run["files"][name] = {"bytes": stored.bytes, "sha256": stored.sha256}
    change(run, images)
    if seal:
        try:
            run = {name: value for name, value in run.items() if name != SEAL}
            clocks = {name: value for name, value in run.get(CLOCKS, {}).items() if name != SEAL}
            print_of = str(run.get("fingerprint"))
            run = sealed(run | {CLOCKS: {}}, "run") | {CLOCKS: sealed(clocks, print_of)}
            bare = [{name: value for name, value in image.items() if name != SEAL} for image in images]
            images = [sealed(image, f"{print_of} {number}") for number, image in enumerate(bare)]
        except (ValueError, AttributeError):  # numbers that no JSON has, or no table at all
            pass
    lines = ",\n".join(json.dumps(image) for image in images)
    head = f'{{"format": {json.dumps(content["format"])},\n"run": {json.dumps(run)},\n{FIRST_LINE}\n'
    (folder / "run.json").write_text(f"{head}{lines}\n]}}\n", encoding="utf-8", errors="surrogatepass")


CHANGES: tuple[Change, ...] = (
    *(
        flip,
        flip,
        cut,
        cut_lines,
        swap,
        swap_lines,
        delete,
        delete_folder,
        append,
        garbage,
        in_its_place,
        in_the_way,
        linked_folder,
    ),
    *(odd_arrays, odd_arrays, odd_field, odd_field, odd_field, odd_field),
)
