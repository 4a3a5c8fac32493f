"""Checkpoints as training scripts leave them: what is inert is let in, the rest named, the right weights found."""

import argparse
import collections
import datetime
import os
import pathlib
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from torch import nn

from cnnvis_report.errors import BadRequest
from cnnvis_report.models.checkpoints import read_state
from cnnvis_report.models.load import load_model
from cnnvis_report.models.safe_unpickle import Inert, unpickle

CLASSES = 4
State = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(0)
    network: nn.Module = torchvision.models.squeezenet1_1(num_classes=CLASSES).eval()
    return network


@pytest.fixture(scope="module")
def state(network: nn.Module) -> State:
    return dict(network.state_dict())


@pytest.fixture(scope="module")
def zeros(state: State) -> State:
    return {key: torch.zeros_like(value) for key, value in state.items()}


def under(prefix: str, state: State) -> State:
    return {prefix + key: value for key, value in state.items()}


def loaded(tmp_path: Path, content: Any, key: Any = "", name: Any = "squeezenet1_1") -> Any:
    path = tmp_path / "last.pth"
    torch.save(content, path)
    return load_model(name, pathlib.Path(f"{path}{key}"))


def refused(tmp_path: Path, content: Any, key: Any = "", name: Any = "squeezenet1_1") -> Any:
    with pytest.raises(BadRequest) as caught:
        loaded(tmp_path, content, key, name)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def same(model: Any, state: State) -> Any:
    return all(torch.equal(value, state[key]) for key, value in model.network.state_dict().items())


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


@pytest.mark.parametrize("zipped", [True, False])
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
        "tests.models.test_checkpoints.Config object": Config(),
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


def test_a_pickled_network_is_said_to_be_one(network: nn.Module, tmp_path: Path) -> None:
    said = refused(tmp_path, {"model": network})
    assert "a pickled network or a part of one (torchvision.models.squeezenet.SqueezeNet)" in said


AVERAGES: dict[str, tuple[Callable[[State, State], dict[str, Any]], str, str]] = {
    "timm": (lambda s, z: {"state_dict": z, "state_dict_ema": s}, "state_dict_ema", "state_dict"),
    "torchvision": (
        lambda s, z: {"model": z, "model_ema": {**under("module.", s), "n_averaged": torch.tensor(9)}},
        "model_ema",
        "model",
    ),
    "shadow": (lambda s, z: {"model": z, "ema": {"decay": 0.9, "shadow": s}}, "ema.shadow", "model"),
    "inside": (
        lambda s, z: {"state_dict": {**under("model.", z), **under("ema.module.", s)}},
        "state_dict.ema",
        "state_dict.model",
    ),
    "camel": (lambda s, z: {"model": z, "modelEMA": s}, "modelEMA", "model"),
    "swa": (
        lambda s, z: {"state_dict": z, "callbacks": {"S": {"n_averaged": 2, "average_model_state": s}}},
        "callbacks.S.average_model_state",
        "state_dict",
    ),
}


@pytest.mark.parametrize("which", AVERAGES)
def test_averaged_weights_come_first_and_it_is_said(which: str, state: State, zeros: State, tmp_path: Path) -> None:
    make, key, other = AVERAGES[which]
    model = loaded(tmp_path, make(state, zeros))
    assert same(model, state)
    assert model.notices == (f"Averaged weights ({key}) are used; last.pth#{other} chooses the others.",)
    chosen = loaded(tmp_path, make(state, zeros), f"#{other}")
    assert same(chosen, zeros) and chosen.weights == f"last.pth#{other}"
    assert same(loaded(tmp_path, make(state, zeros), f"#{key}"), state)


def test_an_average_of_nothing_yet_is_not_preferred(state: State, zeros: State, tmp_path: Path) -> None:
    content = {"model": state, "model_ema": {**under("module.", zeros), "n_averaged": torch.tensor(0)}}
    assert same(loaded(tmp_path, content), state)


def test_statistics_that_are_not_averaged_are_the_last_ones(tmp_path: Path) -> None:
    torch.manual_seed(0)
    own = torchvision.models.resnet18(num_classes=3).state_dict()
    moved = {
        key: torch.full_like(value, 0.5) if "running" in key else torch.zeros_like(value) for key, value in own.items()
    }
    average = {key: value for key, value in own.items() if "running" not in key and "batches" not in key}
    model = loaded(tmp_path, {"model": moved, "ema": average}, name="resnet18")
    found = model.network.state_dict()
    assert all(torch.equal(found[key], value) for key, value in average.items())
    assert float(found["bn1.running_mean"][0]) == 0.5 and "40 tensors without an average" in model.notices[0]


