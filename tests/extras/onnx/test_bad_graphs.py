"""Graphs that can't be converted, or aren't what they say, are refused in one line; nothing outside is read."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.extras.needs import needs

needs("onnx", "onnx2torch", "onnx2pytorch", "onnxruntime")

import onnx  # noqa: E402
from onnx import helper  # noqa: E402

from cnnvis_report.errors import BadRequest  # noqa: E402
from cnnvis_report.models.load import load_model  # noqa: E402
from tests.extras.onnx.graphs import export, images, random, small, written  # noqa: E402
from tests.robustness.mutated_models import failures  # noqa: E402

NODE = helper.make_node
POOL = [NODE("GlobalAveragePool", ["maps"], ["pooled"]), NODE("Flatten", ["pooled"], ["scores"])]


def refusal(path: Path) -> str:
    with pytest.raises(BadRequest) as caught:
        load_model(str(path))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def changed(path: Path, change: Any) -> Path:
    model = onnx.load(str(path))
    change(model)
    onnx.save(model, str(path))
    return path


UNREAD = {
    "Nothing of org.example (node 'odd', opset 1)": NODE("Nothing", ["images"], ["maps"], "odd", domain="org.example"),
    "is quantized (QLinearConv at node 'q')": NODE("QLinearConv", ["images"] * 8, ["maps"], "q"),
    "its node 'loop' is Loop": NODE("Loop", ["", "images", "images"], ["maps"], "loop"),
}


@pytest.mark.parametrize(("says", "node"), UNREAD.items(), ids=["unknown", "quantized", "loop"])
def test_operations_that_nothing_reads_are_named(says: str, node: Any, tmp_path: Path) -> None:
    path = written(tmp_path / "net.onnx", [node, *POOL], {}, domains=["org.example"])
    assert says in refusal(path)


def test_graphs_of_another_task_are_told_what_is_needed(tmp_path: Path) -> None:
    path = written(
        tmp_path / "text.onnx", [NODE("Identity", ["images"], ["scores"])], {}, sides=(1, 16), scores=(1, 16)
    )
    assert "reads 1 × 16; images are N × channels × height × width" in refusal(path)
    other = helper.make_tensor_value_info("mask", 1, [1, 3])
    path = changed(export(small(), tmp_path / "two.onnx"), lambda model: model.graph.input.append(other))
    assert "reads 2 inputs ('images', 'mask')" in refusal(path)


def test_several_outputs_are_taken_the_first_of_classes(tmp_path: Path) -> None:
    nodes = [NODE("Conv", ["images", "kernel"], ["maps"]), *POOL]
    path = written(tmp_path / "net.onnx", nodes, {"kernel": random(5, 3, 3, 3)})
    maps = helper.make_tensor_value_info("maps", 1, [1, 5, 22, 22])
    model = load_model(str(changed(path, lambda model: model.graph.output.insert(0, maps))))
    assert model.network(images()).shape == (3, 5)
    assert any("gives 2 outputs (maps, scores); 'scores' is explained" in notice for notice in model.notices)


def external(path: Path, location: str) -> Path:
    """The graph with its tensors in another file."""
    export(small(), path)
    model = onnx.load(str(path))
    onnx.save_model(model, str(path), save_as_external_data=True, location="net.data", size_threshold=0)
    model = onnx.load(str(path), load_external_data=False)
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            entry.value = location if entry.key == "location" else entry.value
    path.write_bytes(model.SerializeToString())
    return path


def test_tensors_in_a_file_beside_the_graph_are_read(tmp_path: Path) -> None:
    model = load_model(str(external(tmp_path / "net.onnx", "net.data")))
    torch.testing.assert_close(model.network(images()), small()(images()), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("location", ["../outside.data", "{folder}/outside.data", "link.data", "a/../../outside.data"])
def test_tensors_elsewhere_are_not_read(location: str, tmp_path: Path) -> None:
    (tmp_path / "outside.data").write_bytes(bytes(1 << 16))
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "link.data").symlink_to(tmp_path / "outside.data")
    says = refusal(external(folder / "net.onnx", location.format(folder=tmp_path)))
    assert "that isn't read" in says


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(b"", "it is empty", id="empty"),
        pytest.param(b"PK\x03\x04" + bytes(60), "breaks off", id="an archive"),
        pytest.param(b"\x08\x07\x12\x07pytorch", "not its content", id="cut"),
    ],
)
def test_files_with_the_name_of_a_graph_are_told_what_they_are(content: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(content)
    assert says in refusal(tmp_path / "net.onnx")


def test_a_graph_that_breaks_off_says_so(tmp_path: Path) -> None:
    path = export(small(), tmp_path / "net.onnx")
    path.write_bytes(path.read_bytes()[:-300])
    assert "breaks off" in refusal(path)


def test_tensors_have_to_be_as_large_as_they_say(tmp_path: Path) -> None:
    def inflate(model: Any) -> None:
        model.graph.initializer[0].dims[0] = 1 << 40

    path = export(small(), tmp_path / "net.onnx")
    model = onnx.load(str(path))
    inflate(model)
    path.write_bytes(model.SerializeToString())
    assert "doesn't have the" in refusal(path)


def test_values_that_no_memory_holds_are_refused(tmp_path: Path) -> None:
    pads = np.array([0, 0, 1 << 20, 1 << 20] * 2, np.int64)
    path = written(tmp_path / "net.onnx", [NODE("Pad", ["images", "pads"], ["maps"]), *POOL], {"pads": pads})
    assert "too many to run" in refusal(path)


def test_damaged_graphs_are_read_or_refused(tmp_path: Path) -> None:
    assert not failures(export(small(), tmp_path / "net.onnx"), count=500)


def test_a_sequence_that_pixels_are_put_into_is_no_constant(tmp_path: Path) -> None:
    nodes = [
        NODE("SequenceConstruct", ["zeros"], ["before"]),
        NODE("SequenceInsert", ["before", "images"], ["after"]),
        NODE("SequenceAt", ["after", "one"], ["maps"]),
        *POOL,
    ]
    constants = {"zeros": np.zeros((1, 3, 24, 24), np.float32), "one": np.array(1)}
    model = load_model(str(written(tmp_path / "net.onnx", nodes, constants, scores=(1, 3))))
    assert torch.allclose(model.network(images(1)), images(1).mean((2, 3)), atol=1e-6)


def test_inner_values_that_cannot_be_had_do_not_stop_a_graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnvis_report.models.onnx_graphs.open_graph.image_free", lambda graph, images: ("nowhere",))
    model = load_model(str(export(small(), tmp_path / "net.onnx")))
    with torch.no_grad():
        assert torch.allclose(model.network(images()), small()(images()), atol=1e-5)
