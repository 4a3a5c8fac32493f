"""Options, file keys, environment variables and the report's table come from the fields of the configuration."""

from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from cnnvis_report.cli.help import GroupedCommand
from cnnvis_report.cli.main import cli
from cnnvis_report.cli.options.options import CONFIG, PREFIX, configured
from cnnvis_report.errors import BadRequest, UnknownName
from cnnvis_report.pipeline.config import MachineConfig, ModelConfig, RunConfig
from cnnvis_report.settings import Group, build, identity_part, setting, settings_of, settings_table, values_of
from cnnvis_report.settings.kinds import Choice, Flag, Several
from cnnvis_report.settings.text_kinds import MethodOptions
from cnnvis_report.training.config import TrainConfig
from tests.conftest import command

SETTINGS = {info.name: info for info in settings_of(RunConfig)}


@dataclass(frozen=True)
class LargerMachine(MachineConfig):
    """A copy of a part with one field more."""

    cooling: str = setting("air", "What keeps the machine cool.", Choice(("air", "water")))


@dataclass(frozen=True)
class LargerConfig:
    """A configuration with that part."""

    model: ModelConfig
    machine: LargerMachine = field(default_factory=LargerMachine)


def larger(seen: list[LargerConfig]) -> click.Command:
    @click.command(cls=GroupedCommand)
    @configured(LargerConfig)
    @CONFIG
    def tool(config: LargerConfig) -> None:
        seen.append(config)

    return tool


@pytest.mark.parametrize(
    ("words", "environment", "file", "cooling"),
    [
        ((), {}, "", "air"),
        (("--cooling", "water"), {}, "", "water"),
        ((), {"CNNVIS_REPORT_COOLING": "water"}, "", "water"),
        ((), {}, 'cooling = "water"', "water"),
        (("--cooling", "air"), {"CNNVIS_REPORT_COOLING": "water"}, 'cooling = "water"', "air"),
        ((), {"CNNVIS_REPORT_COOLING": "air"}, 'cooling = "water"', "air"),
    ],
    ids=["default", "option", "variable", "file", "the option wins", "the variable wins over the file"],
)
def test_one_more_field_is_an_option_a_variable_a_file_key_and_a_row(
    words: Any, environment: Any, file: Any, cooling: Any, tmp_path: Path
) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(file)
    seen: list[LargerConfig] = []
    result = CliRunner().invoke(larger(seen), ["net", "--config", str(path), *words], env=environment)
    assert result.exit_code == 0, result.output
    (config,) = seen
    assert config.machine.cooling == cooling
    assert settings_table(config)["cooling"] == cooling
    assert config == build(LargerConfig, {"model": "net", "cooling": cooling})


def test_one_more_field_is_in_the_help_and_in_the_identity() -> None:
    text = CliRunner().invoke(larger([]), ["--help"]).output
    machine = text.partition("Machine:")[2].partition("General:")[0]
    assert "--cooling [air|water]" in machine and "What keeps the machine cool." in machine
    water = build(LargerConfig, {"model": "net", "cooling": "water"})
    assert identity_part(water) == {"cooling": "water"}, "a new setting decides unless its field says otherwise"


def test_names_of_settings_are_unique() -> None:
    infos = settings_of(RunConfig)
    for names in ([info.name for info in infos], [info.key for info in infos], [i.short for i in infos if i.short]):
        assert len(names) == len(set(names))


@pytest.mark.parametrize("config", [RunConfig, TrainConfig])
def test_every_default_is_a_value_of_its_kind(config: Any) -> None:
    for info in settings_of(config):
        if not info.required and info.default is not None:
            assert info.kind.parse(info.default) == info.default, info.name


def test_variables_of_a_training_are_its_own() -> None:
    """Its batch size and its output are others than those of a run."""
    own = {info.name for info in settings_of(TrainConfig) if not info.argument}
    for parameter in cli.commands["train"].params:
        if isinstance(parameter, click.Option) and parameter.envvar:
            prefix = "CNNVIS_REPORT_TRAIN_" if parameter.name in own else "CNNVIS_REPORT_"
            assert parameter.envvar == prefix + max(parameter.opts, key=len)[2:].replace("-", "_").upper()


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_an_option_of_run(name: str) -> None:
    info = SETTINGS[name]
    (parameter,) = [parameter for parameter in cli.commands["run"].params if parameter.name == name]
    if info.argument:
        assert isinstance(parameter, click.Argument)
        return
    assert isinstance(parameter, click.Option) and f"--{info.key}" in parameter.opts
    assert parameter.envvar == PREFIX + info.key.replace("-", "_").upper()
    assert parameter.is_flag == isinstance(info.kind, Flag)
    assert parameter.multiple == isinstance(info.kind, Several | MethodOptions)


