"""Help: what a stranger reads first."""

import re
import subprocess
import sys
from typing import Any

import click
import pytest
from click.testing import CliRunner

from cnnvis_report.cli.help import DescribedArgument, GroupedCommand
from cnnvis_report.cli.main import cli
from cnnvis_report.settings import Group
from tests.cli import gold
from tests.conftest import command

ORDER = ["demo", "run", "train", "inspect", "render", "compare", "evidence", "figure", "export", "cite", "methods"]
ORDER += ["layers", "make-dataset"]


def help_of(name: str | None, width: int) -> str:
    words = [name, "--help"] if name else ["--help"]
    return CliRunner().invoke(cli, words, prog_name="cnnvis-report", terminal_width=width).output


@pytest.mark.parametrize("name", [None, *cli.commands], ids=lambda name: name or "all")
def test_help_reads_as_it_did(name: str) -> None:
    gold.check(f"help-{name or 'all'}", help_of(name, 80))


@pytest.mark.parametrize("width", [60, 80, 110])
@pytest.mark.parametrize("name", [None, *cli.commands], ids=lambda name: name or "all")
def test_no_help_is_cut(name: str, width: Any) -> None:
    text = re.sub("(?m)^Usage:.*$", "", help_of(name, width))
    assert not re.search(r"\w(\.\.\.|…)$", text, re.MULTILINE)


def test_a_command_by_itself_has_the_same_help_option() -> None:
    cite = cli.commands["cite"]
    cite._help_option = None  # whatever it answered first
    alone = CliRunner().invoke(cite, ["-h"])
    assert alone.exit_code == 0 and "-h, --help" in alone.output


def test_commands_stand_in_the_order_of_use() -> None:
    listed = help_of(None, 80).partition("Commands:\n")[2].partition("\n\n")[0]
    assert [line.split()[0] for line in listed.splitlines()] == ORDER == list(cli.commands)


def test_options_stand_under_the_headings_in_their_order() -> None:
    headings = re.findall(r"(?m)^([A-Z].*):$", help_of("run", 80))
    assert headings == ["Arguments", *(g.value for g in Group if g is not Group.TRAINING)]
    headings = re.findall(r"(?m)^([A-Z].*):$", help_of("train", 80))
    assert headings == ["Arguments", *(g.value for g in Group if g is not Group.INSPECT)]


def test_exit_status_and_files_are_said_once() -> None:
    texts = {name: help_of(name, 200) for name in [None, *cli.commands]}
    for word in ("130", "run.json", "_COMPLETE", "CNNVIS_REPORT_TRAIN_"):
        assert [name for name, text in texts.items() if word in text] == [None], word


@pytest.mark.parametrize("name", ORDER)
def test_every_help_is_a_sentence(name: str) -> None:
    for parameter in cli.commands[name].params:
        text = getattr(parameter, "description" if isinstance(parameter, DescribedArgument) else "help")
        sentence = re.sub(r"  \[default: .*\]$", "", text)
        assert re.match(r"[A-Z']|shapes |\.pth|auto", sentence) and sentence.endswith("."), (parameter.name, text)
        assert not sentence.startswith(("Of ", "The same ")) and len(sentence) < 330, (parameter.name, text)


@pytest.mark.parametrize("name", ORDER)
def test_every_example_is_on_its_own_line(name: str) -> None:
    lines = [line.strip() for line in help_of(name, 80).splitlines()]
    at = next(place for place, line in enumerate(lines) if line in ("Example:", "Examples:"))
    assert lines[at + 1].startswith(f"cnnvis-report {name} ") and "\\b" not in "".join(lines)
    assert isinstance(cli.commands[name], GroupedCommand) and isinstance(cli.commands[name], click.Command)


def test_help_and_methods_answer_without_torch() -> None:
    code = "import sys; sys.modules['torch'] = None; from cnnvis_report.cli.main import cli; cli(sys.argv[1:])"
    said = subprocess.run([sys.executable, "-c", code, "run", "-h"], capture_output=True, text=True, check=True)
    assert "MODEL IMAGES" in said.stdout
    said = subprocess.run([sys.executable, "-c", code, "methods"], capture_output=True, text=True, check=True)
    assert said.stdout == command("methods").stdout and "grad_cam" in said.stdout
    version = subprocess.run([sys.executable, "-m", "cnnvis_report", "--version"], capture_output=True, text=True)
    assert version.stdout.startswith("cnnvis-report, version ")
