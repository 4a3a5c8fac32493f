"""Options of `train` that do nothing without a report: none of them is ignored in silence."""

import json
from pathlib import Path

import click
import pytest

from cnnvis_report.cli.help import GroupedOption
from cnnvis_report.cli.main import cli
from cnnvis_report.settings import Group
from tests.conftest import command

OF_A_REPORT = [option for option in cli.commands["train"].params if getattr(option, "needs", "") == "report"]
VALUES = {
    "methods": "grad_cam",
    "effort": "low",
    "time": "90",
    "max_size": "30MB",
    "share": "minimal",
    "copy": "there",
    "fail_if": "accuracy<1",
    "summary": "summary.md",
    "json": "numbers.json",
}


def test_the_options_of_a_report_are_those_of_its_headings() -> None:
    headings = {Group.EXPLAIN, Group.SHARE, Group.REPORT}
    of_training = {"output", "report", "quiet", "verbose", "log_format"}
    under = {
        option.name
        for option in cli.commands["train"].params
        if isinstance(option, GroupedOption) and option.group in headings
    }
    assert {option.name for option in OF_A_REPORT} == under - of_training


@pytest.mark.parametrize("option", OF_A_REPORT, ids=lambda option: option.name)
def test_an_option_of_a_report_is_refused_where_none_is_written(
    option: click.Option, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, value = str(option.name), VALUES.get(str(option.name))
    word = max(option.opts, key=len)
    train = ("train", tmp_path, "-o", tmp_path / "model.pt")
    advice = "does nothing without --report: give --report DIR, too.\n"
    assert command(*train, word, *([value] if value else []), code=2).stderr == f"Error: {word} {advice}"
    settings = tmp_path / "settings.toml"
    settings.write_text(f"{word[2:]} = {json.dumps(value or True)}", encoding="utf-8")
    in_file = command(*train, "--config", settings, code=2).stderr
    assert in_file == f"Error: {settings}: {word[2:]} {advice}"
    monkeypatch.setenv(str(option.envvar), value or "1")  # which is for commands that write one
    assert command(*train, code=2).stderr.startswith("Error: No image in"), name


def test_all_of_them_are_named_at_once_and_what_is_off_is_not(tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text("zip = false\nopen = true\nfail-if = []", encoding="utf-8")
    refused = command("train", tmp_path, "--config", settings, "--effort", "low", "-m", "cam", code=2).stderr
    expected = f"--methods, --effort and {settings}: open do nothing without --report"
    assert refused == f"Error: {expected}: give --report DIR, too.\n"


def test_a_report_takes_them(tmp_path: Path) -> None:
    refused = command("train", tmp_path, "--report", tmp_path / "report", "--effort", "low", code=2).stderr
    assert refused.startswith("Error: No image in")
