"""A comparison's folder that is damaged in some way, written anew, given to commands that want a run, and read."""

import random
import shutil
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from click.testing import CliRunner

from cnnvis_report.cli.main import cli
from cnnvis_report.errors import BadRequest
from cnnvis_report.records.comparison import Comparison
from cnnvis_report.store.comparison.comparison_file import load_comparison
from tests.robustness.attack import Attack
from tests.robustness.commands import COMMANDS, differences, files_in, undisturbed
from tests.robustness.comparison_changes import CHANGES, SEALED
from tests.robustness.damage import peak
from tests.robustness.folder_changes import Change

MORE = 500  # MB
AGAIN = ("compare", "old", "report", "-o", "changes", "-q")
COPIED = (*AGAIN, "--share", "minimal", "--zip")
READ = ("read",)
WANTED = (
    *(AGAIN, COPIED),
    ("run", "../../given/net.py:tiny", "../../given/pictures", "-m", "gradient", "-q", "-o", "changes"),
    ("compare", "changes", "report", "-o", "other", "-q"),
    ("compare", "report", "changes", "-o", "other", "-q"),
    *((name, "changes") for name in ("render", "evidence", "cite")),
    ("figure", "changes", "-o", "other.svg"),
    ("export", "changes", "-o", "other"),
)
WRITING = (AGAIN, COPIED)


@dataclass(frozen=True)
class _Right:
    """The files of a folder in which a comparison was written, and its record, with its images."""

    files: dict[str, str]
    record: Comparison


def trials(numbers: range, folder: Path) -> Iterator[str]:
    """Each a folder that is damaged in one way, and what is done with it: half of the time its record is read."""
    trial = undisturbed(COMMANDS["compare"][0])
    whole = trial.again(folder)
    assert CliRunner().invoke(cli, _words(AGAIN, whole)).exit_code == 0
    right = _Right(files_in(whole), _with_images(load_comparison(whole / "changes")))
    for number in numbers:
        chance = random.Random(number)
        change, wanted = CHANGES[number % len(CHANGES)], READ if chance.randrange(2) else chance.choice(WANTED)
        fault = _trial(whole, folder / "box", right, change, chance, wanted)
        yield f"{number} ({change.__name__}, {' '.join(wanted[:2])}): {fault}" if fault else ""


def _words(arguments: Sequence[str], work: Path) -> list[str]:
    """The words of a command with the places that they name."""
    given = work.parents[1] / "given"
    here = {name: str(work / name) for name in ("old", "report", "changes", "other", "other.svg")}
    return [here.get(word, word.replace("../../given", str(given))) for word in arguments]


def _trial(
    whole: Path,
    box: Path,
    right: "_Right",
    change: Change,
    chance: random.Random,
    wanted: Sequence[str],
) -> str:
    shutil.rmtree(box, ignore_errors=True)
    work = Path(shutil.copytree(whole, box / "work"))
    (work / "elsewhere").mkdir()
    for mine in ("precious.txt", "elsewhere/precious.txt"):
        (work / mine).write_text("mine")
    change(work / "changes", chance)
    (work / "changes" / "notes.txt").write_text("mine")
    before, memory = _strangers(work), peak()
    said = _read(work / "changes", right, change) if wanted is READ else _commanded(work, right, wanted)
    if said:
        return said
    if _strangers(work) != before:
        return "something outside, or a stranger's file, was written or removed"
    more = peak() - memory
    return f"{more} MB more" if more > MORE else ""


def _strangers(work: Path) -> dict[str, str]:
    """What isn't the program's to change: whatever it is told to write to, and this comparison, aside."""
    mine = {"changes/notes.txt": (work / "changes" / "notes.txt").read_text()}
    ours = ("changes", "other")
    return mine | {path.name: str(files_in(path)) for path in sorted(work.iterdir()) if not path.name.startswith(ours)}


def _read(folder: Path, right: "_Right", change: Change) -> str:
    """What is wrong with how the record is read: as it was, or refused in a line."""
    try:
        found = _with_images(load_comparison(folder))
    except BadRequest as error:
        return "" if str(error) and "\n" not in str(error) else f"no line that says why: {error!r}"
    except Exception as error:
        return _said(error)
    return "" if found == right.record or change in SEALED else "other images or figures, and not a word"


def _with_images(record: Comparison) -> Comparison:
    return replace(record, images=tuple(record.images))


def _commanded(work: Path, right: "_Right", wanted: Sequence[str]) -> str:
    """What is wrong with what a command does: it writes the comparison anew, or refuses the folder in a line."""
    result = CliRunner().invoke(cli, _words(wanted, work))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        return _said(result.exception)
    if result.exit_code not in (0, 2) or (result.exit_code == 2 and result.stderr.count("Error: ") != 1):
        return f"exit {result.exit_code}: {result.stderr[-300:]!r}"
    if not result.exit_code and wanted not in WRITING:
        return "a comparison was taken for a run"
    if result.exit_code:
        return ""
    found = {name: digest for name, digest in files_in(work).items() if name in right.files}
    return f"exit 0, and {differences(found, right.files)}" if found != right.files else ""


def _said(error: BaseException) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {str(error)[:80]} ({Path(last.filename).name}:{last.lineno})"


ATTACK = Attack(
    "damaged comparisons",
    "A comparison's folder is written anew or refused, never taken for a run; its record is read as it was written, or "
    "what was changed is said; nothing outside is touched.",
    trials,
    few=10,
    quick=28,
    full=400,
)
