"""Addresses where no cluster is, and a computer without Ray: one line each, and nothing runs here in their place."""

import socket
import sys
from pathlib import Path

import pytest

from tests.conftest import command

RUN = ("run", "resnet18", "pictures", "-o", "report")


def refused(*words: object) -> str:
    said = command(*RUN, *words, code=2).stderr
    (line,) = said.splitlines()
    assert not Path("report").exists(), "nothing was made"
    return line


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_without_ray_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert refused("--engine", "ray") == (
        "Error: --engine ray needs Ray: pip install 'cnnvis-report[ray]', on every node."
    )


def test_an_address_without_the_engine_is_refused() -> None:
    for words in (("--workers", "2"), ("--address", "auto")):
        assert refused(*words) == f"Error: {words[0]} does nothing without --engine ray: give --engine ray, too."


@pytest.fixture
def any_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that is there; nobody gets as far as to call it."""
    monkeypatch.setitem(sys.modules, "ray", type(sys)("ray"))


@pytest.mark.usefixtures("any_ray")
def test_an_address_where_nobody_answers_is_one_line() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    line = refused("--engine", "ray", "--address", f"127.0.0.1:{port}")
    assert line.startswith(f"Error: --address 127.0.0.1:{port}: no Ray cluster answers there (Connection refused).")
    assert "`ray start --head` starts one" in line


@pytest.mark.usefixtures("any_ray")
@pytest.mark.parametrize("address", ["ray://10.0.0.1:10001", "10.0.0.1:port", ":6379", "10.0.0.1:70000"])
def test_what_is_no_address_is_one_line(address: str) -> None:
    line = refused("--engine", "ray", "--address", address)
    assert f"--address {address!r}: isn't auto, nor HOST:PORT of a head, such as 10.0.0.1:6379." in line