def test_a_key_is_found_at_any_depth_and_a_wrong_one_lists_what_is_there(
    state: State, zeros: State, tmp_path: Path
) -> None:
    assert same(loaded(tmp_path, {"a": {"b": state}, "state_dict": zeros}, "#a.b"), state)
    assert same(loaded(tmp_path, {"runs": [zeros, state]}, "#runs.1"), state)
    said = refused(tmp_path, {"state_dict": state, "state_dict_ema": zeros}, "#sate_dict")
    assert "No key in last.pth is called 'sate_dict'. Did you mean 'state_dict'?" in said and "state_dict_ema" in said
    torch.save({"x": state}, tmp_path / "run#2.pth")
    assert same(load_model("squeezenet1_1", tmp_path / "run#2.pth"), state)
    assert same(load_model("squeezenet1_1", tmp_path / "run#2.pth#x"), state)
    assert "there is no such file" in refused_path(tmp_path / "none.pth#x")


def refused_path(path: Path, name: Any = "squeezenet1_1") -> Any:
    with pytest.raises(BadRequest) as caught:
        load_model(name, path)
    return str(caught.value)


PREFIXES = ["model.", "backbone.", "network.", "encoder.", "module._orig_mod.", "net.module.", "a.b.c.", "student."]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_the_prefix_comes_off_and_what_is_beside_is_said(prefix: Any, state: State, tmp_path: Path) -> None:
    content = {**under(prefix, state), "criterion.weight": torch.ones(4), "train_acc.tp": torch.ones(1)}
    model = loaded(tmp_path, {"state_dict": content})
    assert same(model, state)
    assert model.notices == ("last.pth holds 2 tensors beside: criterion.weight, train_acc.tp.",)


def test_what_compiling_leaves_in_the_middle_of_names_is_taken_out(state: State, tmp_path: Path) -> None:
    content = {f"backbone._orig_mod.{key}".replace("features.3.", "features.3._orig_mod."): state[key] for key in state}
    assert same(loaded(tmp_path, content), state)


def test_of_two_networks_that_fit_alike_it_is_said_which_was_taken(state: State, zeros: State, tmp_path: Path) -> None:
    content = {**under("student.", state), **under("teacher.", zeros)}
    model = loaded(tmp_path, content)
    assert same(model, state)
    assert model.notices == ("The weights of student are used; last.pth#teacher would fit as well.",)
    assert same(loaded(tmp_path, content, "#teacher"), zeros)
    separate = {"student": under("module.backbone.", state), "teacher": under("backbone.", zeros)}
    assert same(loaded(tmp_path, separate), state) and same(loaded(tmp_path, separate, "#teacher"), zeros)


def test_parts_of_another_network_are_not_left_over_in_silence(state: State, tmp_path: Path) -> None:
    assert "1 unexpected (neck.weight)" in refused(tmp_path, {**state, "neck.weight": torch.ones(4)})
    deeper = torchvision.models.resnet34(num_classes=3).state_dict()
    said = refused(tmp_path, deeper, name="resnet18")
    assert "unexpected (layer1.2.conv1.weight" in said and "They fit resnet34 best: 99% of its tensors" in said


def test_where_no_network_is_known_the_likeliest_tensors_are_read(state: State, zeros: State, tmp_path: Path) -> None:
    for content in (
        {"model": zeros, "model_ema": {**under("module.", state), "n_averaged": torch.tensor(9)}},
        {"state_dict": {**under("model.", state), "criterion.weight": torch.ones(4)}},
        {"network_state_dict": state, "optimizer_state_dict": {}},
    ):
        torch.save(content, tmp_path / "w.pth")
        found = read_state(tmp_path / "w.pth")
        assert all(torch.equal(found[key], value) for key, value in state.items())


HEADS = {
    "a Sequential for a linear layer": ("resnet18", "fc", nn.Sequential(nn.Dropout(), nn.Linear(512, 3)), "fc.1"),
    "with a batch norm": (
        "resnet18",
        "fc",
        nn.Sequential(nn.BatchNorm1d(512), nn.Dropout(), nn.Linear(512, 3)),
        "fc.2",
    ),
    "a linear layer for a Sequential": ("mobilenet_v3_small", "classifier", nn.Linear(576, 3), ""),
    "within a Sequential": (
        "mobilenet_v3_small",
        "classifier.3",
        nn.Sequential(nn.Dropout(), nn.Linear(1024, 3)),
        "classifier.3.1",
    ),
}


