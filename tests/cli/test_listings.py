"""What `methods` and `layers` list."""

import json
import re
from dataclasses import fields
from pathlib import Path

import pytest
import torch

from cnnvis_report import explain
from cnnvis_report.cli.main import cli
from cnnvis_report.errors import NotApplicable
from cnnvis_report.methods.registry import methods
from cnnvis_report.records.methods import MethodInfo
from cnnvis_report.records.network import LayerRecord
from cnnvis_report.report.views.methods.definition import definition
from tests import factories
from tests.conftest import command
from tests.exhaustive import represented

SMOOTH, FLAT = "tests.factories:smooth", "tests.factories:flat"


def test_methods_are_listed_and_described() -> None:
    listed = command("methods").stdout
    assert [line.split()[0] for line in listed.splitlines()[1:]] == [entry.name for entry in methods()]
    assert all(entry.info.source in listed for entry in methods())


@pytest.mark.parametrize("name", represented([entry.name for entry in methods()], by=12))
def test_a_method_is_described_in_full(name: str) -> None:
    (entry,) = [entry for entry in methods() if entry.name == name]
    said, words = command("methods", name.replace("_", "-")).stdout, definition(entry.info)
    for text in (entry.info.summary, *words.paragraphs, words.maps, words.not_applicable, *words.options.values()):
        assert text in said or text in " ".join(said.split())
    assert "Args:" not in said and all(f"-O {name}.{option}=" in said for option in entry.info.options)
    (described,) = json.loads(command("methods", name, "--json").stdout)
    assert (described["name"], described["title"], described["text"]) == (name, entry.info.title, entry.info.text)
    assert described["options"] == entry.info.options and "applicable" not in described


def test_methods_say_to_which_network_they_are_applicable() -> None:
    said = {entry["name"]: entry for entry in json.loads(command("methods", "--json", "--for", SMOOTH).stdout)}
    assert list(said) == [entry.name for entry in methods()]
    assert said["gradient"]["applicable"] and said["gradient"]["reason"] is None
    reason = "1 SiLU activation has no ReLU rule"
    assert (said["guided_backprop"]["applicable"], said["guided_backprop"]["reason"]) == (False, reason)
    assert f"not applicable: {reason}" in command("methods", "--for", SMOOTH).stdout
    assert f"Not applicable to {SMOOTH}: {reason}." in command("methods", "guided-backprop", "--for", SMOOTH).stdout
    assert f"Applicable to {SMOOTH}." in command("methods", "gradient", "--for", SMOOTH).stdout
    flat = {entry["name"]: entry for entry in json.loads(command("methods", "--json", "--for", FLAT).stdout)}
    with pytest.raises(NotApplicable) as refused:  # the same words where maps are asked for
        explain(factories.flat(), torch.zeros(1, 3, 40, 40), 0, "grad_cam")
    reason = flat["grad_cam"]["reason"]
    assert "has no layer with a spatial size" in reason and reason.split(" ", 1)[1] in str(refused.value)
    assert flat["gradient"]["applicable"]


def test_a_network_is_opened_for_methods_as_for_layers(tmp_path: Path) -> None:
    torch.save(factories.smooth().state_dict(), tmp_path / "smooth.pt")
    opening = ["--arch", SMOOTH]
    said = command("methods", "guided-backprop", "--for", tmp_path / "smooth.pt", *opening).stdout
    assert "Not applicable to" in said and "1 SiLU activation has no ReLU rule" in said
    words = [{word for option in cli.commands[name].params for word in option.opts} for name in ("methods", "layers")]
    assert words[1] - words[0] == {"model"}


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        (["--size", "64"], "--size does"),
        (["--trust", "-w", "net.pt"], "--weights and --trust do"),
        (["--arch", "resnet18", "--arg", "classes=3", "grad_cam"], "--arch and --arg do"),
    ],
)
def test_options_of_a_network_are_not_ignored_without_one(
    typed: list[str], names: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = command("methods", *typed, code=2).stderr
    assert refused == f"Error: {names} nothing without --for: give --for MODEL, too.\n"
    monkeypatch.setenv("CNNVIS_REPORT_SIZE", "64")  # which is for other commands
    command("methods", "grad_cam")


def test_what_programs_read_is_what_the_docs_say() -> None:
    """The docs name two records, whose tables are those of the code, and what is left out and added."""
    text = (Path(__file__).parents[2] / "docs" / "choosing-a-method.md").read_text(encoding="utf-8")
    (said,) = [part for part in text.split("\n\n") if part.startswith("With `--json`")]
    of_methods, of_layers = said.split("`cnnvis-report layers MODEL --json`")
    left_out, added = of_methods.partition("but for")[2].split("with `options", 1)
    fields_of_methods = {field.name for field in fields(MethodInfo)} - set(re.findall(r"`(\w+)`", left_out))
    more = set(re.findall(r"`(\w+)`", f"`options{added}"))
    for_network = json.loads(command("methods", "--for", SMOOTH, "--json").stdout)
    assert all(set(entry) == fields_of_methods | more for entry in for_network)
    alone = json.loads(command("methods", "--json").stdout)
    assert all(set(entry) == fields_of_methods | more - {"applicable", "reason"} for entry in alone)
    layers = json.loads(command("layers", SMOOTH, "--json").stdout)
    expected = {field.name for field in fields(LayerRecord)} | set(re.findall(r"`(\w+)`", of_layers))
    assert layers and all(set(layer) == expected for layer in layers)


def test_layers_are_listed_in_the_order_in_which_they_run() -> None:
    layers = command("layers", "tests.factories:tiny").stdout
    assert [line.split()[0] for line in layers.splitlines()[1:6]] == [f"features.{number}" for number in range(5)]
    assert "*  features" in layers and "8×20×20" in layers
    listed = json.loads(command("layers", "tests.factories:tiny", "--json").stdout)
    rows = [line.removeprefix("*").split()[0] for line in layers.splitlines()[1:-2]]
    assert [layer["name"] for layer in listed] == rows
    assert [layer["name"] for layer in listed if layer["default"]] == ["features"]
    assert next(layer["shape"] for layer in listed if layer["name"] == "features") == [8, 20, 20]
    assert "512×7×7" in command("layers", "resnet18").stdout
