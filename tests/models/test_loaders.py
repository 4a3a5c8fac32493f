"""Loaders of MODEL: which of them opens what, and those that installed packages add."""

import sys
from collections.abc import Iterator
from importlib import invalidate_caches
from pathlib import Path
from typing import Any

import pytest
import torch

from cnnvis_report.errors import BadRequest
from cnnvis_report.models.load import load_model
from cnnvis_report.models.loader import LOADERS, ModelRequest, loaders

TOY = '''"""Networks of one linear layer, as toy:CLASSES or from a .toy file."""
import torch
from cnnvis_report.plugin import BadRequest, Model, ModelRequest, Preprocessing, loader


def matches(model):
    if model.endswith(".toy"):
        return True
    if model == "toy:broken":
        raise OSError("no disk")
    if model.startswith("toy:") and not model[4:].isdecimal():
        return f"{model}: toy: is followed by a number of classes."
    return model.startswith("toy:")


@loader(title="a toy network", example="toy:3", matches=matches, requires=REQUIRES, install="toy-package[all]")
def toy(request: ModelRequest) -> Model:
    """Open a toy network."""
    if request.text.endswith(".toy"):
        request.require_trust("the program in it")
    if request.text == "toy:0":
        return None
    if request.text == "toy:1":
        raise RuntimeError("one class only")
    count = 2 if request.text.endswith(".toy") else int(request.text[4:])
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 8 * 8, count, dtype=torch.float64))
    network.train()
    classes = tuple(f"class {number}" for number in range(count))
    return Model(network, "toy", "drawn at random", Preprocessing(resize=(8, 8)), classes, notices=("A toy.",))
'''


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Install a package with a loader, as pip lays it out; gives a function that says which modules it requires."""
    site = tmp_path / "site"
    info = site / "toy_package-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-package\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[cnnvis_report.loaders]\ntoy = toy_networks\n")
    loaders()  # those that are installed for real
    for name in ("_entries", "_modules"):
        monkeypatch.setattr(LOADERS, name, getattr(LOADERS, name).copy())
    monkeypatch.setattr(LOADERS, "_theirs_wait", True)
    monkeypatch.syspath_prepend(site)

    def requires(*modules: str) -> Path:
        (site / "toy_networks.py").write_text(TOY.replace("REQUIRES", repr(modules)))
        invalidate_caches()
        return site

    yield requires
    sys.modules.pop("toy_networks", None)


def test_a_loader_of_an_installed_package_opens_its_models(toy: Any) -> None:
    toy()
    model = load_model("toy:3")
    assert model.classes == ("class 0", "class 1", "class 2") and model.notices == ("A toy.",)
    assert not model.network.training and model.network.get_parameter("1.weight").dtype == torch.float32


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        pytest.param("toy:many", "^toy:many: toy: is followed by a number of classes.$", id="a-reason-of-the-loader"),
        pytest.param("toy:1", "the loader 'toy' of toy_networks fails: RuntimeError: one class only", id="load-raises"),
        pytest.param("toy:broken", "'toy' of toy_networks fails: OSError: no disk", id="matches-raises"),
        pytest.param("toy:0", "'toy' of toy_networks gives a NoneType", id="no-model"),
        pytest.param("a.toy", "the program in it would run as a program. Give --trust", id="not-trusted"),
        pytest.param("nothing at all", "toy:3 for a toy network", id="listed-where-nothing-matches"),
    ],
)
def test_what_a_loader_cannot_open_is_one_line(toy: Any, model: Any, reason: str) -> None:
    toy()
    with pytest.raises(BadRequest, match=reason) as raised:
        load_model(model)
    assert "\n" not in str(raised.value)


def test_a_trusted_file_is_opened(toy: Any) -> None:
    toy()
    assert load_model("a.toy", trusted=True).classes == ("class 0", "class 1")


@pytest.mark.parametrize(
    ("modules", "reason"),
    [
        pytest.param(("json", "not_here"), "not_here is needed .*: pip install 'toy-package", id="one"),
        pytest.param(("nor_this", "not_here"), "nor_this and not_here are needed", id="two"),
    ],
)
def test_modules_that_are_missing_are_said_with_what_installs_them(toy: Any, modules: Any, reason: str) -> None:
    toy(*modules)
    with pytest.raises(BadRequest, match=reason):
        load_model("toy:3")


CONTENT = ("onnx_file", "exported_program", "torchscript_file")  # they look into files, the most particular ones first


def test_our_own_loaders_are_asked_in_a_fixed_order() -> None:
    ours = [entry.name for entry in loaders() if entry.load.__module__.startswith("cnnvis_report.")]
    assert ours[0] == "torchvision_name" and ours[-2:] == ["trained_file", "own_code"]
    assert [name for name in ours if name in CONTENT] == list(CONTENT)


def test_a_name_of_torchvision_wins_over_a_file_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("resnet18").write_text("no network")
    assert load_model("resnet18", untrained=True).weights == "none"


@pytest.mark.parametrize("text", ["resnet18", "x.py:f"])
def test_code_in_a_file_runs_only_where_it_is_trusted(text: str) -> None:
    with pytest.raises(BadRequest, match=f"{text}: its lambdas would run"):
        ModelRequest(text).require_trust("its lambdas")
    ModelRequest(text, trusted=True).require_trust("its lambdas")
