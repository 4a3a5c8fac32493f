"""Values of options, whatever they are: taken for what they say, or refused in one short line."""

import datetime
import math
import os
import re
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnnvis_report.cli.main import cli
from cnnvis_report.errors import BadRequest, UnknownName, shown
from cnnvis_report.methods.registry import Method, methods
from cnnvis_report.methods.selection import select
from cnnvis_report.records.methods import AS_DEFINED
from cnnvis_report.settings.kinds import File, FileName, Integer, Integers, Names, Numbers, Real, Text
from cnnvis_report.settings.numbers import LARGEST, number, whole_number
from tests.conftest import command
from tests.exhaustive import represented

QUICK = settings(
    max_examples=15, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
DIGITS = "9" * 5000


def kind_of(option: click.Parameter) -> str:
    """What decides which values it takes: its type, the type's settings, and how many there may be."""
    return f"{option.type.__class__} {getattr(option.type, 'kind', '')} {option.multiple} {option.nargs}"


OPTIONS = {
    kind_of(option): (f"{name} {max(option.opts, key=len)}", option)
    for name, subcommand in reversed(list(cli.commands.items()))
    for option in reversed(subcommand.params)
    if not getattr(option, "is_flag", False) and option.name != "config"
}
SINGLE = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["²", "٣", DIGITS, "nan", "inf", "1e999", "", " ", "\0", "\ud800", "true", "x" * 200_000, "1_0"]),
    st.integers(),
    st.just(10**4000),
    st.floats(),
    st.booleans(),
    st.dates(),
    st.just(datetime.time(12)),
)
ANY = st.recursive(SINGLE, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner))


@pytest.mark.parametrize(
    "option", represented([pytest.param(option, id=name) for name, option in OPTIONS.values()], by=12)
)
def test_every_option_takes_a_value_or_refuses_it_in_a_short_line(option: Any) -> None:
    @QUICK
    @given(ANY)
    def try_one(value: Any) -> None:
        context = click.Context(click.Command("any"))
        try:
            option.type_cast_value(context, [value] if option.multiple or option.nargs == -1 else value)
        except click.BadParameter as error:
            assert "\n" not in error.message and len(error.message) < 600

    try_one()


@QUICK
@given(st.sampled_from([method for method in methods() if method.info.options]), st.data())
def test_options_of_methods_are_within_their_bounds_or_refused(method: Method, data: Any) -> None:
    key = data.draw(st.sampled_from(sorted(method.info.options)))
    try:
        value = method.options_at(AS_DEFINED, {key: data.draw(ANY)})[key]
    except (BadRequest, UnknownName) as error:
        assert "\n" not in str(error) and len(str(error)) < 600
        return
    assert type(value) is type(method.info.options[key])
    assert isinstance(value, str) or math.isfinite(value)


def test_every_number_that_a_method_takes_has_bounds() -> None:
    without = [
        f"{method.name}.{key}"
        for method in methods()
        for key, default in method.info.options.items()
        if not isinstance(default, str) and key not in method.bounds
    ]
    assert not without


@pytest.mark.parametrize("method", [method for method in methods() if method.bounds], ids=lambda method: method.name)
def test_defaults_and_ends_of_bounds_are_taken_and_what_lies_beyond_is_not(method: Method) -> None:
    assert method.options_at(AS_DEFINED, {}) == method.info.options
    for key, bounds in method.bounds.items():
        if isinstance(bounds, tuple):
            assert all(method.options_at(AS_DEFINED, {key: word})[key] == word for word in bounds)
            continue
        kind = type(method.info.options[key])
        beyond = [bounds.low - 1, bounds.high + 1, *([bounds.low, bounds.high] if bounds.open else [])]
        for value in beyond:
            with pytest.raises(BadRequest, match=re.escape(f"it takes a number {bounds}.")):
                method.options_at(AS_DEFINED, {key: kind(value)})
        if not bounds.open:
            assert [method.options_at(AS_DEFINED, {key: kind(end)})[key] for end in (bounds.low, bounds.high)] == [
                bounds.low,
                bounds.high,
            ]


