"""A report's folder as a disk fault, a careless hand or a malicious one leaves it, given to `render` and to `run`."""

import json
import os
import random
import re
import shutil
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from click.testing import CliRunner

from cnnvis_report.cli.main import cli
from cnnvis_report.store.digests import SEAL, digest_of, sealed
from cnnvis_report.store.manifest import CLOCKS, FIRST_LINE
from cnnvis_report.synthetic.shapes import draw
from tests.robustness.attack import Attack

RUN = ("-m", "grad_cam,gradient", "--classes", "top:1", "--batch-size", "2", "--device", "cpu", "-q")
ODD: tuple[Any, ...] = (
    *(None, True, -1, 0, 7, 10**30, 0.5, float("nan"), float("inf"), "", "../../evil", "\ud800", "x" * 10_000),
    *([], [[]], {}, {"a": 1}, [1, 2, 3], "<script>", "a\0b", [None] * 5, "arrays/../../../evil"),
)
DEFLATED_BOMB = 50_000_000  # bytes that it comes to

Change = Callable[[Path, random.Random], None]
Table = dict[str, Any]


def _files(folder: Path) -> dict[str, bytes]:
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.stat().st_size < 1 << 24:
            found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found


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
        path.symlink_to(["/dev/zero", folder.parent / "precious.txt", "/dev/null"][kind - 2])


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
        _resealed(folder, lambda run, images: None)


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

    _resealed(folder, change, seal=bool(chance.randrange(2)))


def _resealed(
    folder: Path, change: Callable[[dict[str, Any], list[dict[str, Any]]], None], *, seal: bool = True
) -> None:
    """Rewrite the manifest, with seals and digests that are right for what it says now."""

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


def trials(count: int, folder: Path) -> Iterator[str]:
    """Each a folder that is damaged in one way, rendered, and sometimes given to the command that made it."""
    (folder / "pictures").mkdir()
    for number in range(4):
        draw(number, 0, 40).picture.save(folder / "pictures" / f"{number}.png")
    command = ("run", "tests.factories:tiny", str(folder / "pictures"), *RUN)
    views = ("--metrics", "quick", "--inspect", "standard")
    assert CliRunner().invoke(cli, [*command, *views, "-o", str(folder / "good")]).exit_code == 0
    bare = ("--metrics", "none", "--inspect", "none")
    assert CliRunner().invoke(cli, [*command, *bare, "-o", str(folder / "bare")]).exit_code == 0
    for number in range(count):
        chance = random.Random(number)
        again = number % 4 == 3
        change = CHANGES[number % len(CHANGES)]
        arguments = [*command, *bare] if again else ["render"]
        source = folder / ("bare" if again else "good")
        fault = _trial(source, folder / "box", change, chance, arguments)
        yield f"{number} ({change.__name__}, {arguments[0]}): {fault}" if fault else ""


def _trial(good: Path, box: Path, change: Change, chance: random.Random, arguments: list[str]) -> str:
    shutil.rmtree(box, ignore_errors=True)
    (box / "elsewhere").mkdir(parents=True)
    (box / "precious.txt").write_text("mine")
    (box / "elsewhere" / "precious.txt").write_text("mine")
    report = box / "report"
    shutil.copytree(good, report)
    change(report, chance)
    (report / "notes.txt").write_text("mine")
    outside = {name: content for name, content in _files(box).items() if not name.startswith("report/")}
    where = [str(report)] if arguments[0] == "render" else ["-o", str(report)]
    result = CliRunner().invoke(cli, [*arguments, *where])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        last = traceback.extract_tb(result.exc_info[2])[-1]
        where = f"{Path(last.filename).name}:{last.lineno}"
        return f"{type(result.exception).__name__}: {str(result.exception)[:80]} ({where})"
    after = _files(box)
    if {name: content for name, content in after.items() if not name.startswith("report/")} != outside:
        return "something outside was written or removed"
    if after.get("report/notes.txt") != b"mine":
        return "a stranger's file is gone"
    if result.exit_code not in (0, 2):
        return f"exit {result.exit_code}: {result.stderr[-200:]}"
    if result.exit_code == 2 and (
        result.stderr.count("Error: ") != 1 or (arguments[0] == "run" and not _refusal(result.stderr))
    ):
        return f"no line that says why: {result.stderr[-300:]!r}"
    if result.exit_code == 0 and change not in (odd_field, odd_arrays) and _pages(report) != _pages(good):
        return "other pages, and not a word"
    return ""


def _refusal(said: str) -> bool:
    """A run refuses a folder only where it can't be written to."""
    return bool(re.search("is no folder of a run's own|not of a report|is a folder|is a link|Move it away", said))


def _pages(report: Path) -> dict[str, bytes]:
    """All pages, less what tells of times."""
    found = {
        name: content for name, content in _files(report).items() if name.endswith((".html", ".js", ".webp", ".css"))
    }
    found.pop("data/provenance.js", None)
    return found


ATTACK = Attack(
    "damaged folders",
    "`render` and `run` say what is damaged or make the same pages; nothing outside is touched",
    trials,
    quick=19,
    full=500,
)
