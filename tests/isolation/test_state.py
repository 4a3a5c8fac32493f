"""A network that is compiled, wrapped, checkpointed or counting gives the maps of the plain one, and is untouched."""

import copy
import warnings

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from cnnvis_report import explain
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import BadRequest, InputRefused, NotApplicable
from cnnvis_report.isolation.buffers import OwnState
from cnnvis_report.isolation.eager import unwrapped
from tests.networks import Tiny, seeded

CHECKPOINTING = torch.utils.checkpoint.CheckpointFunction
METHODS = ["grad_cam", "gradient", "guided_backprop", "lrp_composite", "smoothgrad", "rise", "score_cam"]
IMAGES = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(3))


class Body(nn.Module):
    """The tiny network, its features called by what `run` makes of them."""

    def __init__(self, run=lambda features, x: features(x)):
        super().__init__()
        self.inner, self.run = seeded(Tiny()), run

    def forward(self, x):
        return self.inner.fc(self.inner.pool(self.run(self.inner.features, x)).flatten(1))


def maps(network, images=IMAGES, **options):
    return explain(network, images, [1, 2], METHODS, n=3, **options)


@pytest.fixture(scope="module")
def wanted():
    return maps(Body())


def compiled_inside():
    network = Body()
    network.inner.features = torch.compile(network.inner.features, backend="eager")
    return network


def compiled_in_place():
    network = Body()
    network.inner.features.compile(backend="eager")
    return network


OTHERWISE = {
    "compiled": lambda: torch.compile(Body(), backend="eager"),
    "compiled inside": compiled_inside,
    "compiled in place": compiled_in_place,
    "compiled function": lambda: Body(torch.compile(lambda features, x: features(x), backend="eager")),
    "parallel": lambda: nn.DataParallel(Body()),
    "averaged": lambda: torch.optim.swa_utils.AveragedModel(Body()),
    "parallel and compiled": lambda: torch.compile(nn.DataParallel(Body()), backend="eager"),
    "checkpointed, reentrant": lambda: Body(lambda features, x: checkpoint(features, x, use_reentrant=True)),
    "checkpointed": lambda: Body(lambda features, x: checkpoint(features, x, use_reentrant=False)),
}


@pytest.mark.parametrize("how", OTHERWISE)
def test_what_hides_the_operations_is_put_aside_for_a_while(how, wanted):
    network = OTHERWISE[how]()
    kinds = [type(module).__name__ for module in network.modules()]
    found = maps(network)
    for name, own in wanted.items():
        assert torch.equal(found[name], own), name
    assert [type(module).__name__ for module in network.modules()] == kinds
    assert explain(network, IMAGES, [1, 2], layer="inner.features.3")["grad_cam"].shape == (2, 8, 8)
    assert torch.utils.checkpoint.CheckpointFunction is CHECKPOINTING


def test_autocasting_around_the_call_changes_nothing(wanted):
    with torch.autocast("cpu", torch.bfloat16):
        found = maps(Body())
        assert torch.is_autocast_enabled("cpu")
    for name, own in wanted.items():
        assert found[name].dtype is torch.float32 and torch.equal(found[name], own), name


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_network_in_half_precision_has_maps_in_single(dtype):
    network = Body().to(dtype)
    plain = copy.deepcopy(network).float()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    found = maps(network, IMAGES.to(dtype))
    for name, own in maps(plain, IMAGES.to(dtype).float()).items():
        assert found[name].dtype is torch.float32 and torch.equal(found[name], own), name
    for key, value in network.state_dict().items():
        assert value.dtype == before[key].dtype and torch.equal(value, before[key])


def test_another_default_type_changes_nothing(wanted):
    network = Body()
    torch.set_default_dtype(torch.float64)
    try:
        found = maps(network)
    finally:
        torch.set_default_dtype(torch.float32)
    assert all(found[name].dtype is torch.float32 and torch.equal(found[name], own) for name, own in wanted.items())


