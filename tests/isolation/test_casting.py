"""A network that casts, within or by what is around it, has maps of its own type and in full precision."""

from typing import Any

import pytest
import torch

from cnnvis_report import explain
from cnnvis_report.engine.subject import Subject
from cnnvis_report.isolation.eager import unwrapped
from tests.isolation.test_state import IMAGES, Body, maps


def test_wrappers_of_somebody_elses_are_not_taken_off() -> None:
    class DataParallel(Body):
        pass

    network = DataParallel()
    assert unwrapped(network) is network


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_a_network_that_casts_its_images_has_maps_of_their_type(dtype: Any) -> None:
    class Casting(Body):
        def __init__(self) -> None:
            super().__init__()
            self.to(dtype)

        def forward(self, x: Any) -> Any:
            return super().forward(x.to(dtype))

    methods = ["grad_cam", "ablation_cam", "score_cam", "gradient", "full_grad", "lrp_epsilon", "layer_cam"]
    maps = explain(Casting(), IMAGES, [1, 2], methods)
    wanted = explain(Body(), IMAGES, [1, 2], methods)
    near = {torch.float16: 2e-2, torch.bfloat16: 0.3, torch.float64: 1e-3}[dtype]
    for name, own in wanted.items():
        assert maps[name].dtype == torch.float32
        torch.testing.assert_close(maps[name], own, rtol=0, atol=near * float(own.abs().max()), msg=name)


def test_casting_within_a_network_is_put_aside() -> None:
    wanted = maps(Body())

    class Autocast(Body):
        def forward(self, x: Any) -> Any:
            with torch.autocast("cpu", torch.bfloat16):
                return super().forward(x)

    network, enter = Autocast(), torch.autocast.__enter__
    for name, actual in maps(network).items():
        torch.testing.assert_close(actual, wanted[name], rtol=0, atol=0)
    assert network(IMAGES).dtype == torch.bfloat16 and torch.autocast.__enter__ is enter


def test_bfloat16_forward_passes_are_cast_all_the_same() -> None:
    subject = Subject(Body(), IMAGES[:1])
    with torch.no_grad():
        exact = subject.forward(IMAGES)
        with subject.reduced():
            actual = subject.forward(IMAGES)
    assert 0 < float((actual - exact).abs().max()) < 0.1
