"""What README and documentation say is so."""

import re
import shlex
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest

from cnnvis_report.cli.main import cli
from tests.test_floors import FLOORS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")]
PAGES += sorted((ROOT / "docs").glob("*.md"))
every_page = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)

sys.path.insert(0, str(ROOT / "docs"))
tables = import_module("tables")


def test_no_table_is_missing() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in PAGES)
    assert {name for name in tables.TABLES if f"<!-- {name}: begin -->\n" not in text} == set()


@every_page
def test_tables_say_what_the_code_says(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert tables.filled(text) == text, "run: python docs/tables.py"


@every_page
def test_links_lead_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        assert target.startswith("https://") or (path.parent / target).exists(), target


@every_page
def test_no_line_is_too_long(path: Path) -> None:
    for line in path.read_text(encoding="utf-8").splitlines():
        assert len(line) <= 125 or line.startswith(("|", "![", "  ")), line


@pytest.mark.parametrize(("package", "floor"), FLOORS.items())
def test_the_page_on_architecture_says_what_is_on_each_floor(package: Any, floor: Any) -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    (row,) = [line for line in page.splitlines() if re.search(rf"^\|.*`{package}(/|\.py)`.*\|", line)]
    assert row.startswith(f"| {floor} |")


def test_files_that_the_page_on_architecture_names_are_there() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"`([a-z_/-]+/[a-z_-]+\.(?:py|js))`", page)
    assert len(named) > 30
    assert [name for name in named if not any((ROOT / top / name).is_file() for top in ("", "cnnvis_report"))] == []


def commands() -> list[str]:
    text = "".join(path.read_text(encoding="utf-8") for path in PAGES if path.name != "CHANGELOG.md")
    for command in cli.commands.values():
        text += command.help or ""
    lines = set(re.findall(r"cnnvis-report [a-z][a-z-]*(?: [^\n`'&#]+)?", text))
    return sorted(line for line in lines if not line.startswith(("cnnvis-report is ", "cnnvis-report reads ")))


@pytest.mark.parametrize("line", commands())
def test_commands_parse(line: Any) -> None:
    words = shlex.split(line)[1:]
    command = cli.commands[words[0]]
    known = {name for option in command.params if isinstance(option, click.Option) for name in option.opts} | {"--help"}
    assert {word for word in words[1:] if word.startswith("-")} <= known


@every_page
def test_options_that_are_named_exist(path: Path) -> None:
    if path.name == "CHANGELOG.md":
        return
    known = {name for command in cli.commands.values() for option in command.params for name in option.opts}
    foreign = {"--count"}  # of `python -m tests.robustness`
    assert set(re.findall(r"`(--[a-z-]+)", path.read_text(encoding="utf-8"))) <= known | foreign


def test_the_two_commands_are_near_the_top() -> None:
    top = README.split("\n## ")[0]
    assert "pip install -c constraints.txt . && cnnvis-report demo -o demo-report\n" in top
    assert "pip install -c constraints.txt -e '.[test]' && pytest\n" in top


def test_the_readme_is_what_a_visitor_needs() -> None:
    assert len(README.splitlines()) <= 100
