"""Activation maximization against optima that are known."""

from typing import Any

import pytest
import torch
from torch import nn

from cnnvis_report.data.preprocessing.preprocessing import Preprocessing
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import BadRequest, NotApplicable, UnknownName
from cnnvis_report.inspection import parametrization
from cnnvis_report.inspection.activation_maximization import FRAMES, Objective, maximize_activations
from cnnvis_report.inspection.inversion import invert
from tests.inspection.conftest import GREY, double, plain, source
from tests.networks import Awkward, seeded

pytestmark = [pytest.mark.numeric, pytest.mark.usefixtures("one_thread")]


SIDE = (16, 16)


class Linear(nn.Module):
    """Two classes whose scores are weighted sums of pixels, none of them indifferent."""

    def __init__(self) -> None:
        super().__init__()
        drawn = torch.rand(2, 3 * 16 * 16, generator=source(5)) - 0.5
        self.fc = nn.Linear(3 * 16 * 16, 2)
        self.fc.weight.data = drawn + 0.5 * drawn.sign()

    def forward(self, x: Any) -> Any:
        return self.fc(x.flatten(1))


def test_a_linear_score_is_largest_where_each_pixel_is_at_its_bound() -> None:
    subject = double(Linear())
    objectives = [Objective("", (0,)), Objective("", (1,))]
    free = maximize_activations(subject, objectives, parametrization="pixels", size=SIDE, steps=60, smooth=0, robust=0)
    for row, maximized in enumerate(free):
        best = (subject.network.fc.weight[row] > 0).view(3, 16, 16).float()
        assert torch.equal(maximized.image, best)
        assert maximized.reached == pytest.approx(plain(subject, best)[row].item())
    smoothed = maximize_activations(subject, objectives, parametrization="pixels", size=SIDE, steps=60, robust=0)
    spectral = maximize_activations(subject, objectives, size=SIDE, steps=60, robust=0)
    for best, smooth, other in zip(free, smoothed, spectral, strict=True):
        assert parametrization.total_variation(smooth.image[None]) < 0.5 * parametrization.total_variation(
            best.image[None]
        )
        assert 0.2 * best.reached < smooth.reached < best.reached
        assert 0.2 * best.reached < other.reached < best.reached  # noise, all of it, is what it is slow to make
        assert list(other.curve) == sorted(other.curve)


OBJECTIVES = [
    Objective("", (1,)),
    Objective("features.3", (2, 5)),
    Objective("features.1", (4,), (3, 7)),
    Objective("pool", (6,)),
]


@pytest.mark.parametrize("form", ["fourier", "pixels"])
def test_neighbors_and_parts_do_not_matter(tiny: Any, form: Any) -> None:
    steps_done: list[int] = []
    together = maximize_activations(tiny, OBJECTIVES, parametrization=form, size=SIDE, steps=12)
    parts = maximize_activations(
        tiny, OBJECTIVES, parametrization=form, size=SIDE, steps=12, capacity=3, progress=steps_done.append
    )
    alone = maximize_activations(tiny, OBJECTIVES[1:2], parametrization=form, size=SIDE, steps=12)
    for one, other in [*zip(together, parts, strict=True), (together[1], alone[0])]:
        torch.testing.assert_close(one.image, other.image, rtol=1e-5, atol=1e-6)
        assert one.curve == pytest.approx(other.curve, rel=1e-6, abs=1e-9)
    assert steps_done == [3 * step for step in range(1, 13)] + [36 + step for step in range(1, 13)]


@pytest.mark.parametrize("form", ["fourier", "pixels"])
def test_the_seed_decides(tiny: Any, form: Any) -> None:
    first, again, other = [
        maximize_activations(tiny, OBJECTIVES[:2], parametrization=form, size=SIDE, steps=8, seed=seed)
        for seed in (1, 1, 2)
    ]
    for one, same, different in zip(first, again, other, strict=True):
        assert torch.equal(one.image, same.image) and one.curve == same.curve and one.reached == same.reached
        assert torch.equal(one.frames, same.frames)
        assert not torch.allclose(one.image, different.image, atol=1e-2)
    assert not torch.allclose(first[0].frames[0], first[1].frames[0])  # each objective has noise of its own


