"""Whole commands with any options: taken or refused in one line, and alike from shell, file and environment."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import click
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnnvis_report.cli.main import cli
from cnnvis_report.cli.options.types import SettingType
from cnnvis_report.errors import CnnVisError
from cnnvis_report.settings import build
from cnnvis_report.settings.kinds import Choice, Integer, Kind, Numbers, Real

MANY = settings(
    max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
WORDS = {
    "demo": ["demo"],
    "run": ["run", "network", "pictures"],
    "train": ["train", "pictures"],
    "inspect": ["inspect", "network"],
    "layers": ["layers", "network"],
    "make-dataset": ["make-dataset", "shapes", "-o", "drawn"],
}
# where work begins: nothing before it may raise anything but a refusal in one line
BEGINNINGS = (
    "cnnvis_report.pipeline.setup.set_up",
    "cnnvis_report.training.demo.demonstrate",
    "cnnvis_report.training.train.train",
    "cnnvis_report.synthetic.write.write_set",
    "cnnvis_report.cli.terminal.network_tables.layers_table",
)
ODD = ["²", "٣", "9" * 5000, "nan", "inf", "-1", "0", "1.5", "1e999", " ", "\n", "\x1b[31m", "true", ",", "x" * 5000]


class Begun(CnnVisError):
    """The options were taken, and work would begin."""

    exit_code = 0


@dataclass(frozen=True)
class Outcome:
    """How a command ended, and the configurations that it was called with."""

    code: int
    error: str
    configs: tuple[object, ...]


@contextmanager
def without_work() -> Iterator[list[object]]:
    """Commands end where work begins; the list gets the configurations that were built before."""
    built: list[object] = []
    plain: Callable[..., object] = build

    def recorded(*given: Any) -> object:
        built.append(plain(*given))
        return built[-1]

    with ExitStack() as stack:
        for beginning in BEGINNINGS:
            stack.enter_context(patch(beginning, side_effect=Begun("begun")))
        stack.enter_context(patch("cnnvis_report.cli.finish.claim"))
        stack.enter_context(patch("cnnvis_report.cli.options.options.build", side_effect=recorded))
        yield built


def outcome(words: list[str], environment: dict[str, str]) -> Outcome:
    with without_work() as built:
        result = CliRunner().invoke(cli, words, env=environment)
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code in (0, 2), result.output
    error = result.stderr
    if error.startswith("{"):  # of --log-format json, where all is a line of JSON each, and the error is the last
        error = f"Error: {[json.loads(line) for line in error.splitlines()][-1].get('message')}\n"
    if result.exit_code == 2:
        assert error.startswith("Error: ") and error.count("\n") == 1, result.stderr
        assert len(error) < 5000
    return Outcome(result.exit_code, error, tuple(built))


def valid(kind: Kind) -> st.SearchStrategy[str]:
    if isinstance(kind, Choice):
        return st.sampled_from(kind.words)
    if isinstance(kind, Integer):
        return st.integers(kind.low, min(kind.high, 10**9)).map(str)
    if isinstance(kind, Real):
        return st.floats(kind.above, kind.high, exclude_min=True).map(str)
    if isinstance(kind, Numbers):
        return st.lists(st.floats(0, 1), min_size=1, max_size=3).map(lambda numbers: ",".join(map(str, numbers)))
    return st.sampled_from(["name", "a,b", "8", "top:2", "кот", "a.b=3", "folder/file.png"])


def takers(name: str) -> list[click.Option]:
    """The options of a command that take a value, but the file of settings."""
    return [
        parameter
        for parameter in cli.commands[name].params
        if isinstance(parameter, click.Option)
        and isinstance(parameter.type, SettingType)
        and parameter.name != "config"
    ]


def values(option: click.Option) -> st.SearchStrategy[str]:
    assert isinstance(option.type, SettingType)
    odd = st.one_of(st.sampled_from(ODD), st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12))
    return st.one_of(valid(option.type.kind), valid(option.type.kind), odd)


@pytest.mark.parametrize("name", WORDS)
def test_any_options_are_taken_or_refused_in_one_line_wherever_they_stand(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "settings.toml"
    from_file = any(parameter.name == "config" for parameter in cli.commands[name].params)

    @MANY
    @given(st.data())
    def try_some(data: Any) -> None:
        chosen = data.draw(st.lists(st.sampled_from(takers(name)), max_size=4, unique_by=lambda option: option.name))
        given_values = {option.name: data.draw(values(option), label=str(option.name)) for option in chosen}
        typed = [word for option in chosen for word in (max(option.opts, key=len), given_values[option.name])]
        typed += data.draw(st.lists(st.sampled_from(flags(name)), max_size=2)) if flags(name) else []
        shell = outcome([*WORDS[name], *typed], {})
        idle = " nothing with" in shell.error  # such as `train --zip` without --report, `run --workers` without ray
        assert shell.code == 0 or chosen or idle, shell.error
        flagged = typed[2 * len(chosen) :]
        if from_file and all(option.name != "options" for option in chosen):
            lines = [f"{max(o.opts, key=len)[2:]} = {toml(given_values[o.name])}" for o in chosen]
            path.write_text("\n".join(lines), encoding="utf-8")
            filed = outcome([*WORDS[name], *flagged, "--config", str(path)], {})
            assert (filed.code, filed.configs) == (shell.code, shell.configs), (shell.error, filed.error)
        if idle:
            return  # where a variable for other commands is no reason
        if all(option.envvar and not option.multiple and given_values[option.name] for option in chosen):
            environment = {str(option.envvar): given_values[option.name] for option in chosen}
            surrounded = outcome([*WORDS[name], *flagged], environment)
            assert (surrounded.code, surrounded.configs) == (shell.code, shell.configs), (shell.error, surrounded.error)

    try_some()


def toml(text: str) -> str:
    """The text as a basic string of TOML."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def flags(name: str) -> list[str]:
    return [
        max(parameter.opts, key=len)
        for parameter in cli.commands[name].params
        if isinstance(parameter, click.Option) and parameter.is_flag and parameter.name not in ("help", "as_json")
    ]
