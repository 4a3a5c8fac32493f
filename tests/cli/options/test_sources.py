"""A refused value is named where it stands: the option, the environment variable, or the file and its key."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from cnnvis_report.cli.main import cli
from cnnvis_report.cli.options.options import CONFIG, configured
from cnnvis_report.pipeline.config import ExplainConfig

# a key, a value that is refused, and what is said of it; each kind of setting, early and late refusals
VALUES = {
    "whole number": ("batch-size", "abc", "'abc' isn't a whole number from 1 to 1000000, nor auto."),
    "numbers": ("mean", "red", "'red' isn't numbers with commas between them, such as 0.5,0.5,0.5."),
    "choice": (
        "task",
        "odd",
        "'odd' is not one of 'auto', 'classification', 'multilabel', 'binary', 'regression', 'segm",
    ),
    "checked later": ("device", "gpu", "--device 'gpu' isn't known. Here there are: "),
    "name": ("methods", "gradient,rice", "No method is called 'rice'. Did you mean 'rise'?"),
}


def run(words: tuple[str, ...] = (), environment: dict[str, str] | None = None) -> str:
    words = ("run", "tests.factories:tiny", "nowhere", *words)
    return one_line(CliRunner().invoke(cli, words, env=environment))


def one_line(result: Result) -> str:
    assert result.exit_code == 2 and result.stderr.count("\n") == 1, result.output
    return result.stderr.removeprefix("Error: ")


def file(folder: Path, content: str) -> Path:
    path = folder / "settings.toml"
    path.write_text(content)
    return path


@pytest.mark.parametrize(("key", "value", "message"), VALUES.values(), ids=VALUES)
def test_a_variable_is_named_with_its_value(key: str, value: str, message: str) -> None:
    variable = f"CNNVIS_REPORT_{key.replace('-', '_').upper()}"
    assert run(environment={variable: value}).startswith(f"{variable}={value}: {message}")


@pytest.mark.parametrize(("key", "value", "message"), VALUES.values(), ids=VALUES)
def test_a_key_is_named_with_its_file(key: str, value: str, message: str, tmp_path: Path) -> None:
    path = file(tmp_path, f'{key} = "{value}"')
    assert run(("--config", str(path))).startswith(f"{path}: {key}: {message}")


@pytest.mark.parametrize(("key", "value", "message"), VALUES.values(), ids=VALUES)
def test_what_was_typed_is_named_by_its_option_alone(key: str, value: str, message: str) -> None:
    """Even where a variable gives the setting, too: what is typed goes over it."""
    variable = f"CNNVIS_REPORT_{key.replace('-', '_').upper()}"
    line = run((f"--{key}", value), {variable: value})
    assert message in line and variable not in line


def test_a_flag_is_named_with_its_value() -> None:
    line = run(environment={"CNNVIS_REPORT_SINGLE_FILE": "maybe"})
    assert line.startswith("CNNVIS_REPORT_SINGLE_FILE=maybe: 'maybe' is not a valid boolean")


@pytest.mark.parametrize("option", ["rise.n=-1", "rise.m=3", "gradient.n=3"])
def test_options_of_methods_are_named_where_they_stand(option: str, tmp_path: Path) -> None:
    variable = run(("-m", "gradient,rise"), {"CNNVIS_REPORT_OPTION": option})
    assert variable.startswith(f"CNNVIS_REPORT_OPTION={option}: ")
    method, _, pair = option.partition(".")
    path = file(tmp_path, f"[options.{method}]\n{pair}")
    table = run(("-m", "gradient,rise", "--config", str(path)))
    assert table == variable.replace(f"CNNVIS_REPORT_OPTION={option}", f"{path}: options").replace("'-1'", "-1")


def test_a_variable_that_has_no_part_in_an_error_is_not_named() -> None:
    line = run(("--device", "gpu"), {"CNNVIS_REPORT_METHODS": "gradient", "CNNVIS_REPORT_SEED": "3"})
    assert line.startswith("--device 'gpu' isn't known")


def test_a_long_value_is_cut() -> None:
    line = run(environment={"CNNVIS_REPORT_BATCH_SIZE": "9" * 500})
    assert line.startswith(f"CNNVIS_REPORT_BATCH_SIZE={'9' * 60}… (500 characters): ") and len(line) < 300


VARIABLE, OTHER = "CNNVIS_REPORT_EFFORT", "CNNVIS_REPORT_TIME"
BOTH = "--time chooses the effort, and --effort medium names one: give either."


@pytest.mark.parametrize("command", ["run", "demo", "train"])
def test_a_time_beside_an_effort_of_the_same_source_is_refused(command: str, tmp_path: Path) -> None:
    named = {"run": ("tests.factories:tiny", "nowhere"), "train": ("nowhere", "--report", "r")}.get(command, ())

    def refused(*more: str, **environment: str) -> str:
        words = [command, *named, "-o", str(tmp_path / "new"), *more]
        return one_line(CliRunner().invoke(cli, words, env=environment)).strip()

    assert refused("--effort", "medium", "--time", "10m") == BOTH
    assert refused(**{VARIABLE: "medium", OTHER: "10m"}) == f"{OTHER}=10m: {BOTH}"
    path = file(tmp_path, 'effort = "medium"\ntime = "10m"')
    assert refused("--config", str(path)) == f"{path}: time: {BOTH}"
    assert not (tmp_path / "new").exists()


@click.command()
@configured(ExplainConfig, only=("effort", "time"))
@CONFIG
def settled(config: ExplainConfig) -> None:
    """Say what counts."""
    click.echo(f"{config.effort} {config.time}")


def test_the_stronger_source_of_a_time_and_an_effort_counts(tmp_path: Path) -> None:
    def counts(*words: str, **environment: str) -> str:
        return CliRunner().invoke(settled, words, env=environment).output.strip()

    effort = ("--config", str(file(tmp_path, 'effort = "high"')))
    assert counts(*effort) == "high None" and counts() == "medium None"
    assert counts(*effort, "--time", "10m") == counts(*effort, **{OTHER: "10m"}) == "medium 600.0"
    assert counts("--time", "10m", **{VARIABLE: "low"}) == "medium 600.0"
    assert counts("--effort", "low", **{OTHER: "10m"}) == "low None"
    time = ("--config", str(file(tmp_path, 'time = "10m"')))
    assert counts(*time) == "medium 600.0"
    assert counts(*time, "--effort", "low") == counts(*time, **{VARIABLE: "low"}) == "low None"


def test_what_is_typed_goes_over_a_variable_and_that_over_a_file_which_is_said(tmp_path: Path) -> None:
    def said(*words: str, **environment: str) -> list[str]:
        words = ("run", "tests.factories:tiny", "nowhere", "-o", str(tmp_path / "new"), *words)
        return CliRunner().invoke(cli, words, env=environment).stderr.splitlines()[:-1]

    effort = ("--config", str(file(tmp_path, 'effort = "medium"')))
    (tmp_path / "time").mkdir()
    time = ("--config", str(file(tmp_path / "time", 'time = "10m"')))
    in_file = {name: f"{words[1]}: {name}" for name, words in (("effort", effort), ("time", time))}
    assert said("--time", "10m", **{VARIABLE: "low"}) == [f"Effort    --time counts; {VARIABLE}=low isn't used"]
    assert said("--effort", "medium", **{OTHER: "10m"}) == [f"Effort    --effort counts; {OTHER}=10m isn't used"]
    assert said("--time", "10m", *effort) == [f"Effort    --time counts; {in_file['effort']} isn't used"]
    assert said("--effort", "low", *time) == [f"Effort    --effort counts; {in_file['time']} isn't used"]
    assert said(*time, **{VARIABLE: "low"}) == [f"Effort    {VARIABLE}=low counts; {in_file['time']} isn't used"]
    assert said(*effort, **{OTHER: "1h"}) == [f"Effort    {OTHER}=1h counts; {in_file['effort']} isn't used"]
    for words in (("--time", "10m"), ("--effort", "medium"), effort, time, ()):
        assert said(*words) == []
    assert said("--effort", "low", "--time", "1h", "-q") == [] and said("-q", "--time", "1h", **{VARIABLE: "low"}) == []