@QUICK
@given(st.integers(-(10**29), 10**29), st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_and_their_digits_are_the_same(whole: Any, real: Any) -> None:
    assert whole_number(whole) == whole_number(str(whole)) == whole_number(f" {whole} ") == whole
    assert number(real) == number(repr(real)) == real


@pytest.mark.parametrize("value", ["²", "٣", DIGITS, "1_0", "0x1", "1e3", "", "--1", True, None, 1.5, math.nan, [1]])
def test_what_is_no_whole_number(value: Any) -> None:
    assert whole_number(value) is None


@pytest.mark.parametrize("value", ["nan", "inf", "-Infinity", "1e999", "٣", "1_0", "", True, None, math.inf, [1]])
def test_what_is_no_number(value: Any) -> None:
    assert number(value) is None


def test_numbers_of_thousands_of_digits_are_none() -> None:
    huge = 10**5000
    assert number(huge) is None
    for kind in (Integer(0), Real(0, 10), Integer(1, auto=True), Text(numbers=True)):
        with pytest.raises(BadRequest, match="of many digits isn't"):
            kind.parse(huge)
    with pytest.raises(BadRequest, match="of many digits"):
        select(["smoothgrad"])[0].options_at(AS_DEFINED, {"n": huge})


@pytest.mark.parametrize(
    ("kind", "value", "wanted"),
    [
        (Integer(1, 5), "5", 5),
        (Integer(0), LARGEST, LARGEST),
        (Real(0, 10), "1e-3", 0.001),
        (Numbers(), "0.5, 1 -2e0", (0.5, 1.0, -2.0)),
        (Numbers(), [0.5, 1], (0.5, 1.0)),
        (Integers(), "10,1,5,1", (1, 5, 10)),
        (Integers(), "", ()),
        (Integer(1, auto=True), "auto", None),
        (Integer(1, auto=True), 8, 8),
        (Text(numbers=True), 224, "224"),
        (Text(several=True), ["a", "b"], "a,b"),
        (Text(), "кот 猫", "кот 猫"),
        (FileName(), "кот.pt", "кот.pt"),
        (File(), "кот.pt", Path("кот.pt")),
        (Names(), "a, b,", ("a", "b")),
        (Names(), ["a", "b"], ("a", "b")),
    ],
)
def test_what_is_meant_is_taken(kind: Any, value: Any, wanted: Any) -> None:
    assert kind.parse(value) == kind.parse(kind.parse(value)) == wanted


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("seed = 2020-01-01", "seed: datetime.date(2020, 1, 1) isn't a whole number"),
        ("strict = 1", "strict is 1; it takes true or false"),
        ("mean = [[1, 2], [3]]", "mean: [[1, 2], [3]] isn't numbers"),
        ("batch-size = 4\nbatch_size = 8", "'batch_size' is there twice"),
        ("options = 3", "give a table for each method"),
        ("options.gradient = [1]", "options.gradient is [1]; give a table"),
        ("options.smoothgrad.n = true", "it takes a whole number"),
        ("options.smoothgrad.n = [1]", "it takes a text, a number, or true or false"),
        (f"seed = {DIGITS}", "can't be read as TOML"),
        ("a = " + "[" * 5000, "too deep"),
        ("# " + "x" * (1 << 20), "more than 1 MB"),
        ("limit = 3\x00", "can't be read as TOML"),
    ],
)
def test_a_settings_file_is_checked_as_the_options_are(content: Any, said: Any, tmp_path: Path) -> None:
    path = tmp_path / "odd.toml"
    path.write_text(content)
    words = ("run", "tests.factories:tiny", tmp_path, "-m", "smoothgrad,gradient", "--config", path)
    result = command(*words, code=2)
    assert said in result.stderr and result.stderr.count("\n") == 1


@pytest.mark.parametrize("kind", ["folder", "pipe", "device", "binary"])
def test_a_settings_file_is_a_small_regular_file(kind: Any, tmp_path: Path) -> None:
    path = tmp_path / "odd.toml"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.write_bytes(b"\xff\xfe\0\x01")
    result = command("run", "tests.factories:tiny", tmp_path, "--config", path, code=2)
    assert result.stderr.count("\n") == 1 and "odd.toml" in result.stderr


def test_long_values_are_cut_where_they_are_shown() -> None:
    assert shown("short") == "'short'"
    assert len(shown("x" * 10**6)) < 100 and "1000002 characters" in shown("x" * 10**6)
    assert shown(10**5000) == "a int of many digits"