def test_a_configuration_from_python_takes_what_the_shell_takes(tmp_path: Path) -> None:
    config = RunConfig.of("resnet50", images=[tmp_path], mean="0.5,0.5,0.5", select="wrong", methods="rise, cam")
    assert config.preprocessing.mean == (0.5, 0.5, 0.5) and config.data.select == "misclassified"
    assert config.explain.methods == ("rise", "cam") and config.data.images == (str(tmp_path),)
    assert RunConfig.of("resnet50", **{n: v for n, v in values_of(config).items() if n != "model"}) == config
    with pytest.raises(UnknownName, match=r"No setting is called 'methds'\. Did you mean 'methods'"):
        RunConfig.of("resnet50", methds=("rise",))
    with pytest.raises(BadRequest, match="seed: 'x' isn't a whole number"):
        RunConfig.of("resnet50", seed="x")


def test_the_table_names_no_folder_of_this_machine(tmp_path: Path) -> None:
    config = RunConfig.of(
        str(tmp_path / "net.pt"), images=(tmp_path / "a", tmp_path / "b.png"), masks=tmp_path / "m", limit=3
    )
    table = settings_table(config)
    assert str(tmp_path) not in repr(table)
    assert (table["model"], table["images"], table["masks"]) == ("net.pt", ["a", "b.png"], "m")
    assert table["limit_order"] == "balanced"
    assert "output" not in table and "task" not in table and "select" not in table
    plain = settings_table(RunConfig.of("net"))
    assert "limit_order" not in plain and settings_table(RunConfig.of("net", task="binary"))["task"] == "binary"


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("/home/somebody/photos/", "photos"),
        ("photos/2024", "2024"),
        ("torchvision:CIFAR10@/home/somebody/data", "torchvision:CIFAR10@data"),
        ("s3://bucket/set/photos.zip", "s3://bucket/set/photos.zip"),
        ("https://user:secret@host/photos.zip?key=1", "https://host/photos.zip"),
    ],
)
def test_images_are_stated_without_folders_and_secrets(text: str, stated: str) -> None:
    assert settings_table(RunConfig.of("net", images=[text]))["images"] == [stated]


@pytest.mark.parametrize("name", [name for name, info in SETTINGS.items() if info.decides])
def test_settings_that_decide_are_part_of_the_identity(name: str) -> None:
    values = {"labels": "folders", "task": "regression", "select": "correct", "keep": "full", "shard_size": 7}
    value = values[name]
    assert identity_part(RunConfig.of("net", **{name: value})) == {name: value}
    assert identity_part(RunConfig.of("net")) == {}


def test_parts_are_frozen_and_small() -> None:
    for part in fields(RunConfig):
        kind = type(getattr(RunConfig.of("net"), part.name))
        assert kind.__dataclass_params__.frozen and len(fields(kind)) <= 10, part.name


def test_options_of_methods_from_the_shell_go_over_those_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("[options.smoothgrad]\nn = 4\nlevel = 0.3\n")
    seen: list[RunConfig] = []

    @click.command()
    @configured(RunConfig, fixed={"model": "net", "images": ()})
    @CONFIG
    def tool(config: RunConfig) -> None:
        seen.append(config)

    CliRunner().invoke(tool, ["--config", str(path), "-O", "smoothgrad.n=2"], catch_exceptions=False)
    assert seen[0].explain.options == {"smoothgrad": {"n": "2", "level": 0.3}}


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("run", "a", "b", "--only", "wrong"), "--select"),
        (("run", "a", "b", "--inside", "all"), "--inspect"),
        (("run", "a", "b", "--evaluate"), "--metrics"),
        (("run", "a", "b", "--metric", "full"), "--metrics"),
        (("inspect", "a", "--prefer", "x"), "--maximize"),
        (("train", "a", "--balance"), "--class-weights"),
        (("inside", "a"), "inspect"),
        (("draw", "layers"), "make-dataset"),
        (("trian", "a"), "train"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_other_words_for_options_and_commands_are_answered_with_ours(words: Any, meant: Any) -> None:
    result = command(*words, code=2)
    assert meant in result.stderr and result.stderr.count("\n") == 1


def test_a_group_is_said_once_a_class() -> None:
    assert all(isinstance(info.group, Group) for config in (RunConfig, TrainConfig) for info in settings_of(config))
    assert replace(SETTINGS["seed"], group=Group.MODEL).group is Group.MODEL
