"""Programs of torch.export are the networks that they were made from, and nothing in their files runs."""

import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnnvis_report import explain
from cnnvis_report.errors import BadRequest
from cnnvis_report.models.exported_programs.archive import unsafe_part
from cnnvis_report.models.load import load_model
from tests.narrow import needs_programs
from tests.networks import seeded
from tests.robustness.mutated_models import failures

pytestmark = [pytest.mark.filterwarnings("ignore"), needs_programs]

IMAGES = torch.randn(3, 3, 20, 20, generator=torch.Generator().manual_seed(0))
METHODS = ["grad_cam", "cam", "guided_backprop", "lrp_composite", "lrp_epsilon", "full_grad", "input_x_gradient"]
PROGRAM = "models/model.json"


class Small(nn.Module):
    """A reshaping to as many rows as there were images, which exporting turns into a number."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU())
        self.dropout, self.head = nn.Dropout(), nn.Linear(6, 4)

    def forward(self, images: Tensor) -> Tensor:
        """[N, 4]."""
        pooled = self.features(images).mean((2, 3)).reshape(images.shape[0], 6)
        scores: Tensor = self.head(self.dropout(pooled))
        return scores


def small() -> nn.Module:
    return seeded(Small()).eval()


def saved(path: Path, batch: int | None = 1) -> Path:
    """The program for so many images, or for any number."""
    shapes = ({0: torch.export.Dim("batch")},) if batch is None else None
    program = torch.export.export(small(), (IMAGES[: batch or 2],), dynamic_shapes=shapes)
    torch.export.save(program, path)
    return path


def rewritten(path: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """The archive with entries changed, by their names without the folder around them."""
    with zipfile.ZipFile(path) as archive:
        folder = archive.namelist()[0].partition("/")[0]
        entries = {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}
    change(entries)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(f"{folder}/{name}", content)
    return path


@pytest.mark.parametrize("batch", [1, 2, None], ids=["one", "two", "any"])
def test_a_program_is_the_network_for_any_number_of_images(batch: int | None, tmp_path: Path) -> None:
    model = load_model(str(saved(tmp_path / "net.pt2", batch)))
    network = small()
    assert torch.equal(model.network(IMAGES), network(IMAGES))
    assert torch.equal(model.network(IMAGES[:1]), network(IMAGES[:1]))
    assert model.preprocessing.size == (20, 20) and not model.network.training
    expected = explain(network, IMAGES, [0, 1, 3], methods=METHODS)
    actual = explain(model.network, IMAGES, [0, 1, 3], methods=METHODS)
    for method in METHODS:
        torch.testing.assert_close(actual[method], expected[method], rtol=1e-5, atol=1e-7, msg=method)


def test_a_file_is_known_by_its_content_alone(tmp_path: Path) -> None:
    path = saved(tmp_path / "net.pt2").rename(tmp_path / "net.bin")
    assert load_model(str(path)).loader == "a program of torch.export"


class Opener:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (open, (str(self.path), "w"))


def test_pickles_of_sample_inputs_are_left_out(tmp_path: Path) -> None:
    content = pickle.dumps(Opener(tmp_path / "made"))
    path = rewritten(
        saved(tmp_path / "net.pt2"), lambda entries: entries.update({"data/sample_inputs/model.pt": content})
    )
    assert torch.equal(load_model(str(path)).network(IMAGES), small()(IMAGES))
    assert not (tmp_path / "made").exists()


def test_pickled_weights_need_trust(tmp_path: Path) -> None:
    def pickled(entries: dict[str, bytes]) -> None:
        name = "data/weights/model_weights_config.json"
        table = json.loads(entries[name])
        table["config"]["head.bias"]["use_pickle"] = True
        entries[f"data/weights/{table['config']['head.bias']['path_name']}"] = pickle.dumps(Opener(tmp_path / "made"))
        entries[name] = json.dumps(table).encode()

    path = rewritten(saved(tmp_path / "net.pt2"), pickled)
    with pytest.raises(BadRequest, match=r"its head\.bias, a pickle, would run as a program\. Give --trust"):
        load_model(str(path))
    assert not (tmp_path / "made").exists()


CODE = "__import__('pathlib').Path('made').touch()"
UNSAFE = {
    "target": ("torch.ops.aten.from_file.default", "its operation"),
    "a function of torch": ("torch.hub.load", "its operation"),
    "expr_str": (CODE, "its size"),
    "in_spec": ('[1, {"type": null, "context": "{\\"__enum__\\": true}", "children_spec": []}]', "the structure"),
}


@pytest.mark.parametrize("where", UNSAFE)
def test_texts_that_could_be_evaluated_are_refused(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    value, says = UNSAFE[where]

    def change(entries: dict[str, bytes]) -> None:
        program = json.loads(entries[PROGRAM])
        graph = program["graph_module"]["graph"]
        if where == "expr_str":
            side = {"as_expr": {"expr_str": value, "hint": None}}
            graph["tensor_values"][graph["nodes"][0]["outputs"][0]["as_tensor"]["name"]]["sizes"][0] = side
        elif where == "in_spec":
            program["graph_module"]["module_call_graph"][0]["signature"]["in_spec"] = value
        else:
            graph["nodes"][0]["target"] = value
        entries[PROGRAM] = json.dumps(program).encode()

    path = rewritten(saved(tmp_path / "net.pt2"), change)
    with pytest.raises(BadRequest, match=f"{says}.* would run as a program") as caught:
        load_model(str(path))
    assert "\n" not in str(caught.value) and not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    "text", ["Symbol('s77', positive=True, integer=True)", "s0 - 1", "2*s1", "FloorDiv(s0, 2) + 1", "Max(1, s0)"]
)
def test_sizes_that_exporting_writes_are_let_through(text: str) -> None:
    assert not unsafe_part({"sizes": [{"as_expr": {"expr_str": text}}]})


@pytest.mark.parametrize(
    "text", [CODE, "s0.__class__", "().__class__", "open('a')", "9**9**9", "Symbol('os')", "1" * 30, "lambda: s0", ""]
)
def test_other_sizes_are_not(text: str) -> None:
    assert unsafe_part({"sizes": [{"as_expr": {"expr_str": text}}]})


def test_programs_of_earlier_versions_say_how_to_save_them_again(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "old.pt2", "w") as archive:
        archive.writestr("serialized_exported_program.json", "{}")
    with pytest.raises(BadRequest, match=r"is of PyTorch before 2\.8, which isn't read\. Save it again"):
        load_model(str(tmp_path / "old.pt2"))


def test_damaged_programs_are_read_or_refused(tmp_path: Path) -> None:
    assert not failures(saved(tmp_path / "net.pt2"), count=30)
