"""A setting is the same wherever it is given: on the command line, in a file, in the environment or in Python."""

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnnvis_report.cli.options.options import CONFIG, PREFIX, configured
from cnnvis_report.pipeline.config import RunConfig
from cnnvis_report.rules.rule import RuleText
from cnnvis_report.settings import SettingInfo, build, does_nothing, settings_of, values_of
from cnnvis_report.settings.kinds import Choice, Flag, Integer, Names, Numbers, Real, Several
from cnnvis_report.settings.text_kinds import Assignment, ChoiceOrFile, Duration, MethodOptions, Size

properties = settings(
    deadline=None, derandomize=True, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
WORDS = st.text("abcxyz019_.", min_size=1, max_size=8).filter(lambda word: word.strip("."))
INFOS = {info.name: info for info in settings_of(RunConfig)}
OPTIONS = [info for info in INFOS.values() if not info.argument]


def values(info: SettingInfo) -> st.SearchStrategy:
    """What may be given for a setting, as TOML would hold it."""
    kind, several = (info.kind.of, True) if isinstance(info.kind, Several) else (info.kind, False)
    one: st.SearchStrategy = WORDS
    if isinstance(kind, Choice):
        one = st.sampled_from([*kind.words, *(word for word, _ in kind.synonyms)])
    elif isinstance(kind, Flag):
        one = st.booleans()
    elif isinstance(kind, Integer):
        one = st.integers(kind.low, min(kind.high, 10**6))
    elif isinstance(kind, Real):
        one = st.floats(kind.above, kind.high, exclude_min=True).map(lambda number: round(number, 6))
    elif isinstance(kind, Numbers):
        one = st.lists(st.floats(-1e3, 1e3).map(lambda number: round(number, 3)), min_size=1, max_size=4)
    elif isinstance(kind, Names):
        one = st.lists(WORDS, min_size=1, max_size=3)
    elif isinstance(kind, Assignment):
        one = WORDS.map(lambda word: f"name={word}")
    elif isinstance(kind, ChoiceOrFile):
        one = st.sampled_from([*kind.words, "labels.csv"])
    elif isinstance(kind, Size):
        one = st.integers(1, 10**9) | st.integers(1, 99).map(lambda number: f"{number}MB")
    elif isinstance(kind, Duration):
        one = st.integers(1, 10**6) | st.integers(1, 99).map(lambda number: f"{number}m")
    elif isinstance(kind, RuleText):
        one = st.integers(0, 99).map(lambda number: f"broken>{number}")
    elif isinstance(kind, MethodOptions):
        names = st.text("abc_", min_size=1, max_size=5)
        return st.dictionaries(names, st.dictionaries(names, st.integers(0, 99) | WORDS, min_size=1), max_size=2)
    return st.lists(one, min_size=1, max_size=3) if several else one


def without_refused(values: dict[str, Any]) -> dict[str, Any]:
    """The values less those that another of them chooses, and those that do nothing without another."""
    chosen = {INFOS[name].instead_of for name, value in values.items() if value is not None}
    values = {name: value for name, value in values.items() if name not in chosen}
    return {name: value for name, value in values.items() if not does_nothing(INFOS[name], INFOS, values)}


CHOSEN = st.fixed_dictionaries({}, optional={info.name: values(info) for info in OPTIONS}).map(without_refused)


@click.command()
@configured(RunConfig)
@CONFIG
def probe(config: RunConfig) -> None:
    click.get_current_context().obj.append(config)


def parsed(words: list[str], env: dict[str, str] | None = None) -> RunConfig:
    seen: list[RunConfig] = []
    result = CliRunner().invoke(probe, ["net", "photos", *words], obj=seen, env=env, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return seen[0]


def as_options(chosen: dict[str, Any]) -> list[str]:
    words = []
    for name, value in chosen.items():
        info = INFOS[name]
        if isinstance(info.kind, MethodOptions):
            words += [f"--{info.key}={m}.{o}={text}" for m, options in value.items() for o, text in options.items()]
        elif isinstance(info.kind, Flag):
            words += [f"--{info.key}"] if value else []
        elif isinstance(info.kind, Several):
            words += [f"--{info.key}={entry}" for entry in value]
        else:
            words += [f"--{info.key}={','.join(map(str, value)) if isinstance(value, list) else value}"]
    return words


def as_toml(chosen: dict[str, Any]) -> str:
    plain = {name: value for name, value in chosen.items() if not isinstance(INFOS[name].kind, MethodOptions)}
    lines = [f"{INFOS[name].key} = {json.dumps(value)}" for name, value in plain.items()]
    for method, options in chosen.get("options", {}).items():
        lines += [f"[options.{method}]", *(f"{name} = {json.dumps(value)}" for name, value in options.items())]
    return "\n".join(lines)


def comparable(config: RunConfig) -> dict[str, Any]:
    """A configuration's values; options of methods get their types from the method, so from the shell they are text."""
    found = values_of(config)
    found["options"] = {m: {o: str(v) for o, v in options.items()} for m, options in found["options"].items()}
    return found


@properties
@given(CHOSEN)
def test_a_file_says_what_options_say(tmp_path: Path, chosen: dict[str, Any]) -> None:
    (tmp_path / "run.toml").write_text(as_toml(chosen), "utf-8")
    from_file = parsed([f"--config={tmp_path / 'run.toml'}"])
    assert comparable(from_file) == comparable(parsed(as_options(chosen)))


@properties
@given(CHOSEN)
def test_a_call_from_python_says_what_options_say(chosen: dict[str, Any]) -> None:
    called = RunConfig.of("net", images=[Path("photos")], **chosen)
    assert comparable(called) == comparable(parsed(as_options(chosen)))


@properties
@given(CHOSEN)
def test_options_go_before_the_file(tmp_path: Path, chosen: dict[str, Any]) -> None:
    (tmp_path / "run.toml").write_text('seed = 5\nmetrics = "full"\nlayer = ["first"]\n', "utf-8")
    both = parsed([f"--config={tmp_path / 'run.toml'}", *as_options(chosen)])
    expected = {"seed": 5, "metrics": "full", "layers": ["first"]} | chosen
    assert comparable(both) == comparable(parsed(as_options(expected)))


@properties
@given(CHOSEN)
def test_a_configuration_is_built_from_its_own_values(chosen: dict[str, Any]) -> None:
    config = RunConfig.of("net", **chosen)
    assert build(RunConfig, without_refused(values_of(config))) == config


@pytest.mark.parametrize("info", [info for info in OPTIONS if isinstance(info.kind, Choice)], ids=lambda info: info.key)
def test_a_choice_is_taken_from_the_environment(info: SettingInfo) -> None:
    assert isinstance(info.kind, Choice)
    word = info.kind.words[-1]
    words = ["--limit", "3"] if info.only_with else []
    assert values_of(parsed(words, {PREFIX + info.variable: word}))[info.name] == word
