"""Pictures made by optimization: the parts against their definitions, the whole against optima that are known."""

from math import atan2, cos, degrees, hypot, pi

import pytest
import torch
from torch import nn

from cnnvis_report.data.preprocessing import Preprocessing
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import BadRequest, CnnVisError, NotApplicable, UnknownName
from cnnvis_report.inspection import parametrization
from cnnvis_report.inspection.activation_maximization import FRAMES, Objective, maximize_activations
from cnnvis_report.inspection.inversion import invert
from cnnvis_report.inspection.parametrization import FourierPictures
from tests.networks import Awkward, Tiny, seeded

pytestmark = pytest.mark.numeric

SIDE = (16, 16)
GREY = Preprocessing((0.5,) * 3, (0.25,) * 3)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Pictures of 16×16 take longer to share out than to compute."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def source(seed=0):
    return torch.Generator().manual_seed(seed)


def double(network, side=16, preprocessing=GREY):
    network = network.double().eval()
    channels = preprocessing.channels
    example = torch.randn(1, channels, side, side, generator=source(3), dtype=torch.float64)
    return Subject(network, example, preprocessing=preprocessing)


@pytest.fixture
def tiny():
    return double(seeded(Tiny()))


def plain(subject, image, layer=""):
    """What a layer, or the network, gives for a picture: by a hook of the test's own."""
    kept = []
    image = subject.preprocessing.normalize(image.to(next(subject.network.parameters())))[None]
    module = subject.network.get_submodule(layer)
    handle = module.register_forward_hook(lambda *args: kept.append(args[2].clone()))
    with torch.no_grad():
        subject.network(image.clone())
    handle.remove()
    return kept[0][0]


