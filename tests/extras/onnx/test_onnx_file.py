"""ONNX graphs are the networks that they were exported from: scores, maps, layers, and any number of images."""

from pathlib import Path

import pytest
import torch
from torch import nn

from tests.extras.needs import needs

needs("onnx", "onnx2torch", "onnx2pytorch", "onnxruntime")

from onnx import helper  # noqa: E402

from cnnvis_report import explain  # noqa: E402
from cnnvis_report.errors import NotApplicable  # noqa: E402
from cnnvis_report.methods.registry import methods  # noqa: E402
from cnnvis_report.models.load import load_model  # noqa: E402
from cnnvis_report.models.model import Model  # noqa: E402
from tests.extras.onnx.graphs import SIDE, export, images, random, small, written  # noqa: E402
from tests.narrow import present  # noqa: E402

SLOW = {"extremal_perturbation", "lime", "kernel_shap", "rise", "occlusion", "expected_gradients", "smoothgrad"}
NODE = helper.make_node


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The small network with its batch norm by itself: others are folded into the convolution before."""
    path = tmp_path_factory.mktemp("onnx") / "net.onnx"
    return load_model(str(export(small(), path, training=torch.onnx.TrainingMode.PRESERVE)))


def scores(network: nn.Module, count: int = 3) -> torch.Tensor:
    with torch.no_grad():
        result: torch.Tensor = network(images(count))
    return result


def assert_is(model: Model, network: nn.Module) -> None:
    """Whether the model gives the network's scores, alone and among others, and onnxruntime's."""
    expected = scores(network)
    torch.testing.assert_close(scores(model.network), expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(present(model.original).outputs(images()), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("batch", [1, 4, None], ids=["one", "four", "any"])
@pytest.mark.parametrize("opset", [9, 13, 17, 18, 21])
def test_a_graph_of_any_opset_takes_any_number_of_images(opset: int, batch: int | None, tmp_path: Path) -> None:
    network = small()
    model = load_model(str(export(network, tmp_path / "net.onnx", opset=opset, batch=batch)))
    assert_is(model, network)
    assert model.preprocessing.size == (SIDE, SIDE) and model.weights == "net.onnx, converted by onnx2torch"
    linear = [module for module in model.network.modules() if isinstance(module, nn.Linear)]
    assert [layer.out_features for layer in linear] == [5]


@pytest.mark.parametrize("method", sorted(method.name for method in methods() if method.name not in SLOW))
def test_maps_are_those_of_the_network(method: str, converted: Model) -> None:
    try:
        expected = explain(small(), images(), [0, 1, 2], methods=[method])[method]
    except NotApplicable:  # a method of transformers
        with pytest.raises(NotApplicable):
            explain(converted.network, images(), [0, 1, 2], methods=[method])
        return
    actual = explain(converted.network, images(), [0, 1, 2], methods=[method])[method]
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max()))


def test_layers_have_the_names_of_the_modules(converted: Model) -> None:
    names = {name for name, module in converted.network.named_modules() if not list(module.children())}
    assert {"features.0", "features.2", "pool", "left", "right", "join", "head"} <= names


def test_a_rule_for_zeros_means_nothing_where_there_are_none(tmp_path: Path) -> None:
    kernel, shape = random(5, 3, 3, 3), torch.tensor([1, 5]).numpy()
    nodes = [
        NODE("Conv", ["images", "kernel"], ["maps"]),
        NODE("GlobalAveragePool", ["maps"], ["pooled"]),
        NODE("Reshape", ["pooled", "shape"], ["scores"], allowzero=1),
    ]
    path = written(tmp_path / "net.onnx", nodes, {"kernel": kernel, "shape": shape}, opset=20)
    expected = nn.functional.conv2d(images(), torch.tensor(kernel)).mean((2, 3))
    model = load_model(str(path))
    torch.testing.assert_close(scores(model.network), expected, rtol=1e-5, atol=1e-5)
    assert model.weights.endswith("onnx2torch")


def test_a_last_softmax_is_left_to_the_engine(tmp_path: Path) -> None:
    plain, network = small(), small(softmax=True)
    model = load_model(str(export(network, tmp_path / "net.onnx")))
    assert_is(model, network)
    maps = [explain(net, images(), [0, 1, 2], methods=["gradient"])["gradient"] for net in (plain, model.network)]
    torch.testing.assert_close(maps[1], maps[0], rtol=1e-4, atol=1e-6)


def test_images_with_their_channels_last_are_turned(tmp_path: Path) -> None:
    kernel, weight, bias = random(5, 3, 3, 3), random(5, 5), random(5)
    nodes = [
        NODE("Transpose", ["images"], ["first"], perm=[0, 3, 1, 2]),
        NODE("Conv", ["first", "kernel"], ["maps"], auto_pad="SAME_UPPER", strides=[2, 2], name="model/conv/Conv2D"),
        NODE("Relu", ["maps"], ["positive"], name="model/conv/Relu"),
        NODE("GlobalAveragePool", ["positive"], ["pooled"]),
        NODE("Reshape", ["pooled", "shape"], ["flat"]),
        NODE("MatMul", ["flat", "weight"], ["product"], name="model/dense/MatMul"),
        NODE("Add", ["product", "bias"], ["scores"], name="model/dense/BiasAdd"),
    ]
    shape = torch.tensor([1, 5]).numpy()
    constants = {"kernel": kernel, "weight": weight, "bias": bias, "shape": shape}
    model = load_model(str(written(tmp_path / "tf.onnx", nodes, constants, sides=(1, SIDE, SIDE, 3))))
    padded = nn.functional.pad(images(), (0, 1, 0, 1))
    maps = nn.functional.conv2d(padded, torch.tensor(kernel), stride=2).relu()
    expected = maps.mean((2, 3)) @ torch.tensor(weight) + torch.tensor(bias)
    torch.testing.assert_close(scores(model.network), expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(present(model.original).outputs(images()), expected, rtol=1e-5, atol=1e-5)
    assert any("N×H×W×C" in notice for notice in model.notices)
    assert model.preprocessing.channels == 3
    layers = dict(model.network.named_modules())
    assert isinstance(layers["model.dense.MatMul"], nn.Linear) and "model.conv.Conv2D" in layers


def test_what_one_library_misreads_the_other_one_converts(tmp_path: Path) -> None:
    kernel = random(5, 3, 3, 3)
    nodes = [
        NODE("Conv", ["images", "kernel"], ["maps"]),
        NODE("ThresholdedRelu", ["maps"], ["kept"], alpha=0.5),
        NODE("GlobalAveragePool", ["kept"], ["pooled"]),
        NODE("Flatten", ["pooled"], ["scores"]),
    ]
    model = load_model(str(written(tmp_path / "net.onnx", nodes, {"kernel": kernel})))
    maps = nn.functional.conv2d(images(), torch.tensor(kernel))
    expected = torch.where(maps > 0.5, maps, 0).mean((2, 3))
    torch.testing.assert_close(scores(model.network), expected, rtol=1e-5, atol=1e-5)
    assert model.weights == "net.onnx, converted by onnx2pytorch"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        pytest.param("{0: 'ant', 1: 'bee', 2: 'cat', 3: 'dog', 4: 'elk'}", True, id="as YOLO writes them"),
        pytest.param('["ant", "bee", "cat", "dog", "elk"]', True, id="JSON"),
        pytest.param('{"0": "ant", "1": "bee", "2": "cat", "3": "dog", "4": "elk"}', True, id="numbered JSON"),
        pytest.param("__import__('os').getcwd()", False, id="code"),
        pytest.param("{0: 'ant', 7: 'bee'}", False, id="gaps"),
        pytest.param("[" * 100_000, False, id="deep"),
    ],
)
def test_class_names_are_those_of_the_metadata(names: str, expected: bool, tmp_path: Path) -> None:
    import onnx

    path = export(small(), tmp_path / "net.onnx")
    model = onnx.load(str(path))
    helper.set_model_props(model, {"names": names, "author": "Ultralytics"})
    onnx.save(model, str(path))
    loaded = load_model(str(path))
    assert loaded.classes == (("ant", "bee", "cat", "dog", "elk") if expected else None)
    assert loaded.preprocessing.mean == (0, 0, 0) and loaded.preprocessing.std == (1, 1, 1)
