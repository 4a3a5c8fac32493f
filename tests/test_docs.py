"""What the README says is so."""

import re
import shlex
from pathlib import Path

import click
import pytest

from cnnvis_report.cli.main import cli
from cnnvis_report.methods.registry import methods
from cnnvis_report.report.views.images import in_families

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def table() -> str:
    """The README's table of methods."""
    by_name = {entry.name: entry.info for entry in methods()}
    rows = ["| name | what it shows | source |", "|---|---|---|"]
    for card in in_families(list(by_name.values())):
        rows.append(f"| `{card.name}` | {card.summary} | {card.source} |")
    return "\n".join(rows)


def test_the_table_of_methods_is_the_registry():
    assert table() in README, f"Paste this into README.md, under Methods:\n\n{table()}\n"


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_lead_somewhere(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert target.startswith("https://") or (ROOT / target).exists(), target


def commands() -> list[str]:
    text = README + (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for command in cli.commands.values():
        text += command.help or ""
    return sorted(set(re.findall(r"cnnvis-report [a-z]+(?: [^\n`'&#]+)?", text)))


@pytest.mark.parametrize("line", commands())
def test_commands_parse(line):
    words = shlex.split(line)[1:]
    if words[0] not in cli.commands:
        assert line == "cnnvis-report is", "prose"
        return
    command = cli.commands[words[0]]
    known = {name for option in command.params if isinstance(option, click.Option) for name in option.opts} | {"--help"}
    assert {word for word in words[1:] if word.startswith("-")} <= known


def test_options_named_in_the_readme_exist():
    known = {name for command in cli.commands.values() for option in command.params for name in option.opts}
    assert set(re.findall(r"`(--[a-z-]+)", README)) <= known


def test_the_two_commands_are_near_the_top():
    top = README.split("\n## ")[0]
    assert "pip install -c constraints.txt . && cnnvis-report demo -o demo-report\n" in top
    assert "pip install -c constraints.txt -e '.[test]' && pytest\n" in top