@pytest.mark.parametrize("form", ["fourier", "pixels"])
def test_what_is_reached_is_what_the_network_gives(tiny: Any, form: Any) -> None:
    maximized = maximize_activations(tiny, OBJECTIVES, parametrization=form, size=(20, 18), steps=10)
    logit, several, placed, pooled = maximized
    assert logit.reached == pytest.approx(plain(tiny, logit.image)[1].item(), rel=1e-5)
    before = plain(tiny, several.image, "features.3")
    assert several.reached == pytest.approx(before[[2, 5]].mean().item(), rel=1e-5)
    assert placed.reached == pytest.approx(plain(tiny, placed.image, "features.1")[4, 3, 7].item(), rel=1e-5)
    assert pooled.reached == pytest.approx(plain(tiny, pooled.image, "pool")[6].item(), rel=1e-5)
    for one in maximized:
        assert one.image.shape == (3, 20, 18) and one.image.dtype == torch.float32
        assert one.image.min() >= 0 and one.image.max() <= 1
        assert one.frames.shape == (FRAMES, 3, 20, 18) and torch.equal(one.frames[-1], one.image)
        assert len(one.curve) == 10 and one.reached > one.curve[0]


def test_layers_are_read_before_what_works_on_them_in_place() -> None:
    subject = double(seeded(Awkward()))
    # "act" runs twice: its second call by either name
    objectives = [
        Objective("norm", (3,), (5, 5)),
        Objective("first", (2,)),
        Objective("act#2", (1,)),
        Objective("act", (1,)),
    ]
    norm, first, second, last = maximize_activations(subject, objectives, size=SIDE, steps=10)
    assert norm.reached == pytest.approx(plain(subject, norm.image, "norm")[3, 5, 5].item(), rel=1e-5)
    assert first.reached == pytest.approx(plain(subject, first.image, "first")[2].mean().item(), rel=1e-5)
    assert torch.equal(second.image, last.image) and second.reached == last.reached


@pytest.mark.parametrize("form", ["fourier", "pixels"])
def test_an_image_to_start_from_is_where_it_starts(tiny: Any, form: Any) -> None:
    start = GREY.normalize(0.05 + 0.9 * torch.rand(3, 16, 20, generator=source(9), dtype=torch.float64))
    maximized = maximize_activations(tiny, OBJECTIVES[:2], parametrization=form, start=start, steps=3, robust=0)
    logits = tiny.forward(start[None])[0]
    assert maximized[0].curve[0] == pytest.approx(logits[1].item(), rel=1e-6)
    torch.testing.assert_close(maximized[1].frames[0], GREY.restore(start).float())
    assert maximized[0].reached > maximized[0].curve[0]


