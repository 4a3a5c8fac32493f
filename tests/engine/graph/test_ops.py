"""One table of PyTorch's operations, and no network that runs before anybody has given one."""

import ast
import importlib
import pkgutil
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from cnnvis_report import explain
from cnnvis_report.engine.graph import nodes, ops
from cnnvis_report.engine.graph.nodes import next_nodes, operation, reached, recorded, skip_while
from cnnvis_report.engine.graph.ops import Kind, is_relu, kind, kind_of, other_activation
from cnnvis_report.errors import RunFailed

PACKAGE = Path(ops.__file__).parents[2]
MOST = 2  # operations that one line of code may speak of by their names

# Tables that say what an operation does to numbers: they are the rule.
RULES = {"HELD", "STEPS", "LOGISTIC", "TINY", "FUNCTIONS", "OFFSET", "PIECEWISE", "SMOOTH"}


def tables(path: Path) -> list[str]:
    """Collections of more than a few names of operations, as they are written."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    rules = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and {name.id for name in ast.walk(node) if isinstance(name, ast.Name)} & RULES
        for inner in ast.walk(node)
    }
    collections = []
    for node in ast.walk(tree):
        items = node.keys if isinstance(node, ast.Dict) else getattr(node, "elts", [])
        names = [item.value for item in items if isinstance(item, ast.Constant) and isinstance(item.value, str)]
        if id(node) not in rules and sum(kind_of(name) is not Kind.OTHER for name in names) > MOST:
            collections.append(ast.unparse(node))
    return collections


@pytest.mark.parametrize("package", ["engine", "inspection", "methods", "isolation", "pipeline"])
def test_no_other_module_has_a_table_of_operations(package: str) -> None:
    paths = [path for path in (PACKAGE / package).rglob("*.py") if path.name != "ops.py"]
    assert paths
    assert {path.name: tables(path) for path in paths if tables(path)} == {}


def test_an_operation_is_of_one_kind() -> None:
    names = [name for line in ops._NAMES.values() for name in line.split()]
    assert len(names) == len(set(names))
    assert set(ops._NAMES) | {Kind.OTHER, Kind.ATTENTION} == set(Kind)


X = torch.randn(1, 4, 6, 6, generator=torch.Generator().manual_seed(0))
OPERATIONS: dict[str, tuple[Callable[[torch.Tensor], torch.Tensor], Kind]] = {
    "conv2d": (lambda x: F.conv2d(x, torch.ones(2, 4, 3, 3)), Kind.CONVOLUTION),
    "conv_transpose2d": (lambda x: F.conv_transpose2d(x, torch.ones(4, 2, 3, 3)), Kind.CONVOLUTION),
    "linear": (lambda x: F.linear(x.flatten(1), torch.ones(3, 144), torch.ones(3)), Kind.LINEAR),
    "matmul": (lambda x: x.flatten(2) @ x.flatten(2).mT, Kind.MATRIX_PRODUCT),
    "attention": (lambda x: F.scaled_dot_product_attention(x, x, x), Kind.ATTENTION),
    "batch norm": (lambda x: F.batch_norm(x, torch.zeros(4), torch.ones(4)), Kind.BATCH_NORM),
    "layer norm": (lambda x: F.layer_norm(x, (6,)), Kind.LAYER_NORM),
    "group norm": (lambda x: F.group_norm(x, 2), Kind.GROUP_NORM),
    "max_pool2d": (lambda x: F.max_pool2d(x, 2), Kind.POOLING),
    "avg_pool2d": (lambda x: F.avg_pool2d(x, 2), Kind.POOLING),
    "adaptive": (lambda x: F.adaptive_avg_pool2d(x, 2), Kind.ADAPTIVE_POOLING),
    "bicubic": (lambda x: F.interpolate(x, scale_factor=2, mode="bicubic"), Kind.UPSAMPLING),
    "mean": (lambda x: x.mean((2, 3)), Kind.MEAN),
    "amax": (lambda x: x.amax(1), Kind.MAXIMUM),
    "norm": (lambda x: torch.linalg.vector_norm(x), Kind.STATISTIC),
    "view": (lambda x: x.view(1, 4, 36), Kind.VIEW),
    "unsqueeze": (lambda x: x.unsqueeze(0), Kind.VIEW),
    "permute": (lambda x: x.permute(0, 2, 3, 1), Kind.PERMUTATION),
    "contiguous": (lambda x: x.permute(0, 2, 3, 1).contiguous(), Kind.COPY),
    "double": (lambda x: x.double(), Kind.COPY),
    "chunk": (lambda x: x.chunk(2, 1)[1], Kind.PART),
    "slice": (lambda x: x[:, 1:3], Kind.PART),
    "index": (lambda x: x[:, torch.tensor([0, 2])], Kind.INDEX),
    "cat": (lambda x: torch.cat([x, x]), Kind.CONCATENATION),
    "stack": (lambda x: torch.stack([x, x]), Kind.STACK),
    "pad": (lambda x: F.pad(x, (1, 1)), Kind.CONSTANT_PADDING),
    "reflect": (lambda x: F.pad(x, (1, 1, 1, 1), "reflect"), Kind.REFLECTION_PADDING),
    "replicate": (lambda x: F.pad(x, (1, 1, 1, 1), "replicate"), Kind.EDGE_PADDING),
    "unfold": (lambda x: F.unfold(x, 2), Kind.UNFOLD),
    "pixel_shuffle": (lambda x: F.pixel_shuffle(x, 2), Kind.SHUFFLE),
    "dropout": (lambda x: torch.native_dropout(x, 0.5, True)[0], Kind.DROPOUT),
    "relu": (lambda x: x.relu(), Kind.RELU),
    "silu": (lambda x: F.silu(x), Kind.SMOOTH),
    "leaky": (lambda x: F.leaky_relu(x), Kind.LEAKY_RELU),
    "sigmoid": (lambda x: x.sigmoid(), Kind.SIGMOID),
    "softmax": (lambda x: x.softmax(1), Kind.SOFTMAX),
    "log_softmax": (lambda x: x.log_softmax(1), Kind.LOG_SOFTMAX),
    "one minus": (lambda x: 1 - x, Kind.COMPLEMENT),
    "difference": (lambda x: x - x.detach(), Kind.SUBTRACT),
    "product": (lambda x: x * 2, Kind.MULTIPLY),
    "quotient": (lambda x: x / 2, Kind.DIVIDE),
    "negative": (lambda x: -x, Kind.NEGATE),
    "exp": (lambda x: x.exp(), Kind.FUNCTION),
    "where": (lambda x: torch.where(x > 0, x, 0), Kind.BLEND),
    "maximum": (lambda x: torch.maximum(x, x / 2), Kind.LARGER),
    "round": (lambda x: x.round(), Kind.STEP),
    "nothing like it": (lambda x: torch.linalg.svdvals(x), Kind.OTHER),
}


@pytest.mark.parametrize(("function", "expected"), OPERATIONS.values(), ids=OPERATIONS)
def test_what_an_operation_is(function: Callable[[torch.Tensor], torch.Tensor], expected: Kind) -> None:
    """The last operation that PyTorch has recorded, but for what puts its result into the asked-for shape."""
    node = function(X.clone().requires_grad_()).grad_fn
    assert node is not None
    while kind(node) is not expected and kind(node) in (Kind.VIEW, Kind.LEAF, Kind.MULTIPLY, Kind.COPY):
        (node, *_) = next_nodes(node)
    assert kind(node) is expected, operation(node)


@pytest.mark.parametrize(
    ("function", "relu", "name"),
    [
        pytest.param(F.relu, True, None, id="relu"),
        pytest.param(F.relu6, True, "", id="relu6"),
        pytest.param(lambda x: x.clamp(min=0), True, None, id="clamp"),
        pytest.param(lambda x: x.clamp_min(0), True, None, id="clamp_min"),
        pytest.param(lambda x: F.threshold(x, 0, 0), True, None, id="threshold"),
        pytest.param(lambda x: F.threshold(x, 1, 0), False, None, id="threshold at 1"),
        pytest.param(lambda x: x.clamp(min=torch.zeros(6)), False, None, id="clamp at a tensor"),
        pytest.param(lambda x: x.clamp(max=0), False, None, id="clamp from above"),
        pytest.param(F.hardtanh, False, "Hardtanh", id="hardtanh"),
        pytest.param(F.elu, False, "ELU or SELU", id="elu"),
        pytest.param(torch.sigmoid, False, None, id="sigmoid"),
    ],
)
def test_which_activations_are_relus(
    function: Callable[[torch.Tensor], torch.Tensor], relu: bool, name: str | None
) -> None:
    node = function(X.clone().requires_grad_()).grad_fn
    assert node is not None
    assert is_relu(node) is relu
    assert other_activation(node) == (name or None)


def test_walks_meet_each_operation_once() -> None:
    leaf = X.clone().requires_grad_()
    halves = [leaf * 2, leaf * 3]
    end = (halves[0] + halves[1]).view(1, -1).exp().view(-1).grad_fn
    assert end is not None
    assert [operation(node) for node in recorded(end)] == ["View", "Exp", "View", "Add", "Mul", "Mul", "AccumulateGrad"]
    products = reached([end], lambda node: [] if kind(node) is Kind.MULTIPLY else next_nodes(node))
    assert sorted(map(operation, products)) == ["Add", "Exp", "Mul", "Mul", "View", "View"]
    behind = skip_while(end, lambda node: kind(node) in (Kind.VIEW, Kind.FUNCTION))
    assert behind is not None and operation(behind) == "Add"
    assert skip_while(None, bool) is None and recorded(None) == []


def test_a_pytorch_that_records_otherwise_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    network = nn.Linear(3, 2)
    monkeypatch.setattr(nodes, "TINY", [*nodes.TINY[:-2], "Conv", nodes.TINY[-1]])
    nodes.check_pytorch.cache_clear()
    try:
        with pytest.raises(RunFailed, match=r"ConvolutionBackward0.*constraints\.txt"):
            recorded(network(torch.ones(1, 3)).grad_fn)
    finally:
        monkeypatch.undo()
        nodes.check_pytorch.cache_clear()
    assert recorded(network(torch.ones(1, 3)).grad_fn)


@pytest.mark.parametrize(
    "around",
    [
        pytest.param(lambda: torch.autocast("cpu", torch.bfloat16), id="autocast"),
        pytest.param(torch.inference_mode, id="inference mode"),
        pytest.param(torch.no_grad, id="no_grad"),
    ],
)
def test_pytorch_is_known_whatever_the_caller_has_set(around: Callable[[], AbstractContextManager[Any]]) -> None:
    nodes.check_pytorch.cache_clear()
    with around():
        nodes.check_pytorch()


class Noted(TorchFunctionMode):
    """The names of the functions whose results autograd records."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = function(*args, **(kwargs or {}))
        if isinstance(output, torch.Tensor) and output.grad_fn is not None:
            self.names.append(function.__name__)
        return output


@pytest.fixture
def nothing_imported() -> Iterator[None]:
    """The package's modules are executed again when they are imported; afterwards all is as it was."""
    before = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "cnnvis_report"}
    for name in before:
        del sys.modules[name]
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "cnnvis_report"]:
        del sys.modules[name]
    sys.modules.update(before)


CALLBACKS = {f"cnnvis_report.live.{library}" for library in ("lightning", "hugging_face", "keras")}


def test_no_network_runs_when_modules_are_imported(nothing_imported: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is any operation recorded: what is looked at first is somebody's network."""
    networks: list[str] = []
    monkeypatch.setattr(nn.Module, "__call__", lambda self, *args, **kwargs: networks.append(type(self).__name__))
    with Noted() as noted:
        package = importlib.import_module("cnnvis_report")
        assert package.explain is not explain, "executed again"
        for module in pkgutil.walk_packages(package.__path__, "cnnvis_report."):
            if module.name.endswith("__main__"):
                continue
            try:
                importlib.import_module(module.name)
            except ModuleNotFoundError:
                assert module.name in CALLBACKS, "these alone need a library of an extra"
    assert len([name for name in sys.modules if name.startswith("cnnvis_report.")]) > 200
    assert networks == [] and noted.names == []
