"""The tape: how many passes run, how deep they go, and that the recorded graph is read rightly."""

import weakref
from collections import Counter
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from cnnvis_report import explain
from cnnvis_report.engine.dry_run import DryRunTape
from cnnvis_report.engine.rules.relu import GUIDED
from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods.selection import select
from cnnvis_report.methods.tasks import dry_run_tasks, tasks_for
from tests.networks import Awkward, Tiny, seeded

pytestmark = pytest.mark.numeric


TEN = [
    "saliency",
    "input_x_gradient",
    "guided_backprop",
    "deconvnet",
    "guided_grad_cam",
    "grad_cam",
    "grad_cam_plus_plus",
    "layer_cam",
    "hires_cam",
    "xgrad_cam",
]


class Counted(TorchDispatchMode):
    """Counts what really runs: "convolution" in forward passes, "convolution_backward" in backward passes."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.seen: Counter[str] = Counter()

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.seen[function.overloadpacket.__name__] += 1
        return function(*args, **(kwargs or {}))


@pytest.fixture
def tiny() -> Any:
    return seeded(Tiny()).double()


def test_ten_methods_and_three_classes_take_nine_backward_passes(tiny: Any, images: Any) -> None:
    with Counted() as counted:
        explain(tiny, images, torch.tensor([[0, 1, 2]] * 3), TEN)
    assert counted.seen["convolution_backward"] == 9 * 2, "two convolutions each"
    assert counted.seen["convolution"] == 2 * 2, "a pass over the example and one over the batch"


def test_a_layer_that_nobody_announced_costs_one_more_forward_pass(tiny: Any, images: Any, targets: Any) -> None:
    subject = Subject(tiny, images[:1])
    with Counted() as counted:
        tape = Tape(subject, images)
        early = tape.layer("features.0")
        again = tape.gradients(targets).layer("features.0")
    assert counted.seen["convolution"] == 2 * 2
    assert early.shape == again.shape


def test_a_pass_goes_no_deeper_than_somebody_looks(images: Any, targets: Any) -> None:
    network = seeded(Tiny()).double()
    subject = Subject(network, images[:1])
    plan = dry_run_tasks(
        tasks_for(select(["grad_cam"]), [], {}), DryRunTape(subject, subject.take_first_pass()), targets[:1, None]
    )
    assert plan.reads == {None: frozenset({"features"})} and plan.layers == ("features",)
    tape = Tape(subject, images, layers=plan.layers, reads=plan.reads)
    with Counted() as counted:
        tape.gradients(targets).layer("features")
        assert not counted.seen["convolution_backward"]
        _ = tape.gradients(targets).pixels
        assert counted.seen["convolution_backward"] == 2


def test_the_plan_counts_what_runs(tiny: Any, images: Any) -> None:
    names = [*TEN, "smoothgrad", "integrated_gradients", "occlusion", "random", "cam"]
    options = {"smoothgrad": {"n": 4}, "integrated_gradients": {"steps": 3}, "occlusion": {"patch": 8, "stride": 8}}
    subject = Subject(tiny, images[:1])
    tasks = tasks_for(select(names), [], options)
    pairs = torch.tensor([[0, 1]] * 3)
    plan = dry_run_tasks(tasks, DryRunTape(subject, subject.take_first_pass(), capacity=3), pairs[:1])
    assert plan.forward == 1 + 4 + (3 + 1) + 4
    assert plan.backward == 3 * 2 + 2 * 4 + 2 * 3
    with Counted() as counted:
        tape = Tape(subject, images, layers=plan.layers, reads=plan.reads)
        for task in plan.tasks:
            task.run(tape, pairs)
    assert counted.seen["convolution_backward"] == 2 * plan.backward
    assert counted.seen["convolution"] == 2 * plan.forward


def test_accounts_share_what_is_shared(tiny: Any, images: Any, targets: Any) -> None:
    tape = Tape(Subject(tiny, images[:1]), images)
    with tape.costs.measure() as one:
        _ = tape.gradients(targets).pixels
    with tape.costs.measure() as two:
        _ = tape.gradients(targets).pixels
        _ = tape.scores(images)
    assert one.shared == two.shared and (one.backward, two.backward) == (0, 0)
    assert (one.forward, two.forward) == (0, 1.0)
    assert tape.costs.seconds(one) > 0 and tape.costs.seconds(two) > 0


def test_rules_of_equal_value_share_a_pass_and_others_do_not(tiny: Any, images: Any, targets: Any) -> None:
    tape = Tape(Subject(tiny, images[:1]), images)
    guided = tape.gradients(targets, type(GUIDED)(gated=True)).pixels
    assert tape.gradients(targets, GUIDED).pixels is guided
    assert not torch.equal(tape.gradients(targets).pixels, guided)


def test_a_subject_and_its_tapes_leave_no_graph_behind(images: Any, targets: Any) -> None:
    network = seeded(Tiny()).double()
    subject = Subject(network, images[:1])
    tape = Tape(subject, images)
    _ = tape.gradients(targets, GUIDED).pixels
    held = weakref.ref(tape._recorded.output)
    del tape
    assert held() is None, "not even until the garbage is collected: that is a batch's memory"
    subject.take_first_pass()
    with pytest.raises(RuntimeError, match="taken"):
        subject.take_first_pass()


def test_a_module_that_runs_twice_has_two_names(images: Any) -> None:
    subject = Subject(seeded(Awkward()).double(), images[:1])
    names = [layer.name for layer in subject.layers]
    assert names.index("act#1") < names.index("act#2") < names.index("last")
    assert subject.layer("act") == subject.layer("act#2") and subject.layer("act#1").shape == (6, 16, 16)
    both = Tape(subject, images, layers=["act#1", "act#2", "act"])
    assert torch.equal(both.layer("act"), both.layer("act#2")) and not torch.equal(
        both.layer("act"), both.layer("act#1")
    )


def test_a_value_is_kept_before_an_operation_in_place_changes_it(images: Any, targets: Any) -> None:
    class Overwritten(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.fc = nn.Conv2d(3, 4, 3), nn.Linear(4, 5)

        def forward(self, x: Any) -> Any:
            return self.fc(torch.relu_(self.conv(x)).mean((2, 3)))

    network = seeded(Overwritten()).double()
    tape = Tape(Subject(network, images[:1]), images, layers=["conv"])
    torch.testing.assert_close(tape.layer("conv"), network.conv(images).detach())
    assert float(tape.layer("conv").min()) < 0
    slope = tape.gradients(targets).layer("conv")
    torch.testing.assert_close(slope, (tape.layer("conv") > 0) * network.fc.weight[targets][:, :, None, None] / 14**2)


class Tail(nn.Module):
    def __init__(self, tail: Any) -> None:
        super().__init__()
        self.inner, self.tail = seeded(Tiny()), tail

    def forward(self, x: Any) -> Any:
        return self.tail(self.inner(x))


@pytest.mark.parametrize("tail", [nn.Softmax(1), nn.LogSoftmax(1), nn.Sigmoid(), lambda x: x.softmax(1)])
def test_logits_are_found_behind_a_final_softmax(tail: Any, images: Any, targets: Any) -> None:
    network = Tail(tail).double()
    names = ["gradient", "grad_cam", "cam", "occlusion"]
    for name, maps in explain(network, images, targets, names).items():
        torch.testing.assert_close(maps, explain(network.inner, images, targets, [name])[name])
    subject = Subject(network, images[:1])
    assert subject.scores.startswith("logits of 'inner") and "before the final" in subject.scores
    shown = subject.probabilities(subject.forward(images).detach())
    expected = network(images).detach()
    torch.testing.assert_close(shown, expected.exp() if isinstance(tail, nn.LogSoftmax) else expected)


class Flat(nn.Module):
    def __init__(self, flatten: Any) -> None:
        super().__init__()
        self.features, self.flatten, self.fc = Tiny().features, flatten, nn.Linear(8 * 8 * 8, 5)

    def forward(self, x: Any) -> Any:
        return self.fc(self.flatten(self.features(x)))


def test_channels_last_changes_no_number_and_is_left_where_a_view_forbids_it(images: Any, targets: Any) -> None:
    single = images.float()
    fast, slow = seeded(Flat(lambda x: x.flatten(1))), seeded(Flat(lambda x: x.view(len(x), -1)))
    assert Subject(fast, single[:1])._layout is torch.channels_last
    assert Subject(slow, single[:1])._layout is torch.contiguous_format
    for name in ("gradient", "guided_backprop", "grad_cam"):
        maps = explain(fast, single, targets, [name])[name]
        torch.testing.assert_close(maps, explain(slow, single, targets, [name])[name], rtol=1e-4, atol=1e-6)
        assert maps.is_contiguous()
