"""Arguments of factories from texts: typed by annotation or default, and refused by name."""

from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Optional

import pytest

from cnnvis_report.errors import BadRequest
from cnnvis_report.models.own_code.arguments import typed_arguments
from tests.conftest import command


class Size(Enum):
    SMALL = 1
    LARGE = 2


def factory(
    classes: int,
    dropout: float = 0.5,
    *,
    pretrained: bool = False,
    name: str = "a",
    widths: list[int] | None = None,
    sides: tuple[int, int] = (1, 2),
    many: Sequence[float] = (),
    act: Literal["relu", "gelu"] = "relu",
    size: Size = Size.SMALL,
    weights: Path | None = None,
    depth: Optional[int] = None,  # noqa: UP045 # as older code has it
    noted: Annotated[int, "a note"] = 0,
    plain: Any = None,
) -> None: ...


READ: dict[str, dict[str, Any]] = {
    "classes=10": {"classes": 10},
    "dropout=1": {"dropout": 1.0},
    "dropout=1e-3": {"dropout": 0.001},
    "pretrained=yes": {"pretrained": True},
    "pretrained=False": {"pretrained": False},
    "name=10": {"name": "10"},
    "name=none": {"name": "none"},
    "widths=8,16": {"widths": [8, 16]},
    "widths=[8, 16]": {"widths": [8, 16]},
    "widths=none": {"widths": None},
    "sides=3,4": {"sides": (3, 4)},
    "many=1,2.5": {"many": [1.0, 2.5]},
    "act=gelu": {"act": "gelu"},
    "size=LARGE": {"size": Size.LARGE},
    "size=2": {"size": Size.LARGE},
    "weights=a/b.pth": {"weights": Path("a/b.pth")},
    "depth=None": {"depth": None},
    "depth=4": {"depth": 4},
    "noted=5": {"noted": 5},
    "plain=5": {"plain": 5},
    "plain=0.5": {"plain": 0.5},
    "plain=true": {"plain": True},
    "plain=a,1": {"plain": ["a", 1]},
    "plain=resnet18": {"plain": "resnet18"},
}


@pytest.mark.parametrize("text", READ)
def test_values_get_the_type_that_the_function_states(text: str) -> None:
    name, _, value = text.partition("=")
    given = {"classes": "10"} | {name: value}
    expected = {"classes": 10} | READ[text]
    arguments = typed_arguments(factory, given, "net:factory")
    assert arguments == expected and [type(arguments[name])] == [type(expected[name])]


@pytest.mark.parametrize(
    ("text", "value"), {"bare=0.5": 0.5, "bare=5": 5, "flags=true,no": (True, False), "word=5": "5"}.items()
)
def test_a_default_states_a_type_too(text: str, value: object) -> None:
    name, _, typed = text.partition("=")
    arguments = typed_arguments(lambda bare=3, flags=(True, False), word="a": None, {name: typed}, "f")
    assert arguments == {name: value} and type(arguments[name]) is type(value)


REFUSED = {
    "classes=ten": "--arg classes=ten: classes of net:factory is a whole number.",
    "classes=1.5": "--arg classes=1.5: classes of net:factory is a whole number.",
    "dropout=half": "--arg dropout=half: dropout of net:factory is a number.",
    "pretrained=maybe": "--arg pretrained=maybe: pretrained of net:factory is true or false.",
    "sides=1,2,3": "--arg sides=1,2,3: sides of net:factory is 2 values between commas.",
    "act=tanh": "--arg act=tanh: act of net:factory is one of relu, gelu.",
    "depth=deep": "--arg depth=deep: depth of net:factory is none or a whole number.",
    "clases=3": "No parameter of net:factory is called 'clases'. Did you mean 'classes'? Known: classes, dropout,",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_isnt_of_its_type_or_unknown_is_refused_as_it_was_typed(text: str) -> None:
    name, _, value = text.partition("=")
    with pytest.raises(BadRequest) as caught:
        typed_arguments(factory, {"classes": "10"} | {name: value}, "net:factory")
    assert REFUSED[text] in str(caught.value)


def test_required_ones_are_asked_for_with_how_to_give_them() -> None:
    with pytest.raises(BadRequest, match=r"^net:factory: can't be called without classes: give --arg classes=10\.$"):
        typed_arguments(factory, {}, "net:factory")


def test_a_function_without_parameters_says_so() -> None:
    with pytest.raises(BadRequest, match=r"^--arg a=1: net:f has no parameters\.$"):
        typed_arguments(lambda: None, {"a": "1"}, "net:f")


def test_keywords_without_names_take_what_isnt_known() -> None:
    def keywords(classes: int, **more: object) -> None: ...

    assert typed_arguments(keywords, {"classes": "3", "b": "2,3"}, "f") == {"classes": 3, "b": [2, 3]}


def test_known_values_are_filtered_and_given_ones_go_over_them() -> None:
    known = {"classes": 7, "lr": 0.1, "_class_path": "x", "dropout": 0.2}
    assert typed_arguments(factory, {"dropout": "0.4"}, "f", known) == {"classes": 7, "dropout": 0.4}


def test_what_only_a_position_can_give_is_said() -> None:
    def by_position(classes: int, /) -> None: ...

    with pytest.raises(BadRequest, match="classes can't be given by name"):
        typed_arguments(by_position, {"classes": "3"}, "f")


NET = """
from __future__ import annotations
from torch import nn


def build(classes: int, size=16):
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.LazyLinear(classes)), {"size": size}


class Net(nn.Sequential):
    def __init__(self, classes: int = 2):
        super().__init__(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, classes))


ready = Net()
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "with_arguments.py").write_text(NET)
    return tmp_path


def test_the_command_line_gives_them_to_a_class(folder: Path) -> None:
    result = command("layers", "with_arguments.py:Net", "--size", 16, "--arg", "classes=7")
    assert result.exit_code == 0 and "7" in result.stdout


ON_THE_COMMAND_LINE = {
    "nothing given": (("with_arguments.py:build",), "can't be called without classes: give --arg classes=10."),
    "a network": (("with_arguments.py:ready", "--arg", "classes=3"), "ready is a network already"),
    "another type": (("with_arguments.py:Net", "--arg", "classes=x y"), "--arg classes=x y: classes of"),
    "a name of torchvision": (
        ("resnet18", "--arg", "classes=3"),
        "--arg 'classes=3': resnet18 is a classifier of torchvision, which has no use for --arg.",
    ),
    "an architecture beside a name": (
        ("resnet18", "--arch", "resnet34"),
        "--arch 'resnet34': resnet18 is a classifier of torchvision, which has no use for --arch.",
    ),
    "no value": (("with_arguments.py:Net", "--arg", "classes"), "give NAME=VALUE, such as classes=10"),
}


@pytest.mark.parametrize("what", ON_THE_COMMAND_LINE)
def test_refusals_are_one_line(what: str, folder: Path) -> None:
    words, says = ON_THE_COMMAND_LINE[what]
    result = command("layers", *words, code=2)
    assert says in result.stderr and result.stderr.strip().count("\n") <= 2