class Moving(Body):
    """Counts its passes, adds the count to what it sees, and remembers the last picture."""

    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))
        self.register_buffer("mean", torch.zeros(3))
        self.register_buffer("twin", self.calls)
        self.times, self.last = 0, None

    def forward(self, x):
        self.calls += 1
        self.mean = 0.9 * self.mean + 0.1 * x.mean((0, 2, 3)).detach()
        self.times += 1
        self.last = x
        assert self.twin is self.calls
        return super().forward(x) * self.calls


def test_what_a_network_counts_in_is_left_as_it_was_and_each_pass_begins_with_it(wanted):
    network = Moving()
    calls, mean = network.calls, network.mean
    found = maps(network)
    assert network.calls is calls and network.mean is mean and network.twin is calls
    assert float(calls) == 0 and not mean.any() and network.times == 0 and network.last is None
    for name, own in wanted.items():  # the first pass multiplies by 1, and so do all others
        torch.testing.assert_close(found[name], own, rtol=0, atol=0)


def test_only_what_moves_is_looked_after():
    subject = Subject(Moving(), IMAGES[:1])
    assert sorted(name for _, name in subject.state._slots) == ["calls", "last", "mean", "times", "twin"]
    still = OwnState(Body())
    with still.working_copies():
        pass
    still.keep_changed_only()
    assert still._slots == []


def test_the_callers_dice_are_left_alone():
    network = Body(lambda features, x: nn.functional.dropout(features(x), 0.5, training=True))
    before = torch.get_rng_state()
    maps(network)
    assert torch.equal(torch.get_rng_state(), before)


def test_maps_that_are_not_finite_are_warned_of_by_name_and_number():
    class Cut(Body):
        def forward(self, x):
            return super().forward(x) + (0 * x).abs().sum((1, 2, 3)).sqrt().unsqueeze(1)

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = explain(Cut(), IMAGES, [1, 2], ["gradient", "grad_cam"])
    assert [str(each.message) for each in said] == ["gradient: 1536 of 1536 values aren't finite."]
    assert said[0].filename == __file__ and bool(found["grad_cam"].isfinite().all())


def refused(network, images=IMAGES, **options):
    with pytest.raises(BadRequest) as caught:
        explain(network, images, [1, 2], **options)
    said = str(caught.value)
    assert "\n" not in said and "--" not in said, said
    return said


def exported():
    return torch.export.export(Body().eval(), (IMAGES,)).module()


def test_networks_whose_operations_cannot_be_seen_are_named():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        inside = Body()
        inside.inner.features = torch.jit.script(inside.inner.features)
        assert "Body's inner.features is TorchScript" in refused(inside)
        assert "is TorchScript" in refused(torch.jit.trace(Body().eval(), IMAGES))
        assert "torch.export.unflatten(program)" in refused(exported())
        quantized = torch.ao.quantization.quantize_dynamic(Body().eval(), {nn.Linear})
    said = refused(quantized)
    assert "Body's inner.fc is a torch.ao.nn.quantized" in said and "autograd can't follow" in said


def test_images_that_do_not_meet_the_weights_are_told_so():
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

    def __init__(self, side):
        super().__init__()
        self.features, self.fc = nn.Conv2d(3, 4, 3, padding=1), nn.Linear(4 * side * side, 5)

    def forward(self, x):
        return self.fc(self.features(x).flatten(1))


def test_another_size_is_advised_where_one_works_and_nowhere_else():
    with pytest.raises(InputRefused) as caught:
        explain(Fixed(32), IMAGES, [1, 2])
    assert "It takes 32×32 pixels." in str(caught.value) and caught.value.option == "--size 32"

    class Slip(Body):
        def forward(self, x):
            return super().forward(x).sum(7)

    said = refused(Slip())
    assert "test_state.py:" in said and "(forward)" in said and "of other sizes, too" in said

    class Lost(Body):
        def forward(self, x):
            return {"a": x}["b"]

    assert "KeyError: 'b'" in refused(Lost()) and "It takes" not in refused(Lost())

    class Masked(Body):
        def forward(self, x, mask, *, scale):
            return x

    assert "forward needs mask, scale beside the images" in refused(Masked())


