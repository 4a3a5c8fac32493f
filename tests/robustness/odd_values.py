"""Odd values for every option of every command, from the shell and from a settings file: a line and 2, or taken.

What the commands do with values that they take is left out: a trial ends where the work would begin.
"""

import random
from collections.abc import Iterator
from contextlib import ExitStack, chdir
from pathlib import Path
from unittest.mock import patch

import click
from click.testing import CliRunner
from PIL import Image

from cnnvis_report.cli.main import cli
from cnnvis_report.errors import CnnVisError
from cnnvis_report.methods.registry import methods
from cnnvis_report.settings.kinds import Integer, Integers, Numbers, Real
from tests.robustness.attack import Attack

DIGITS = "9" * 5000
TEXTS = (
    "²", "٣", "١,٢", DIGITS, f"-{DIGITS}", "nan", "inf", "-inf", "1e999", "0x10", "1_000", "-1", "0", "1.5", "", "   ",
    "\t", "\n", "a\0b", "a\nb", "\x1b[31m", "\ud800", "true", "[]", "[" * 5000, "1,2;3", ",", ":", "::", ":x", "..:x",
    "a:b:c", "x" * 200_000, "../" * 2000, "a" * 300, "top:²", f"top:{DIGITS}", "layer:²", "0x0", f"{DIGITS}x1", "²x²",
    "~nobody123x", "~nobody123x/net.py:net",
)  # fmt: skip
# of which no option that takes numbers takes any
NO_NUMBERS = frozenset(TEXTS) - {"-1", "0", "1.5", "", "   ", "\t", "\n", ","}
TOML = (
    '"²"', '""', '"\\u0000"', "true", "-1", "0", "1.5", "nan", "-inf", "2020-01-01", "12:00:00", "[]", "[[1, 2], [3]]",
    '[1, "a", true]', "{a = 1}", "[" * 5000, DIGITS, f'"{"x" * 200_000}"', '["a", "b"]', "[nan]", "{a = {b = [1]}}",
)  # fmt: skip
ENDS = (
    "cnnvis_report.cli.finish.report", "cnnvis_report.cli.finish.select", "cnnvis_report.training.demo.demonstrate",
    "cnnvis_report.training.train.train", "cnnvis_report.synthetic.write.write_set",
    "cnnvis_report.cli.terminal.network_tables.layers_table",
)  # fmt: skip


class Reached(CnnVisError):
    """A value was taken, and work would begin."""

    exit_code = 0


def words_of(command: str) -> list[str]:
    """The command as it would run, but for the option that is tried."""
    network = ["tests.factories:tiny", "pictures"]
    quick = ["-m", "gradient", "--inspect", "none", "--metrics", "none"]
    return {
        "run": ["run", *network, *quick],
        "inspect": ["inspect", *network],
        "demo": ["demo", *quick],
        "train": ["train", "pictures"],
        "make-dataset": ["make-dataset", "shapes", "-o", "drawn"],
        "layers": ["layers", network[0]],
    }[command]


def options_of(command: str) -> list[click.Option]:
    """The options of a command that take a value."""
    return [each for each in cli.commands[command].params if isinstance(each, click.Option) and not each.is_flag]


def cases() -> list[tuple[str, list[str], str, bool]]:
    """What is tried: a name, the words, the content of a settings file, and whether it has to be refused."""
    found = []
    for command in ("run", "inspect", "demo", "train", "make-dataset", "layers"):
        words = words_of(command)
        for option in options_of(command):
            name = max(option.opts, key=len)
            number = isinstance(getattr(option.type, "kind", None), Integer | Real | Numbers | Integers)
            found += [(f"{command} {name} {value[:20]!r}", [*words, name, value], "", number and value in NO_NUMBERS)
                      for value in TEXTS]  # fmt: skip
            if any(each.name == "config" for each in cli.commands[command].params):
                key = name.removeprefix("--")
                found += [(f"{command} {key} = {value[:20]}", [*words, "--config", "odd.toml"], f"{key} = {value}",
                           False) for value in TOML]  # fmt: skip
        if any(isinstance(each, click.Argument) for each in cli.commands[command].params):
            found += [(f"{command} {value[:20]!r}", [command, value, *words[2:]], "", False) for value in TEXTS]
    for method in methods():
        for key, default in method.info.options.items():
            number = not isinstance(default, str)
            base = [*words_of("run"), "-m", method.name]
            found += [(f"-O {method.name}.{key}={value[:20]!r}", [*base, "-O", f"{method.name}.{key}={value}"], "",
                       number and value in NO_NUMBERS) for value in TEXTS]  # fmt: skip
            found += [(f"options.{method.name}.{key} = {value[:20]}", [*base, "--config", "odd.toml"],
                       f"[options.{method.name}]\n{key} = {value}", False) for value in TOML]  # fmt: skip
    random.Random(0).shuffle(found)
    return found


def tried(words: list[str], settings: str, refused: bool) -> str:
    """What was wrong with the command's answer; nothing where it was a line and 2, or the value was taken."""
    Path("odd.toml").write_text(settings, encoding="utf-8")
    with ExitStack() as stack:
        for end in ENDS:
            stack.enter_context(patch(end, side_effect=Reached("taken")))
        result = CliRunner().invoke(cli, words)
    error = result.exception
    if error is not None and not isinstance(error, SystemExit):
        return f"{type(error).__name__}: {str(error)[:80]}"
    if result.exit_code not in (0, 2):
        return f"exit {result.exit_code}: {result.stderr[:80]}"
    if result.exit_code == 0:
        return "was taken" if refused else ""
    lines = result.stderr.count("\n")
    return "" if lines == 1 and len(result.stderr) < 5000 else f"{lines} lines, {len(result.stderr)} characters"


def trials(numbers: range, folder: Path) -> Iterator[str]:
    """Some of the cases, in an order of their own."""
    pictures = folder / "pictures"
    for number in range(4):
        place = pictures / ("circle", "cross")[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 40), (40 * number, 90, 20)).save(place / f"{number}.png")
    with chdir(folder):
        for name, words, settings, refused in cases()[numbers.start : numbers.stop]:
            wrong = tried(words, settings, refused)
            yield f"{name}: {wrong}" if wrong else ""


ATTACK = Attack(
    "odd values",
    "a value that an option can't take gets one line and exit code 2, before any work",
    trials,
    few=60,
    quick=150,
    full=3000,
)
