"""Options that do nothing without another: none of them is ignored in silence, unless a variable has it."""

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from cnnvis_report.cli.help import GroupedCommand, GroupedOption
from cnnvis_report.cli.main import cli
from cnnvis_report.cli.options.options import CONFIG, configured
from cnnvis_report.errors import BadRequest
from cnnvis_report.pipeline.config import RunConfig
from cnnvis_report.settings import Group, settings_of, values_of
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
DEPENDENT = {info.name: info for info in settings_of(RunConfig) if info.only_with}
OF_DEPENDENT: dict[str, str | int] = {
    "address": "auto",
    "exchange": "s3://bucket/x",
    "workers": 2,
    "copy": "there",
    "limit_order": "first",
}
WITH = {
    "address": ["--engine ray"],
    "exchange": ["--engine ray"],
    "workers": ["--engine ray"],
    "copy": ["--anonymous", "--share minimal"],
    "limit_order": ["--limit N"],
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


def test_variables_of_a_report_are_no_contradiction_where_none_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNNVIS_REPORT_EFFORT", "low")
    monkeypatch.setenv("CNNVIS_REPORT_TIME", "90")
    assert command("train", tmp_path, code=2).stderr.startswith("Error: No image in")
    assert "--time chooses the effort" in command("train", tmp_path, "--report", tmp_path / "r", code=2).stderr


def test_a_report_takes_them(tmp_path: Path) -> None:
    refused = command("train", tmp_path, "--report", tmp_path / "report", "--effort", "low", code=2).stderr
    assert refused.startswith("Error: No image in")


@pytest.mark.parametrize("name", DEPENDENT)
def test_a_setting_that_does_nothing_without_another_is_refused_unless_a_variable_has_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = DEPENDENT[name]
    settings = tmp_path / "settings.toml"
    settings.write_text(f"{info.key} = {json.dumps(OF_DEPENDENT[name])}", encoding="utf-8")
    ways = WITH[name]
    advice = f"give {ways[0]}" if len(ways) == 1 else "give one of them"
    line = f"--{info.key} does nothing without {' or '.join(ways)}: {advice}, too.\n"
    run = ("run", "resnet18", tmp_path / "nowhere", "-o", tmp_path / "report")
    assert command(*run, f"--{info.key}", OF_DEPENDENT[name], code=2).stderr == f"Error: {line}"
    in_file = command(*run, "--config", settings, code=2).stderr
    assert in_file == f"Error: {settings}: {info.key}: {line}"
    with pytest.raises(BadRequest, match="does nothing without"):
        RunConfig.of("resnet18", **{name: OF_DEPENDENT[name]})
    monkeypatch.setenv(f"CNNVIS_REPORT_{info.variable}", str(OF_DEPENDENT[name]))  # which is for other commands
    assert parsed_run("resnet18", "photos") == RunConfig.of("resnet18", images=["photos"])
    for way in ways:
        config = parsed_run("resnet18", "photos", *way.replace(" N", " 3").split())
        assert str(values_of(config)[name]) == str(OF_DEPENDENT[name]), "the variable counts where it does something"


IDLE: dict[str, tuple[str, str]] = {
    "units": ("--unit", "features.0:1"),
    "maximize": ("--maximize", "cat"),
    "parametrization": ("--parametrization", "pixels"),
    "init": ("--init", "image"),
}


@pytest.mark.parametrize("name", [info.name for info in settings_of(RunConfig) if info.idle_with])
def test_a_setting_of_layers_is_refused_where_none_is_inspected(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    key, value = IDLE[name]
    none = ("run", "resnet18", "nowhere", "--inspect", "none")
    line = f"Error: {key} does nothing with --inspect none: give one of the two.\n"
    assert command(*none, key, value, code=2).stderr == line
    monkeypatch.setenv("CNNVIS_REPORT_" + key[2:].upper(), value)
    assert parsed_run("resnet18", "photos", "--inspect", "none") == RunConfig.of(
        "resnet18", images=["photos"], inspect="none"
    )
    config = parsed_run("resnet18", "photos")
    assert values_of(config)[name] in (value, (value,)), "the variable counts where layers are inspected"


@pytest.mark.parametrize("name", ["parametrization", "init"])
def test_how_features_are_visualized_is_refused_where_none_are(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    key, value = IDLE[name]
    quick = ("run", "resnet18", "nowhere", "--methods", "quick")
    line = f"Error: {key} does nothing where no layer is inspected: give --inspect quick, too.\n"
    assert command(*quick, key, value, code=2).stderr == line
    for asked in (("--inspect", "quick"), ("--unit", "features.0:1"), ("--maximize", "cat"), ("-m", "cam,standard")):
        assert values_of(parsed_run(*quick[1:], *asked, key, value))[name] == value
    monkeypatch.setenv("CNNVIS_REPORT_" + key[2:].upper(), value)
    assert parsed_run(*quick[1:]) == RunConfig.of("resnet18", images=["nowhere"], methods=["quick"])


@pytest.mark.parametrize("value", ["none", "auto"])
def test_a_variable_for_commands_that_take_more_stops_none_that_takes_less(
    value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNNVIS_REPORT_INSPECT", value)
    words = ("inspect", "tests.factories:tiny", "-o", tmp_path / "report", "--maximize", "nothing")
    assert command(*words, code=2).stderr.startswith("Error: No class is called 'nothing'"), (
        "it gets as far as what --maximize names"
    )
    monkeypatch.setenv("CNNVIS_REPORT_INSPECT", "ful")
    refused = command(*words, code=2).stderr
    assert "CNNVIS_REPORT_INSPECT" in refused and "'ful' is not one of 'quick', 'standard', 'full'" in refused


def parsed_run(*words: str) -> RunConfig:
    """What `run` would be called with."""
    seen: list[RunConfig] = []

    @click.command(cls=GroupedCommand)
    @configured(RunConfig)
    @CONFIG
    def run(config: RunConfig) -> None:
        seen.append(config)

    result = CliRunner().invoke(run, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return seen[0]