@pytest.mark.parametrize("which", HEADS)
def test_heads_of_ones_own_are_built_from_the_names(which: str, tmp_path: Path) -> None:
    name, path, head, said = HEADS[which]
    torch.manual_seed(0)
    network = torchvision.models.get_model(name, num_classes=10)
    parent, _, own = path.rpartition(".")
    setattr(network.get_submodule(parent), own, head)
    model = loaded(tmp_path, network.state_dict(), name=name)
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(model.network(images), network.eval()(images))
    assert not said if not model.notices else f"one linear layer, {said}" in model.notices[0]


def test_a_head_that_its_names_do_not_tell_is_refused_for_that(tmp_path: Path) -> None:
    network = torchvision.models.resnet18(num_classes=10)
    network.fc = nn.Sequential(nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, 3))
    assert "2 linear layers (fc.0.weight, fc.2.weight)" in refused(tmp_path, network.state_dict(), name="resnet18")


@pytest.mark.parametrize("channels", [1, 4])
def test_stems_of_other_channels(channels: Any, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = torchvision.models.resnet18(num_classes=3)
    network.conv1 = nn.Conv2d(channels, 64, 7, 2, 3)
    model = loaded(tmp_path, network.state_dict(), name="resnet18")
    images = torch.rand(2, channels, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(model.network(images), network.eval()(images))
    assert model.preprocessing.channels == channels
    network.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
    said = refused(tmp_path, network.state_dict(), name="resnet18")
    assert "conv1.weight 64×3×3×3 for 64×3×7×7" in said and "give it from a factory" in said


def test_auxiliary_heads_play_no_part(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = torchvision.models.googlenet(num_classes=1000, aux_logits=True, init_weights=False).eval()
    state = network.state_dict()
    state |= {key: value[:5] for key, value in state.items() if key.startswith("fc.")}
    model = loaded(tmp_path, state, name="googlenet")
    assert model.network.fc.out_features == 5 and model.network.aux1 is None and not model.notices
    from cnnvis_report.models.checkpoints import load_into, read_for

    other = torchvision.models.googlenet(num_classes=5, aux_logits=True, init_weights=False).eval()
    load_into(other, read_for(other, tmp_path / "last.pth"), tmp_path / "last.pth")
    assert torch.equal(other.fc.weight, state["fc.weight"]) and other.aux1 is None and other.aux_logits is False


def test_infinity_in_a_mask_is_no_diverged_training(state: State, tmp_path: Path) -> None:
    assert "bn1.running_var has 64" in refused_factory_state(tmp_path)
    model = load_model("tests.factories:masked")
    assert float(model.network.get_buffer("mask").min()) == -float("inf")


def refused_factory_state(tmp_path: Path) -> Any:
    state = torchvision.models.resnet18(num_classes=3).state_dict()
    state["bn1.running_var"] = state["bn1.running_var"] * float("nan")
    return refused(tmp_path, state, name="resnet18")


@pytest.mark.filterwarnings("ignore")
def test_tensors_that_are_no_weights_are_named(state: State, tmp_path: Path) -> None:
    whole = {key: (10 * value).to(torch.int8) for key, value in state.items()}
    assert "features.0.weight holds torch.int8" in refused(tmp_path, whole)
    odd = {**state, "classifier.1.bias": torch.quantize_per_tensor(torch.rand(4), 0.1, 0, torch.qint8)}
    assert "classifier.1.bias is quantized" in refused(tmp_path, odd)
    optimizer = torch.optim.SGD([nn.Parameter(torch.ones(1))], 0.1)
    assert "the state of an optimizer and no weights" in refused(tmp_path, optimizer.state_dict())


FILES = {
    "net.onnx": (b"\x08\x07\x12\x07pytorch", "is an ONNX graph"),
    "net.h5": (b"\x89HDF\r\n\x1a\n", "is an HDF5 file, as of Keras"),
    "net.pth": (b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
    "page.pth": (b"<!DOCTYPE html><html>", "is a page of the web"),
    "cut.pth": (b"PK\x03\x04 and no more", "breaks off"),
    "photo.pth": (b"\xff\xd8\xff\xe0\0\x10JFIF", "isn't a checkpoint: it is a picture"),
    "labels.csv": (b"name,label\na.png,3\n", "isn't a checkpoint: it is a text"),
    "net.tflite": (b"\x1c\0\0\0TFL3", "TensorFlow Lite"),
    "model.safetensors.index.json": (b'{"metadata": {}}', "checkpoint in parts"),
    "model-00001-of-00003.safetensors": (b"", "empty"),
    "pytorch_model-00001-of-00003.bin": (b"anything", "part 1 of 3"),
    "net.py": (b"def build(): ...\nmodel = 1\n", "net.py:NAME, of build, model"),
}


@pytest.mark.parametrize("name", FILES)
def test_files_of_other_kinds_are_called_what_they_are(name: str, tmp_path: Path) -> None:
    content, says = FILES[name]
    (tmp_path / name).write_bytes(content)
    for words in ((str(tmp_path / name),), ("resnet18", tmp_path / name)):
        with pytest.raises(BadRequest) as caught:
            load_model(*words)
        assert says in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore")
def test_torchscript_and_exported_programs_are_called_what_they_are(tmp_path: Path) -> None:
    small = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)).eval()
    torch.jit.save(torch.jit.script(small), tmp_path / "a.pt")
    torch.export.save(torch.export.export(small, (torch.rand(1, 3, 8, 8),)), tmp_path / "b.pt2")
    assert "torch.jit.load('a.pt').state_dict()" in refused_path(tmp_path / "a.pt")
    assert "torch.export.unflatten(torch.export.load('b.pt2'))" in refused_path(tmp_path / "b.pt2")
    (tmp_path / "hf").mkdir()
    (tmp_path / "hf" / "config.json").write_text("{}")
    assert "Hugging Face" in refused_path(tmp_path / "hf")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("timm/resnet50.a1_in1k", "timm.create_model('resnet50.a1_in1k', pretrained=True)"),
        ("hf-hub:timm/resnet50.a1_in1k", "timm.create_model('resnet50.a1_in1k', pretrained=True)"),
        ("resnet50.a1_in1k", "is a model of timm"),
        ("microsoft/resnet-50", "from_pretrained('microsoft/resnet-50')"),
        ("./net.onnx", "there is no such file"),
    ],
)
def test_names_of_elsewhere_are_told_how_they_can_be_had(name: str, says: str) -> None:
    with pytest.raises(BadRequest) as caught:
        load_model(name)
    assert says in str(caught.value) and "import" not in str(caught.value)


