"""Networks that can't be explained as they are, and images that they don't take, are named with what to do."""

import warnings
from typing import Any

import pytest
import torch
from torch import nn

from cnnvis_report import explain
from cnnvis_report.errors import BadRequest, InputRefused, NotApplicable
from tests.isolation.test_state import IMAGES, Body
from tests.networks import Tiny


def refused(network: Any, images: Any = IMAGES, **options: Any) -> Any:
    with pytest.raises(BadRequest) as caught:
        explain(network, images, [1, 2], **options)
    message = str(caught.value)
    assert "\n" not in message and "--" not in message, message
    return message


def exported() -> Any:
    return torch.export.export(Body().eval(), (IMAGES,)).module()


def test_networks_whose_operations_cannot_be_seen_are_named() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        inside = Body()
        inside.inner.add_module("features", torch.jit.script(inside.inner.features))
        assert "Body's inner.features is TorchScript" in refused(inside)
        assert "is TorchScript" in refused(torch.jit.trace(Body().eval(), IMAGES))
        inside = Body()
        inside.inner.add_module("features", exported())
        assert "torch.export.unflatten(program)" in refused(inside)
        quantized = torch.ao.quantization.quantize_dynamic(Body().eval(), {nn.Linear})
    message = refused(quantized)
    assert "Body's inner.fc is a torch.ao.nn.quantized" in message and "autograd can't follow" in message


def test_images_that_do_not_meet_the_weights_are_told_so() -> None:
    assert "images.to(torch.float32)" in refused(Body(), IMAGES.double())
    assert "images.to(torch.float16)" in refused(Body().half())
    with torch.device("meta"):
        empty = Tiny()
    assert "Tiny is on the meta device, where features.0.weight has no values" in refused(empty)
    with torch.inference_mode():
        network = Body()
    assert "made under torch.inference_mode" in refused(network)
    assert "reads images of 3 channels" in refused(Body(), IMAGES[:, :1])


class Fixed(nn.Module):
    """Takes one side alone."""

    def __init__(self, side: Any) -> None:
        super().__init__()
        self.features, self.fc = nn.Conv2d(3, 4, 3, padding=1), nn.Linear(4 * side * side, 5)

    def forward(self, x: Any) -> Any:
        return self.fc(self.features(x).flatten(1))


def test_another_size_is_advised_where_one_works_and_nowhere_else() -> None:
    with pytest.raises(InputRefused) as caught:
        explain(Fixed(32), IMAGES, [1, 2])
    assert "It takes 32×32 pixels." in str(caught.value) and caught.value.option == "--size 32"

    class Slip(Body):
        def forward(self, x: Any) -> Any:
            return super().forward(x).sum(7)

    message = refused(Slip())
    assert "test_refusals.py:" in message and "(forward)" in message and "of other sizes, too" in message

    class Lost(Body):
        def forward(self, x: Any) -> Any:
            return {"a": x}["b"]

    assert "KeyError: 'b'" in refused(Lost()) and "It takes" not in refused(Lost())

    class Masked(nn.Module):
        def forward(self, x: Any, mask: Any, *, scale: Any) -> Any:
            return x

    assert "forward needs mask, scale beside the images" in refused(Masked())


def test_a_network_that_takes_one_image_at_a_time_gets_them_so() -> None:
    class Alone(Body):
        def forward(self, x: Any) -> Any:
            if len(x) > 1:
                raise ValueError("one at a time")
            return super().forward(x)

    with pytest.warns(UserWarning, match="takes one image at a time"):
        actual = explain(Alone(), IMAGES, [1, 2])["grad_cam"]
    torch.testing.assert_close(actual, explain(Alone(), IMAGES, [1, 2], batch_size=1)["grad_cam"], rtol=0, atol=0)


def test_a_network_that_overwrites_what_its_way_back_reads_is_told_so() -> None:
    class Overwriting(Body):
        def forward(self, x: Any) -> Any:
            seen = self.inner.features(x).relu()
            seen += 1
            return self.inner.fc(self.inner.pool(seen).flatten(1))

    with pytest.raises(NotApplicable) as caught:
        explain(Overwriting(), IMAGES, [1, 2])
    assert "changes in place what autograd reads" in str(caught.value)
    with pytest.warns(UserWarning, match="gradient is left out: Overwriting changes in place"):
        assert set(explain(Overwriting(), IMAGES, [1, 2], ["rise", "gradient"], n=2, on_error="skip")) == {"rise"}


def test_scores_and_weights_that_are_no_numbers_yet_are_named() -> None:
    class Complex(Body):
        def forward(self, x: Any) -> Any:
            return super().forward(x) + 0j

    class Empty(Body):
        def forward(self, x: Any) -> Any:
            return super().forward(x)[:, :0]

    assert "returns complex numbers" in refused(Complex())
    assert "returns N×0: it has no classes" in refused(Empty())
    lazy = nn.Sequential(nn.LazyConv2d(4, 3), nn.Flatten(), nn.LazyLinear(5))
    assert "0.weight has no shape yet (a lazy layer)" in refused(lazy)
    with torch.inference_mode():
        network = Body()
    assert "was made under torch.inference_mode" in refused(network)


def test_the_cause_of_a_refusal_is_tried() -> None:
    with pytest.raises(InputRefused) as caught:
        explain(Fixed(20), IMAGES, [1, 2])  # of no usual size: its linear layer tells
    assert caught.value.option == "--size 20"

    class Pairs(Body):
        def forward(self, x: Any) -> Any:
            assert len(x) > 1
            return super().forward(x)

    assert "It takes two images at a time" in refused(Pairs())


def test_attributes_that_fail_say_nothing() -> None:
    class Odd(Body):
        @property
        def scores(self) -> None:
            raise ValueError("not known yet")

    assert torch.equal(explain(Odd(), IMAGES, [1, 2])["grad_cam"], explain(Body(), IMAGES, [1, 2])["grad_cam"])
