"""Every convolution and matrix product of a run is made with all digits of float32, whatever the caller has set."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from cnnvis_report.engine.graph.nodes import check_pytorch
from tests.conftest import command

PRODUCTS = ("convolution", "convolution_backward", "addmm", "mm", "bmm", "baddbmm")


class Digits(TorchDispatchMode):
    """Notes which products of float32 are made while a switch that drops digits is on."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.products = 0
        self.rounded: set[str] = set()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        name = func.overloadpacket.__name__
        if name in PRODUCTS and args[0].dtype == torch.float32:
            self.products += 1
            if torch.backends.cudnn.allow_tf32 or torch.get_float32_matmul_precision() != "highest":
                self.rounded.add(name)
        return func(*args, **(kwargs or {}))


@pytest.fixture
def rounding() -> Iterator[None]:
    """The switches as somebody sets them who trains with TF32."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


@pytest.mark.usefixtures("rounding")
def test_no_product_of_a_run_is_rounded(drawn: Path, tmp_path: Path) -> None:
    check_pytorch()  # once a process, on numbers that mean nothing
    fewer = ("smoothgrad.n=2", "integrated_gradients.steps=2", "rise.n=4", "extremal_perturbation.steps=2")
    words = [word for option in (*fewer, "kernel_shap.samples=20", "lime.samples=20") for word in ("-O", option)]
    words += ["-m", "all", "--classes", "top:1", "--limit", "1", "--metrics", "quick", "--inspect", "quick", "-q"]
    with Digits() as digits:
        command("run", "tests.factories:tiny", drawn, "-o", tmp_path / "r", "--device", "cpu", *words)
    assert digits.products > 1000
    assert digits.rounded == set()
