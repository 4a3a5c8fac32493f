"""The words of a command from settings, and back: what is written is what was asked for."""

import shlex
from pathlib import Path
from typing import NoReturn

import pytest
from click.testing import CliRunner

from cnnvis_report.cli.commands.inspect import inspect
from cnnvis_report.cli.commands.run import run
from cnnvis_report.pipeline.config import RunConfig
from cnnvis_report.pipeline.run_record import repeat_command
from cnnvis_report.settings import Group, settings_table
from cnnvis_report.settings.command import command_words

SETTINGS = {
    "defaults": {},
    "names and numbers": {"methods": "grad_cam,rise", "size": 64, "mean": "0.5,0.25,0.125", "seed": 7, "batch_size": 3},
    "what can be repeated": {"layers": ["layer2", "layer4"], "units": ["conv:3", "conv:5:1,2"]},
    "options": {"options": ["smoothgrad.n=50", "rise.p=0.3"]},
    "a name with a space and a quote": {"weights": 'my "best" weights.pt'},
    "a flag": {"trust": True},
}


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_the_command_asks_for_what_was_asked_for(
    settings: dict[str, object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = RunConfig.of("tests.factories:tiny", images=["photos"], **settings)
    program, command, *words = shlex.split(repeat_command(config, 5))
    assert (program, command) == ("cnnvis-report", "run")
    asked: list[RunConfig] = []

    def stop(config: RunConfig) -> NoReturn:
        asked.append(config)
        raise InterruptedError

    monkeypatch.setattr("cnnvis_report.pipeline.setup.set_up", stop)
    monkeypatch.chdir(tmp_path)
    CliRunner().invoke(run, words)
    assert settings_table(asked[0]) == settings_table(config)


def test_only_names_of_files_are_told() -> None:
    config = RunConfig.of("/home/somebody/model.pt", images=["/home/somebody/photos"], output="/home/somebody/out")
    assert command_words(config) == ["model.pt", "photos"]


def test_a_demo_says_how_many_images() -> None:
    assert repeat_command(RunConfig.of("demo", images=[], seed=3), 12) == "cnnvis-report demo --images 12 --seed 3"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"images": ["a/photos"]}, "photos"),
        ({"images": ["photos"], "inspect": "full", "units": ["conv:3"]}, "photos --inspect full --unit conv:3"),
        ({"images": [], "maximize": ["goldfish"]}, "--maximize goldfish"),
    ],
    ids=["default", "full", "without images"],
)
def test_an_inspection_is_repeated_by_its_own_command(
    more: dict[str, object], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = RunConfig.of("resnet18", methods=(), metrics="none", **{"inspect": "standard", **more})
    command = repeat_command(config, len(config.data.images))
    assert command == f"cnnvis-report inspect resnet18 {words}"
    asked: list[RunConfig] = []
    monkeypatch.setattr("cnnvis_report.pipeline.setup.set_up", lambda config: asked.append(config))
    CliRunner().invoke(inspect, shlex.split(command)[2:])
    assert {**settings_table(asked[0]), "images": []} == {**settings_table(config), "images": []}


def test_the_table_of_an_inspection_says_nothing_of_maps() -> None:
    table = settings_table(RunConfig.of("net", methods=()), (Group.EXPLAIN,))
    assert not {"methods", "effort", "classes", "options", "layers", "precision", "metrics"} & set(table)
    assert {"model", "inspect", "seed"} <= set(table)


def test_what_python_handed_over_has_no_command() -> None:
    assert repeat_command(RunConfig.of("module", images=[]), 12) == ""
