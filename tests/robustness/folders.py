"""A report's folder that is damaged in some way, given to the command that made it, and to all that read one."""

import random
import re
import shutil
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

from click.testing import CliRunner

from cnnvis_report.cli.main import cli
from cnnvis_report.synthetic.shapes import draw
from tests.robustness.attack import Attack
from tests.robustness.folder_changes import CHANGES, Change, odd_arrays, odd_field
from tests.robustness.shard_changes import SHARD_CHANGES

ALL_CHANGES = (*CHANGES, *SHARD_CHANGES)
RENDER = ("render", "REPORT")
READING = (
    ("export", "REPORT", "-o", "OUT"),
    ("export", "REPORT", "--maps", "csv", "-o", "OUT"),
    ("evidence", "REPORT"),
    ("figure", "REPORT", "-o", "OUT.svg"),
    ("compare", "REPORT", "GOOD", "-o", "OUT", "-q"),
    ("compare", "GOOD", "REPORT", "-o", "OUT", "-q"),
    ("render", "REPORT", "--share", "minimal", "--copy", "OUT"),
    ("render", "REPORT", "--anonymous", "--zip", "--copy", "OUT"),
)
RUN = ("-m", "grad_cam,gradient", "--classes", "top:1", "--batch-size", "2", "--device", "cpu", "-q")


def _files(folder: Path) -> dict[str, bytes]:
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.stat().st_size < 1 << 24:
            found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found


def trials(numbers: range, folder: Path) -> Iterator[str]:
    """Each a folder that is damaged in one way, and what a command does with it; every third has shards."""
    (folder / "pictures").mkdir()
    for number in range(4):
        draw(number, 0, 40).picture.save(folder / "pictures" / f"{number}.png")
    command = ("run", "tests.factories:tiny", str(folder / "pictures"), *RUN)
    views = ("--metrics", "quick", "--inspect", "standard")
    assert CliRunner().invoke(cli, [*command, *views, "-o", str(folder / "good")]).exit_code == 0
    bare = ("--metrics", "none", "--inspect", "none")
    assert CliRunner().invoke(cli, [*command, *bare, "-o", str(folder / "bare")]).exit_code == 0
    shards = (*bare, "--shard-size", "2")
    assert CliRunner().invoke(cli, [*command, *shards, "-o", str(folder / "shards")]).exit_code == 0
    for number in numbers:
        chance = random.Random(number)
        change = CHANGES[number % len(CHANGES)]
        source = "bare" if number % 4 == 3 else "good"
        if number % 3 == 2:
            source, change = "shards", ALL_CHANGES[number % len(ALL_CHANGES)]
        wanted: tuple[str, ...] = (*command, *(shards if source == "shards" else bare), "-o", "REPORT")
        if number % 4 != 3:
            wanted = chance.choice(READING) if chance.randrange(2) else RENDER
        fault = _trial(folder / source, folder / "box", change, chance, wanted)
        yield f"{number} ({source}, {change.__name__}, {wanted[0]}): {fault}" if fault else ""


def _words(arguments: Sequence[str], report: Path, good: Path) -> list[str]:
    """The words of a command on a report, with what it writes beside the report."""
    out = report.parent / "out"
    places = {"REPORT": report, "GOOD": good, "OUT": out, "OUT.svg": out.with_suffix(".svg")}
    return [str(places.get(word, word)) for word in arguments]


def _trial(good: Path, box: Path, change: Change, chance: random.Random, arguments: Sequence[str]) -> str:
    shutil.rmtree(box, ignore_errors=True)
    (box / "elsewhere").mkdir(parents=True)
    (box / "precious.txt").write_text("mine")
    (box / "elsewhere" / "precious.txt").write_text("mine")
    report = box / "report"
    shutil.copytree(good, report)
    change(report, chance)
    (report / "notes.txt").write_text("mine")
    before = _files(box)
    outside = {name: content for name, content in before.items() if not name.startswith("report/")}
    result = CliRunner().invoke(cli, _words(arguments, report, good))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        last = traceback.extract_tb(result.exception.__traceback__)[-1]
        where = f"{Path(last.filename).name}:{last.lineno}"
        return f"{type(result.exception).__name__}: {str(result.exception)[:80]} ({where})"
    after = _files(box)
    if {name: content for name, content in after.items() if not name.startswith(("report/", "out"))} != outside:
        return "something outside was written or removed"
    if after.get("report/notes.txt") != b"mine":
        return "a stranger's file is gone"
    if arguments in READING and arguments[0] != "render" and not before.items() <= after.items():
        return "the folder was changed by a command that reads it"
    if result.exit_code not in (0, 2):
        return f"exit {result.exit_code}: {result.stderr[-200:]}"
    if result.exit_code == 2 and (
        result.stderr.count("Error: ") != 1 or (arguments[0] == "run" and not _refusal(result.stderr))
    ):
        return f"no line that says why: {result.stderr[-300:]!r}"
    same = arguments == RENDER or arguments[0] == "run"
    same = same and change not in (odd_field, odd_arrays, *SHARD_CHANGES)
    if result.exit_code == 0 and same and _pages(report) != _pages(good):
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
    "`render`, `run`, and all that read a report say what is damaged or do what they do with a whole one; nothing "
    "outside is touched",
    trials,
    few=12,
    quick=24,
    full=800,
)