def test_a_spectrum_is_a_sum_of_cosines():
    for height, width in [(6, 8), (5, 7), (4, 5)]:
        z = torch.randn(1, 1, height, width // 2 + 1, 2, generator=source(), dtype=torch.float64)
        found = torch.logit(FourierPictures(z, width).pictures())[0, 0]
        expected = torch.zeros(height, width, dtype=torch.float64)
        for u in range(height):
            for v in range(width // 2 + 1):
                cycles = max(hypot(min(u, height - u) / height, v / width), 1 / max(height, width))
                twice = 1 if v == 0 or 2 * v == width else 2  # the other half of a real picture's spectrum
                size = parametrization.CONTRAST / cycles * twice / (height * width) ** 0.5
                re, im = z[0, 0, u, v].tolist()
                for y in range(height):
                    for x in range(width):
                        turn = 2 * pi * (u * y / height + v * x / width)
                        expected[y, x] += size * (re * cos(turn) + im * cos(turn + pi / 2))
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


def test_colors_are_orthogonal_with_the_spreads_that_are_stated():
    basis = parametrization.color_basis(3)
    torch.testing.assert_close(basis.T @ basis, torch.tensor(parametrization.COLOUR_SPREADS).double().square().diag())
    luminance, red_blue, green = basis.T
    assert luminance[0] == luminance[1] == luminance[2] > 0
    assert red_blue[0] == -red_blue[2] > 0 and red_blue[1] == 0
    assert green[1] > 0 and torch.allclose(green[[0, 2]], -green[1] / 2)
    for channels in (1, 4):
        assert torch.equal(parametrization.color_basis(channels), torch.eye(channels).double())
    # which way round the matrix is used: a spectrum in the first color alone is gray
    z = torch.zeros(1, 3, 6, 4, 2, dtype=torch.float64)
    z[:, 0] = 1
    shown = FourierPictures(z, 6).pictures()[0]
    assert torch.allclose(shown[0], shown[1]) and torch.allclose(shown[0], shown[2]) and shown.std() > 0.01


def test_a_picture_survives_its_spectrum():
    for shape in [(2, 3, 6, 8), (1, 1, 5, 7)]:
        given = 0.02 + 0.96 * torch.rand(shape, generator=source(), dtype=torch.float64)
        torch.testing.assert_close(FourierPictures.from_pictures(given).pictures(), given)


def test_variation_and_norm_are_what_they_say():
    given = torch.rand(2, 3, 4, 5, generator=source(), dtype=torch.float64, requires_grad=True)
    variation, norm = [0.0, 0.0], [0.0, 0.0]
    for n in range(2):
        for channel in given[n].tolist():
            for y in range(4):
                for x in range(5):
                    norm[n] += (2 * channel[y][x] - 1) ** 6 / 12
                    variation[n] += (channel[y + 1][x] - channel[y][x]) ** 2 if y < 3 else 0
                    variation[n] += (channel[y][x + 1] - channel[y][x]) ** 2 if x < 4 else 0
    assert parametrization.total_variation(given).tolist() == pytest.approx(variation)
    assert parametrization.sixth_norm(given).tolist() == pytest.approx(norm)
    for cost in (parametrization.total_variation, parametrization.sixth_norm):
        assert torch.autograd.gradcheck(cost, given)


def test_transformations_are_small_turns_and_scalings_the_same_for_all_rows():
    rows, columns = torch.meshgrid(torch.arange(48.0).double(), torch.arange(64.0).double(), indexing="ij")
    ramps = torch.stack([columns, rows]).unsqueeze(0).repeat(2, 1, 1, 1)
    assert torch.allclose(parametrization.transformed(ramps, source(), 0.0), ramps)
    turns, sizes = [], []
    for seed in range(20):
        moved = parametrization.transformed(ramps, source(seed))
        assert torch.equal(moved[0], moved[1])
        x, y = moved[0, :, 12:-12, 12:-12]  # what is mirrored in at the borders aside
        (xx, xy), (yx, yy) = [[d.diff(dim=1).mean().item(), d.diff(dim=0).mean().item()] for d in (x, y)]
        assert x.diff(dim=1).std() < 1e-9 and y.diff(dim=0).std() < 1e-9
        assert xx == pytest.approx(yy) and xy == pytest.approx(-yx)  # a turn and a scale, no shear, at any aspect
        turns.append(degrees(atan2(yx, xx)))
        sizes.append(1 / hypot(xx, yx))
        # the middle stays within the jitters' reach and what the turn makes of them
        middle = (x.mean() - 31.5).abs().item()
        assert middle < 1.6 * 1.15 * parametrization.JITTER * 48
    assert max(map(abs, turns)) <= parametrization.ROTATION and max(turns) > 3 and min(turns) < -3
    assert 1 - parametrization.SCALE <= min(sizes) < 0.96 and 1.04 < max(sizes) <= 1 + parametrization.SCALE


def test_jitter_rolls_all_rows_alike():
    given = torch.rand(2, 1, 48, 60, generator=source())
    seen = set()
    for seed in range(30):
        moved = parametrization.jittered(given, source(seed))
        shifts = [
            s for s in ((y, x) for y in range(-2, 3) for x in range(-2, 3)) if torch.equal(moved, given.roll(s, (2, 3)))
        ]
        assert len(shifts) == 1
        seen.update(shifts)
    assert len(seen) > 12
    assert torch.equal(parametrization.jittered(given, source(), 0.0), given)


class Linear(nn.Module):
    """Two classes whose scores are weighted sums of pixels, none of them indifferent."""

    def __init__(self):
        super().__init__()
        drawn = torch.rand(2, 3 * 16 * 16, generator=source(5)) - 0.5
        self.fc = nn.Linear(3 * 16 * 16, 2)
        self.fc.weight.data = drawn + 0.5 * drawn.sign()

    def forward(self, x):
        return self.fc(x.flatten(1))


def test_a_linear_score_is_largest_where_each_pixel_is_at_its_bound():
    subject = double(Linear())
    goals = [Objective("", (0,)), Objective("", (1,))]
    free = maximize_activations(subject, goals, parametrization="pixels", size=SIDE, steps=60, smooth=0, robust=0)
    for row, found in enumerate(free):
        best = (subject.network.fc.weight[row] > 0).view(3, 16, 16).float()
        assert torch.equal(found.image, best)
        assert found.reached == pytest.approx(plain(subject, best)[row].item())
    kept = maximize_activations(subject, goals, parametrization="pixels", size=SIDE, steps=60, robust=0)
    spectral = maximize_activations(subject, goals, size=SIDE, steps=60, robust=0)
    for best, smooth, other in zip(free, kept, spectral, strict=True):
        assert parametrization.total_variation(smooth.image[None]) < 0.5 * parametrization.total_variation(
            best.image[None]
        )
        assert 0.2 * best.reached < smooth.reached < best.reached
        assert 0.2 * best.reached < other.reached < best.reached  # noise, all of it, is what it is slow to make
        assert list(other.curve) == sorted(other.curve)


GOALS = [
    Objective("", (1,)),
    Objective("features.3", (2, 5)),
    Objective("features.1", (4,), (3, 7)),
    Objective("pool", (6,)),
]


@pytest.mark.parametrize("form", ["fourier", "pixels"])
def test_neighbors_and_parts_do_not_matter(tiny, form):
    told = []
    together = maximize_activations(tiny, GOALS, parametrization=form, size=SIDE, steps=12)
    parts = maximize_activations(
        tiny, GOALS, parametrization=form, size=SIDE, steps=12, capacity=3, progress=told.append
    )
    alone = maximize_activations(tiny, GOALS[1:2], parametrization=form, size=SIDE, steps=12)
    for one, other in [*zip(together, parts, strict=True), (together[1], alone[0])]:
        torch.testing.assert_close(one.image, other.image, rtol=1e-5, atol=1e-6)
        assert one.curve == pytest.approx(other.curve, rel=1e-6, abs=1e-9)
    assert told == [3 * step for step in range(1, 13)] + [36 + step for step in range(1, 13)]


@pytest.mark.parametrize("form", ["fourier", "pixels"])
def test_the_seed_decides(tiny, form):
    first, again, other = [
        maximize_activations(tiny, GOALS[:2], parametrization=form, size=SIDE, steps=8, seed=seed) for seed in (1, 1, 2)
    ]
    for one, same, different in zip(first, again, other, strict=True):
        assert torch.equal(one.image, same.image) and one.curve == same.curve and one.reached == same.reached
        assert torch.equal(one.film, same.film)
        assert not torch.allclose(one.image, different.image, atol=1e-2)
    assert not torch.allclose(first[0].film[0], first[1].film[0])  # each goal has noise of its own


@pytest.mark.parametrize("form", ["fourier", "pixels"])
def test_what_is_reached_is_what_the_network_gives(tiny, form):
    found = maximize_activations(tiny, GOALS, parametrization=form, size=(20, 18), steps=10)
    logit, several, placed, pooled = found
    assert logit.reached == pytest.approx(plain(tiny, logit.image)[1].item(), rel=1e-5)
    before = plain(tiny, several.image, "features.3")
    assert several.reached == pytest.approx(before[[2, 5]].mean().item(), rel=1e-5)
    assert placed.reached == pytest.approx(plain(tiny, placed.image, "features.1")[4, 3, 7].item(), rel=1e-5)
    assert pooled.reached == pytest.approx(plain(tiny, pooled.image, "pool")[6].item(), rel=1e-5)
    for one in found:
        assert one.image.shape == (3, 20, 18) and one.image.dtype == torch.float32
        assert one.image.min() >= 0 and one.image.max() <= 1
        assert one.film.shape == (FRAMES, 3, 20, 18) and torch.equal(one.film[-1], one.image)
        assert len(one.curve) == 10 and one.reached > one.curve[0]


def test_layers_are_read_before_what_works_on_them_in_place():
    subject = double(seeded(Awkward()))
    # "act" runs twice: its second call by either name
    goals = [
        Objective("norm", (3,), (5, 5)),
        Objective("first", (2,)),
        Objective("act#2", (1,)),
        Objective("act", (1,)),
    ]
    norm, first, second, last = maximize_activations(subject, goals, size=SIDE, steps=10)
    assert norm.reached == pytest.approx(plain(subject, norm.image, "norm")[3, 5, 5].item(), rel=1e-5)
    assert first.reached == pytest.approx(plain(subject, first.image, "first")[2].mean().item(), rel=1e-5)
    assert torch.equal(second.image, last.image) and second.reached == last.reached


@pytest.mark.parametrize("form", ["fourier", "pixels"])
def test_an_image_to_start_from_is_where_it_starts(tiny, form):
    start = GREY.normalize(0.05 + 0.9 * torch.rand(3, 16, 20, generator=source(9), dtype=torch.float64))
    found = maximize_activations(tiny, GOALS[:2], parametrization=form, start=start, steps=3, robust=0)
    logits = tiny.forward(start[None])[0]
    assert found[0].curve[0] == pytest.approx(logits[1].item(), rel=1e-6)
    torch.testing.assert_close(found[1].film[0], GREY.restore(start).float())
    assert found[0].reached > found[0].curve[0]


class Sleeping(nn.Module):
    """A unit behind a ReLU that no gray picture wakes."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 1)
        self.conv.weight.data.fill_(1 / 3)
        self.conv.bias.data.fill_(-0.6)
        self.act = nn.ReLU()

    def forward(self, x):
        return self.act(self.conv(x)).mean((2, 3))


@pytest.mark.parametrize("form", ["fourier", "pixels"])
def test_a_sleeping_unit_is_woken(form):
    subject = double(Sleeping(), preprocessing=Preprocessing())
    (found,) = maximize_activations(
        subject, [Objective("act", (0,), (4, 4))], parametrization=form, size=SIDE, steps=120
    )
    assert found.curve[0] == 0 < found.reached


@pytest.mark.parametrize("form", ["fourier", "pixels"])
def test_preferred_inputs_beat_the_best_of_many(tiny, form):
    many = GREY.normalize(torch.rand(500, 3, 16, 16, generator=source(2), dtype=torch.float64))
    best = tiny.forward(many).amax(dim=0)
    found = maximize_activations(
        tiny, [Objective("", (k,)) for k in range(5)], parametrization=form, size=SIDE, steps=60
    )
    assert all(one.reached > best[k].item() for k, one in enumerate(found))


def test_the_network_is_left_as_it_was(tiny):
    tiny.network.train()
    before = {name: value.clone() for name, value in tiny.network.state_dict().items()}
    maximize_activations(tiny, GOALS, size=SIDE, steps=2)
    invert(tiny, torch.zeros(3, *SIDE).double(), ["features.0"], steps=2)
    assert all(module.training and not module._forward_hooks for module in tiny.network.modules())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in tiny.network.parameters())
    assert all(torch.equal(before[name], value) for name, value in tiny.network.state_dict().items())


ERRORS = [
    (UnknownName, "features.3", {"goals": [Objective("feature.3", (0,))]}),
    (UnknownName, "fourier", {"form": "furier"}),
    (BadRequest, "at least one goal", {"goals": []}),
    (BadRequest, "steps=0", {"steps": 0}),
    (BadRequest, "0 to 4, and 5", {"goals": [Objective("", (1, 5))]}),
    (BadRequest, "0 to 5, and -1", {"goals": [Objective("features.0", (-1,))]}),
    (BadRequest, "none was asked for", {"goals": [Objective("features.0", ())]}),
    (BadRequest, "have no positions", {"goals": [Objective("", (0,), (1, 1))]}),
    (BadRequest, "16×16 positions, and \\(3, 16\\)", {"goals": [Objective("features.0", (0,), (3, 16))]}),
    (BadRequest, "give the size", {"size": None}),
    (BadRequest, "start from is 1×16×16", {"start": torch.zeros(1, 16, 16)}),
    (BadRequest, "3×16×16 is needed", {"start": torch.zeros(3, 16, 17)}),
]


@pytest.mark.parametrize("kind, words, changes", ERRORS, ids=[words for _, words, _ in ERRORS])
def test_what_cannot_be_done_is_said_in_a_line(tiny, kind, words, changes):
    request = {"goals": [Objective("", (0,))], "size": SIDE, "steps": 1} | changes
    with pytest.raises(kind, match=words) as raised:
        maximize_activations(tiny, request.pop("goals"), **request)
    assert "\n" not in str(raised.value)


def test_a_size_that_the_network_cannot_take_is_said():
    with pytest.raises(BadRequest, match="doesn't take images of 20×16"):
        maximize_activations(double(Linear()), [Objective("", (0,))], size=(20, 16), steps=1)


def test_what_has_no_channels_is_said():
    class Tokens(nn.Module):
        def __init__(self):
            super().__init__()
            self.cut = nn.Sequential(nn.Flatten(2), nn.Linear(256, 7))  # every number sees every position
            self.fc = nn.Linear(7, 4)

        def forward(self, x):
            return self.fc(self.cut(x)).mean(1)

    with pytest.raises(NotApplicable, match="3×7"):
        maximize_activations(double(Tokens()), [Objective("cut", (0,))], size=SIDE, steps=1)


class Rotated(nn.Module):
    """A layer that loses nothing, and one that keeps the mean of each channel alone."""

    def __init__(self):
        super().__init__()
        self.mix = nn.Conv2d(3, 3, 1)
        self.mix.weight.data = torch.linalg.qr(torch.randn(3, 3, generator=source(4))).Q[:, :, None, None]
        self.pool = nn.AdaptiveAvgPool2d(1)

    def forward(self, x):
        return self.pool(self.mix(x)).flatten(1)


def picture():
    """[3, 16, 16] in 0..1: soft blobs of different colors."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, 16), torch.linspace(-1, 1, 16), indexing="ij")
    return torch.stack([0.5 + 0.4 * torch.sin(3 * x + k) * torch.cos(2 * y - k) for k in range(3)]).double()


def test_a_layer_that_loses_nothing_gives_the_image_back():
    subject = double(Rotated())
    whole, mean = invert(subject, GREY.normalize(picture()), ["mix", "pool"], steps=800, smooth=0)
    assert (whole.image - picture()).abs().max() < 0.01 and whole.error < 1e-4
    assert mean.error < 1e-4 and (mean.image - picture()).abs().max() > 0.2  # as good, and another picture


def test_features_are_met_far_better_than_by_noise(tiny):
    image = GREY.normalize(picture())
    noise = GREY.normalize(torch.rand(20, 3, 16, 16, generator=source(8), dtype=torch.float64))
    layers = ["features.1", "features.4", "fc"]
    found = invert(tiny, image, layers, steps=100)
    for layer, one in zip(layers, found, strict=True):
        wanted = plain(tiny, GREY.restore(image), layer)
        apart = [((plain(tiny, GREY.restore(n), layer) - wanted).norm() / wanted.norm()).item() ** 2 for n in noise]
        own = (plain(tiny, one.image, layer) - wanted).square().sum() / wanted.square().sum()
        assert one.layer == layer and one.error == pytest.approx(own.item(), rel=1e-3, abs=1e-9)
        assert one.error < 0.05 * min(apart) and one.error < 0.1 * one.curve[0]
        assert len(one.curve) == 100
    smooth = invert(tiny, image, layers, steps=100, smooth=10)
    for one, other in zip(found[1:], smooth[1:], strict=True):
        assert parametrization.total_variation(other.image[None]) < parametrization.total_variation(one.image[None])


def test_layers_are_inverted_as_if_alone(tiny):
    image, told = GREY.normalize(picture()), []
    together = invert(tiny, image, ["features.1", "fc"], steps=10)
    parts = invert(tiny, image, ["features.1", "fc"], steps=10, capacity=1, progress=told.append)
    for one, other in zip(together, parts, strict=True):
        torch.testing.assert_close(one.image, other.image, rtol=1e-5, atol=1e-6)
    assert told == list(range(1, 21))
    assert not torch.equal(invert(tiny, image, ["fc"], steps=10, seed=1)[0].image, together[1].image)


@pytest.mark.parametrize("layers, steps, words", [([], 5, "0 layers"), (["fc"], 0, "steps=0"), (["fk"], 5, "called")])
def test_an_inversion_that_cannot_be_done_is_said_in_a_line(tiny, layers, steps, words):
    with pytest.raises(CnnVisError, match=words):
        invert(tiny, GREY.normalize(picture()), layers, steps=steps)


def test_a_real_network_likes_its_preferred_inputs_better_than_photographs(real):
    from cnnvis_report.data.decode import prepare, read_picture
    from cnnvis_report.models.load import load_model

    model = load_model("squeezenet1_1", real / "squeezenet1_1.safetensors")
    subject = Subject(model.network, torch.zeros(1, 3, 224, 224), preprocessing=model.preprocessing)
    files = sorted((real / "labelled").iterdir())[:12]
    photographs = torch.stack([prepare(read_picture(file), model.preprocessing).values for file in files])
    with torch.no_grad():
        best = subject.forward(photographs).amax(dim=0)
    classes = best.topk(4).indices.tolist()  # those that the photographs show best
    found = maximize_activations(subject, [Objective("", (k,)) for k in classes], steps=16, size=(96, 96))
    assert sum(one.reached > best[k].item() for k, one in zip(classes, found, strict=True)) >= 3