def test_a_network_that_takes_one_image_at_a_time_gets_them_so():
    class Alone(Body):
        def forward(self, x):
            if len(x) > 1:
                raise ValueError("one at a time")
            return super().forward(x)

    with pytest.warns(UserWarning, match="takes one image at a time"):
        found = explain(Alone(), IMAGES, [1, 2])["grad_cam"]
    torch.testing.assert_close(found, explain(Alone(), IMAGES, [1, 2], batch_size=1)["grad_cam"], rtol=0, atol=0)


def test_wrappers_of_somebody_elses_are_not_taken_off():
    class DataParallel(Body):
        pass

    network = DataParallel()
    assert unwrapped(network) is network


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_a_network_that_casts_its_images_has_maps_of_their_type(dtype):
    class Casting(Body):
        def __init__(self):
            super().__init__()
            self.to(dtype)

        def forward(self, x):
            return super().forward(x.to(dtype))

    methods = ["grad_cam", "ablation_cam", "score_cam", "gradient", "full_grad", "lrp_epsilon", "layer_cam"]
    found = explain(Casting(), IMAGES, [1, 2], methods)
    wanted = explain(Body(), IMAGES, [1, 2], methods)
    near = {torch.float16: 2e-2, torch.bfloat16: 0.3, torch.float64: 1e-3}[dtype]
    for name, own in wanted.items():
        assert found[name].dtype == torch.float32
        torch.testing.assert_close(found[name], own, rtol=0, atol=near * float(own.abs().max()), msg=name)


def test_casting_within_a_network_is_put_aside(wanted):
    class Autocast(Body):
        @torch.autocast("cpu", torch.bfloat16)
        def forward(self, x):
            return super().forward(x)

    network, enter = Autocast(), torch.autocast.__enter__
    for name, found in maps(network).items():
        torch.testing.assert_close(found, wanted[name], rtol=0, atol=0)
    assert network(IMAGES).dtype == torch.bfloat16 and torch.autocast.__enter__ is enter


def test_bfloat16_forward_passes_are_cast_all_the_same():
    subject = Subject(Body(), IMAGES[:1])
    with torch.no_grad():
        exact = subject.forward(IMAGES)
        with subject.reduced():
            found = subject.forward(IMAGES)
    assert 0 < float((found - exact).abs().max()) < 0.1


def test_a_network_that_overwrites_what_its_way_back_reads_is_told_so():
    class Overwriting(Body):
        def forward(self, x):
            seen = self.inner.features(x).relu()
            seen += 1
            return self.inner.fc(self.inner.pool(seen).flatten(1))

    with pytest.raises(NotApplicable) as caught:
        explain(Overwriting(), IMAGES, [1, 2])
    assert "changes in place what autograd reads" in str(caught.value)
    with pytest.warns(UserWarning, match="gradient is left out: Overwriting changes in place"):
        assert set(explain(Overwriting(), IMAGES, [1, 2], ["rise", "gradient"], n=2, on_error="skip")) == {"rise"}


def test_scores_and_weights_that_are_no_numbers_yet_are_named():
    class Complex(Body):
        def forward(self, x):
            return super().forward(x) + 0j

    class Empty(Body):
        def forward(self, x):
            return super().forward(x)[:, :0]

    assert "returns complex numbers" in refused(Complex())
    assert "returns N×0: it has no classes" in refused(Empty())
    lazy = nn.Sequential(nn.LazyConv2d(4, 3), nn.Flatten(), nn.LazyLinear(5))
    assert "0.weight has no shape yet (a lazy layer)" in refused(lazy)
    with torch.inference_mode():
        network = Body()
    assert "was made under torch.inference_mode" in refused(network)


def test_the_cause_of_a_refusal_is_tried():
    with pytest.raises(InputRefused) as caught:
        explain(Fixed(20), IMAGES, [1, 2])  # of no usual size: its linear layer tells
    assert caught.value.option == "--size 20"

    class Pairs(Body):
        def forward(self, x):
            assert len(x) > 1
            return super().forward(x)

    assert "It takes two images at a time" in refused(Pairs())


def test_attributes_that_fail_say_nothing():
    class Odd(Body):
        @property
        def scores(self):
            raise ValueError("not known yet")

    assert torch.equal(explain(Odd(), IMAGES, [1, 2])["grad_cam"], explain(Body(), IMAGES, [1, 2])["grad_cam"])
