"""What `methods` and `layers` list."""

import json

import pytest

from cnnvis_report.methods.registry import methods
from tests.conftest import command

SMOOTH, FLAT = "tests.factories:smooth", "tests.factories:flat"


def test_methods_are_listed_and_described() -> None:
    listed = command("methods").stdout
    assert [line.split()[0] for line in listed.splitlines()[1:]] == [entry.name for entry in methods()]
    assert all(entry.info.source in listed for entry in methods())


@pytest.mark.parametrize("name", [entry.name for entry in methods()])
def test_a_method_is_described_in_full(name: str) -> None:
    (entry,) = [entry for entry in methods() if entry.name == name]
    assert entry.info.text in command("methods", name.replace("_", "-")).stdout
    (described,) = json.loads(command("methods", name, "--json").stdout)
    assert (described["name"], described["title"], described["text"]) == (name, entry.info.title, entry.info.text)
    assert described["options"] == entry.info.options and "defined" not in described


def test_methods_say_for_which_network_they_are_defined() -> None:
    said = {entry["name"]: entry for entry in json.loads(command("methods", "--json", "--for", SMOOTH).stdout)}
    assert list(said) == [entry.name for entry in methods()]
    assert said["gradient"]["defined"] and said["gradient"]["reason"] is None
    reason = "1 SiLU activation has no ReLU rule"
    assert (said["guided_backprop"]["defined"], said["guided_backprop"]["reason"]) == (False, reason)
    assert f"no: {reason}" in command("methods", "--for", SMOOTH).stdout
    assert f"Not defined for {SMOOTH}: {reason}." in command("methods", "guided-backprop", "--for", SMOOTH).stdout
    assert f"Defined for {SMOOTH}." in command("methods", "gradient", "--for", SMOOTH).stdout
    flat = {entry["name"]: entry for entry in json.loads(command("methods", "--json", "--for", FLAT).stdout)}
    assert flat["grad_cam"]["reason"] == "no layer has a spatial size" and flat["gradient"]["defined"]


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