def resnet(classes: Any = 4) -> Any:
    torch.manual_seed(1)
    return dict(torchvision.models.resnet18(num_classes=classes).state_dict())


def apart(called: Any, head: Any) -> Any:
    """A backbone, and beside it what is called so."""
    state = {f"backbone.{key}": value for key, value in resnet().items() if not key.startswith("fc.")}
    return {"state_dict": {**state, **{f"{called}.{end}": value for end, value in head.items()}}}


@pytest.mark.parametrize("called", ["head.fc", "classifier", "classifier.1", "my_head"])
def test_a_head_beside_the_features_is_found_and_said(called: Any, tmp_path: Path) -> None:
    head = {"weight": torch.rand(7, 512), "bias": torch.rand(7)}
    model = loaded(tmp_path, apart(called, head), name="resnet18")
    assert same(model, {**resnet(), "fc.weight": head["weight"], "fc.bias": head["bias"]})
    assert model.notices == (
        f"last.pth keeps its last layer, {called}, apart from the features; it was taken for the head 'fc', with "
        f"nothing between that does something in eval mode.",
    )


NO_HEADS = {
    "none": ("", {}),
    "prototypes": ("head", {"weight": torch.rand(7, 512)}),
    "projector": ("projector", {"weight": torch.rand(128, 512), "bias": torch.rand(128)}),
    "two": ("head", {"0.weight": torch.rand(64, 512), "0.bias": torch.rand(64), "2.weight": torch.rand(7, 64)}),
    "norm": ("head", {"0.weight": torch.rand(512), "1.weight": torch.rand(7, 512), "1.bias": torch.rand(7)}),
    "wider": ("head", {"weight": torch.rand(7, 1024), "bias": torch.rand(7)}),
}


@pytest.mark.parametrize("which", NO_HEADS)
def test_features_without_a_head_are_called_that(which: str, tmp_path: Path) -> None:
    said = refused(tmp_path, apart(*NO_HEADS[which]), name="resnet18")
    assert "holds the features of resnet18 without a head (fc.weight, fc.bias are missing)" in said


def test_contrastive_training_has_no_classes(tmp_path: Path) -> None:
    pairs = {"module.queue": torch.rand(8, 4), "module.queue_ptr": torch.zeros(1)}
    content = under("module.encoder_q.", resnet()) | under("module.encoder_k.", resnet()) | pairs
    assert any(
        "its last layer gives are no classes" in said for said in loaded(tmp_path, content, name="resnet18").notices
    )


def test_an_address_is_no_missing_file() -> None:
    with pytest.raises(BadRequest, match="is to be had from an address, and nothing is fetched here"):
        load_model("resnet18", pathlib.Path("https://example.org/models/best.pth"))


def test_a_variance_without_bound_is_no_diverged_training_and_said(tmp_path: Path) -> None:
    state = resnet()
    state["bn1.running_var"][3] = float("inf")
    assert loaded(tmp_path, state, name="resnet18").notices == (
        "bn1.running_var is infinite for 1 channels: whatever they see, they give their bias alone.",
    )
