"""A report's folder that is damaged in some way, given to `render` and to `run`."""

import random
import re
import shutil
import traceback
from collections.abc import Iterator
from pathlib import Path

from click.testing import CliRunner

from cnnvis_report.cli.main import cli
from cnnvis_report.synthetic.shapes import draw
from tests.robustness.attack import Attack
from tests.robustness.folder_changes import CHANGES, Change, odd_arrays, odd_field

RUN = ("-m", "grad_cam,gradient", "--classes", "top:1", "--batch-size", "2", "--device", "cpu", "-q")


def _files(folder: Path) -> dict[str, bytes]:
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.stat().st_size < 1 << 24:
            found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found


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
    target = [str(report)] if arguments[0] == "render" else ["-o", str(report)]
    result = CliRunner().invoke(cli, [*arguments, *target])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        last = traceback.extract_tb(result.exception.__traceback__)[-1]
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
