"""What lies beside the weights in a checkpoint: the inert is let in, what could run code is named."""

import argparse
import collections
import datetime
import os
import pathlib
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cnnvis_report.errors import BadRequest
from cnnvis_report.models.checkpoints.safe_unpickle import Inert, unpickle
from cnnvis_report.models.load import load_model
from tests.exhaustive import represented
from tests.models.checkpoints.test_checkpoints import loaded, same, under
from tests.models.conftest import State


def attribute_dict(module: str) -> Any:
    """A class of Lightning's, under its own name, as it would be pickled where Lightning is installed."""
    kind = type("AttributeDict", (dict,), {"__module__": module, "__qualname__": "AttributeDict"})
    return kind(lr=0.1)


BESIDE = {
    "arguments": argparse.Namespace(lr=0.1, out=pathlib.Path("runs")),
    "number": np.float64(0.83),
    "array": np.arange(6.0).reshape(2, 3),
    "dtype": np.dtype("float32"),
    "generator": np.random.default_rng(0),
    "default": collections.defaultdict(list, {"loss": [1.0]}),
    "queue": collections.deque([1, 2], maxlen=3),
    "date": datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC),
    "difference": datetime.timedelta(1),
    "path": pathlib.Path("runs"),
    "other path": pathlib.PureWindowsPath("C:/runs"),
    "namespace": types.SimpleNamespace(a=1),
    "frozen": frozenset({1}),
    "slice": slice(1, 2),
}


@pytest.mark.parametrize("zipped", represented([True, False], by=(True,)))
@pytest.mark.parametrize("what", BESIDE)
def test_values_beside_the_weights_are_let_in(what: str, zipped: bool, state: State, tmp_path: Path) -> None:
    before = set(torch.serialization.get_safe_globals())
    content = {"model": state, "epoch": 3, "extra": BESIDE[what]}
    torch.save(content, tmp_path / "w.pth", _use_new_zipfile_serialization=zipped)
    assert same(load_model("squeezenet1_1", tmp_path / "w.pth"), state)
    assert set(torch.serialization.get_safe_globals()) == before


@pytest.mark.parametrize(
    "module",
    ["pytorch_lightning.utilities.parsing", "lightning.fabric.utilities.data", "lightning_fabric.utilities.data"],
)
def test_lightnings_dictionary_needs_no_lightning(
    module: str, state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = attribute_dict(module)
    for place, _ in enumerate(parts := module.split(".")):  # so that it can be pickled; reading finds none of it
        monkeypatch.setitem(sys.modules, ".".join(parts[: place + 1]), types.ModuleType(parts[place]))
    setattr(sys.modules[module], "AttributeDict", type(held))  # noqa: B010 # a module has no such attribute
    torch.save({"state_dict": under("model.", state), "hyper_parameters": held}, tmp_path / "w.ckpt")
    monkeypatch.undo()
    assert same(load_model("squeezenet1_1", tmp_path / "w.ckpt"), state)


def test_weights_kept_as_arrays_are_read(state: State, tmp_path: Path) -> None:
    assert same(loaded(tmp_path, {key: value.numpy() for key, value in state.items()}), state)
    by_column = {key: np.asfortranarray(value.numpy()) for key, value in state.items()}
    assert same(loaded(tmp_path, by_column), state)


class Config:
    pass


class Call:
    """Pickled as a call of a function."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize("zipped", [True, False])
def test_what_could_run_code_is_named_and_never_runs(zipped: bool, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    hostile = {
        "tests.models.checkpoints.test_safe_unpickle.Config object": Config(),
        f"call of {os.name}.system": Call(os.system, f"touch {trace}"),
        "call of builtins.eval": Call(eval, f"open({str(trace)!r}, 'w')"),
        "call of builtins.getattr": Call(pathlib.Path.write_text, trace, "x"),
        "call of numpy.save": Call(np.save, str(trace), 1),
        "call of functools.partial": Call(__import__("functools").partial, os.system, f"touch {trace}"),
    }
    if os.name == "posix":
        hostile["call of posix.getcwd"] = Call(collections.defaultdict, os.getcwd)
    for says, extra in hostile.items():
        torch.save(
            {"model": {"w": torch.ones(1)}, "extra": extra}, tmp_path / "w.pth", _use_new_zipfile_serialization=zipped
        )
        with pytest.raises(BadRequest) as caught:
            unpickle(tmp_path / "w.pth")
        assert says in str(caught.value) and "torch.save(model.state_dict()" in str(caught.value)
    assert not list(tmp_path.glob("trace*"))


def test_a_class_that_is_let_in_is_a_stand_in_that_does_nothing(tmp_path: Path) -> None:
    """Even what an allowed name is called with has no effect: nothing of that name is ever run."""
    torch.save({"a": Call(pathlib.PosixPath, "/etc"), "b": np.float32(2)}, tmp_path / "w.pth")
    content = unpickle(tmp_path / "w.pth")
    assert isinstance(content, dict)
    assert isinstance(content["a"], Inert) and not isinstance(content["a"], pathlib.Path)
    assert isinstance(content["b"], Inert) and content["b"].made_of[1] == np.float32(2).tobytes()