class Sleeping(nn.Module):
    """A unit behind a ReLU that no gray picture wakes."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 1)
        nn.init.constant_(self.conv.weight, 1 / 3)
        assert self.conv.bias is not None
        nn.init.constant_(self.conv.bias, -0.6)
        self.act = nn.ReLU()

    def forward(self, x: Any) -> Any:
        return self.act(self.conv(x)).mean((2, 3))


@pytest.mark.parametrize("form", ["fourier", "pixels"])
def test_a_sleeping_unit_is_woken(form: Any) -> None:
    subject = double(Sleeping(), preprocessing=Preprocessing())
    (maximized,) = maximize_activations(
        subject, [Objective("act", (0,), (4, 4))], parametrization=form, size=SIDE, steps=120
    )
    assert maximized.curve[0] == 0 < maximized.reached


@pytest.mark.parametrize("form", ["fourier", "pixels"])
def test_maximized_images_beat_the_best_of_many(tiny: Any, form: Any) -> None:
    many = GREY.normalize(torch.rand(500, 3, 16, 16, generator=source(2), dtype=torch.float64))
    best = tiny.forward(many).amax(dim=0)
    maximized = maximize_activations(
        tiny, [Objective("", (k,)) for k in range(5)], parametrization=form, size=SIDE, steps=60
    )
    assert all(one.reached > best[k].item() for k, one in enumerate(maximized))


def test_the_network_is_left_as_it_was(tiny: Any) -> None:
    tiny.network.train()
    before = {name: value.clone() for name, value in tiny.network.state_dict().items()}
    maximize_activations(tiny, OBJECTIVES, size=SIDE, steps=2)
    invert(tiny, torch.zeros(3, *SIDE).double(), ["features.0"], steps=2)
    assert all(module.training and not module._forward_hooks for module in tiny.network.modules())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in tiny.network.parameters())
    assert all(torch.equal(before[name], value) for name, value in tiny.network.state_dict().items())


ERRORS = [
    (UnknownName, "features.3", {"objectives": [Objective("feature.3", (0,))]}),
    (UnknownName, "fourier", {"parametrization": "furier"}),
    (BadRequest, "at least one objective", {"objectives": []}),
    (BadRequest, "steps=0", {"steps": 0}),
    (BadRequest, "0 to 4, and 5", {"objectives": [Objective("", (1, 5))]}),
    (BadRequest, "0 to 5, and -1", {"objectives": [Objective("features.0", (-1,))]}),
    (BadRequest, "none was asked for", {"objectives": [Objective("features.0", ())]}),
    (BadRequest, "have no positions", {"objectives": [Objective("", (0,), (1, 1))]}),
    (BadRequest, "16×16 positions, and \\(3, 16\\)", {"objectives": [Objective("features.0", (0,), (3, 16))]}),
    (BadRequest, "give the size", {"size": None}),
    (BadRequest, "start from is 1×16×16", {"start": torch.zeros(1, 16, 16)}),
    (BadRequest, "3×16×16 is needed", {"start": torch.zeros(3, 16, 17)}),
]


@pytest.mark.parametrize("kind, words, changes", ERRORS, ids=[words for _, words, _ in ERRORS])
def test_what_cannot_be_done_is_said_in_a_line(tiny: Any, kind: Any, words: Any, changes: Any) -> None:
    request = {"objectives": [Objective("", (0,))], "size": SIDE, "steps": 1} | changes
    with pytest.raises(kind, match=words) as raised:
        maximize_activations(tiny, request.pop("objectives"), **request)
    assert "\n" not in str(raised.value)


def test_a_size_that_the_network_cannot_take_is_said() -> None:
    with pytest.raises(BadRequest, match="doesn't take images of 20×16"):
        maximize_activations(double(Linear()), [Objective("", (0,))], size=(20, 16), steps=1)


def test_what_has_no_channels_is_said() -> None:
    class Tokens(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cut = nn.Sequential(nn.Flatten(2), nn.Linear(256, 7))  # every number sees every position
            self.fc = nn.Linear(7, 4)

        def forward(self, x: Any) -> Any:
            return self.fc(self.cut(x)).mean(1)

    with pytest.raises(NotApplicable, match="3×7"):
        maximize_activations(double(Tokens()), [Objective("cut", (0,))], size=SIDE, steps=1)


def test_a_real_network_is_excited_more_than_by_photographs(real: Any) -> None:
    from cnnvis_report.data.preprocessing.prepare import prepare
    from cnnvis_report.models.load import load_model
    from tests.picture_reading import read_picture

    model = load_model("squeezenet1_1", real / "squeezenet1_1.safetensors")
    subject = Subject(model.network, torch.zeros(1, 3, 224, 224), preprocessing=model.preprocessing)
    files = sorted((real / "labelled").iterdir())[:12]
    photographs = torch.stack([prepare(read_picture(file), model.preprocessing).values for file in files])
    with torch.no_grad():
        best = subject.forward(photographs).amax(dim=0)
    classes = best.topk(4).indices.tolist()  # those that the photographs show best
    maximized = maximize_activations(subject, [Objective("", (k,)) for k in classes], steps=16, size=(96, 96))
    assert sum(one.reached > best[k].item() for k, one in zip(classes, maximized, strict=True)) >= 3
