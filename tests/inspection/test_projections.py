"""Projections of units: against captum, and against slow replicas on networks with residual sums and branches."""

import copy
from typing import Any

import pytest
import torch
import torchvision
from captum.attr import NeuronDeconvolution, NeuronGradient, NeuronGuidedBackprop
from torch import nn
from torch.overrides import TorchFunctionMode

from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import BadRequest, NotApplicable, UnknownName
from cnnvis_report.inspection.projections import Unit, cropped, parse_unit, project, strongest_channels
from cnnvis_report.inspection.receptive_fields import receptive_fields
from cnnvis_report.isolation.context import grad_mode
from cnnvis_report.isolation.eval_mode import eval_mode
from tests.exhaustive import represented
from tests.networks import Awkward, Tiny, seeded

pytestmark = pytest.mark.numeric

WAYS = ["deconvnet", "guided", "gradient"]
CAPTUM = {"deconvnet": NeuronDeconvolution, "guided": NeuronGuidedBackprop, "gradient": NeuronGradient}


@pytest.fixture(scope="module")
def vgg16() -> Any:
    with torch.device("meta"):
        network = torchvision.models.vgg16(weights=None)
    network.classifier = nn.Sequential(nn.Linear(512 * 7 * 7, 8), nn.ReLU(inplace=True), nn.Linear(8, 5))
    network.features.to_empty(device="cpu")
    return seeded(network).double().eval()


@pytest.fixture(scope="module")
def pair() -> Any:
    return torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


@pytest.mark.parametrize("how", WAYS)
def test_projections_are_those_of_captum(how: Any, vgg16: Any, pair: Any) -> None:
    subject = Subject(vgg16, pair[:1])
    units = [
        Unit("features.2", 5, 30, 31),
        Unit("features.9", 7),
        Unit("features.2", 9),
        Unit("features.21", 300, 2, 7),
    ]
    units += [Unit("features.24", 11), Unit("features.30", 1)]
    images = pair[[0, 1, 1, 0, 1, 0]]
    projections = project(subject, images, units, how=how, capacity=3)
    plain = copy.deepcopy(vgg16)
    for module in plain.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
    for number, unit in enumerate(units):
        position = (unit.channel, *projections.positions[number].tolist())
        attribution = CAPTUM[how](plain, plain.get_submodule(unit.layer))
        image = images[number : number + 1].clone().requires_grad_()
        expected = attribution.attribute(image, position).detach()
        assert float(expected.abs().max()) > 0, unit
        error = (projections.maps[number] - expected[0]).abs().max() / expected.abs().max()
        assert float(error) < 1e-9, (unit, float(error))


class Rewritten(TorchFunctionMode):
    """ReLUs with another way back, out of place, whoever calls them."""

    def __init__(self, way: Any) -> None:
        super().__init__()
        self.way = way

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(function, "__name__", "")
        if name in ("relu", "relu_") or (name == "clamp" and kwargs == {"min": 0}):
            return Replica.apply(args[0], self.way)
        return function(*args, **(kwargs or {}))


class Replica(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any, way: Any) -> Any:
        ctx.open, ctx.way = x > 0, way
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx: Any, signal: Any) -> Any:
        gate = ctx.open if ctx.way != "deconvnet" else torch.ones_like(ctx.open)
        rule = signal.clamp(min=0) if ctx.way != "gradient" else signal
        return rule * gate, None


def replica(subject: Any, image: Any, unit: Any, how: Any) -> Any:
    """The same by ReLUs of our own and one backward pass from the unit; strongest place and value beside it."""
    outputs: dict[str, torch.Tensor] = {}
    with grad_mode(), eval_mode(subject.network), Rewritten(how):
        leaf = image.clone().requires_grad_()
        with subject.watching([unit.layer], lambda name, output: outputs.__setitem__(name, output.clone())):
            subject.forward(leaf)
        channel = outputs[unit.layer][0, unit.channel]
        row, column = divmod(int(channel.argmax()), channel.shape[1])
        if unit.row is not None:
            row, column = unit.row, unit.column
        (pixels,) = torch.autograd.grad(channel[row, column], leaf)
    return pixels[0], float(channel.detach()[row, column]), (row, column)


LAYERS = {
    "resnet18": ["conv1", "layer1.0.conv2", "layer1.1.relu#1", "layer2.0.bn2", "layer3"],
    "densenet": ["features.conv0", "features.relu0", "features.denseblock2.denselayer3.conv1", "features.denseblock2"],
    "googlenet": ["conv2.conv", "inception3a", "inception3b.branch2.0.conv", "inception4a.branch4.0"],
}
GIVEN = {"conv1", "layer2.0.bn2", "features.denseblock2.denselayer3.conv1", "inception3b.branch2.0.conv"}


def architecture(name: Any) -> Any:
    if name == "densenet":
        return torchvision.models.DenseNet(8, (3, 3, 2), 16, num_classes=5)
    extra = {"init_weights": False, "aux_logits": False} if name == "googlenet" else {}
    with torch.device("meta"):  # no time for weights that are overwritten
        network = getattr(torchvision.models, name)(weights=None, num_classes=5, **extra)
    return network.to_empty(device="cpu")


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("name", represented(LAYERS, by=("resnet18", "densenet")))
def test_projections_are_those_of_a_slow_replica(name: Any, how: Any, pair: Any) -> None:
    subject = Subject(seeded(architecture(name)).double().eval(), pair[:1])
    units = [Unit(layer, 3, *((2, 1) if layer in GIVEN else ())) for layer in LAYERS[name]]
    images = pair[[number % 2 for number in range(len(units))]]
    projections = project(subject, images, units, how=how)
    fields = receptive_fields(Tape(subject, images[:1], layers=LAYERS[name]), LAYERS[name])
    for number, unit in enumerate(units):
        pixels, value, position = replica(subject, images[number : number + 1], unit, how)
        torch.testing.assert_close(projections.maps[number], pixels, rtol=1e-9, atol=1e-12 * float(pixels.abs().max()))
        assert tuple(projections.positions[number].tolist()) == position
        assert float(projections.activations[number]) == pytest.approx(value, rel=1e-12)
        assert bool(pixels.any()), unit
        box = fields[unit.layer].box(*position)
        assert bool(cropped(projections.maps[number], box).any())
        cropped(projections.maps[number], box).zero_()
        assert not bool(projections.maps[number].any()), "something outside the field"


@pytest.mark.parametrize("how", WAYS)
def test_a_layer_that_is_worked_on_in_place_starts_at_its_own_result(how: Any, images: Any) -> None:
    subject = Subject(seeded(Awkward()).double(), images[:1])
    values = Tape(subject, images, layers=["last"]).layer("last")
    channel = 3
    row, column = divmod(int(values[0, channel].argmin()), 16)
    unit = Unit("last", channel, row, column)
    projections = project(subject, images[:1], [unit], how=how)
    assert float(projections.activations[0]) == float(values[0, channel, row, column]) < 0, (
        "before the ReLU that follows"
    )
    expected, _, _ = replica(subject, images[:1], unit, how)
    torch.testing.assert_close(projections.maps[0], expected, rtol=1e-9, atol=1e-12)


def test_a_unit_is_found_where_its_channel_is_strongest(images: Any) -> None:
    subject = Subject(seeded(Tiny()).double(), images[:1])
    values = Tape(subject, images).layer("features.1")
    projections = project(subject, images, [Unit("features.1", 4)] * 3, how="gradient")
    torch.testing.assert_close(projections.activations, values[:, 4].amax((1, 2)), rtol=1e-12, atol=0)
    assert projections.maps.shape == images.shape and projections.positions.shape == (3, 2)
    given = project(subject, images, [Unit("features.1", 4, 0, 0)] * 3)
    torch.testing.assert_close(given.activations, values[:, 4, 0, 0], rtol=1e-12, atol=0)


def test_units_and_their_images_do_not_matter_to_each_other(images: Any) -> None:
    subject = Subject(seeded(Tiny()).double(), images[:1])
    units = [Unit("features.3", 2), Unit("features", 1), Unit("features.3", 0, 1, 1)]
    together = project(subject, images, units)
    for number, unit in enumerate(units):
        alone = project(subject, images[number : number + 1], [unit])
        torch.testing.assert_close(together.maps[number], alone.maps[0], rtol=1e-9, atol=1e-12)
        assert torch.equal(together.positions[number], alone.positions[0])


def test_a_projection_is_one_backward_pass_in_the_books(images: Any) -> None:
    tape = Tape(Subject(seeded(Tiny()).double(), images[:1]), images, layers=["features.3"])
    with tape.costs.measure() as account:
        tape.project("features.3", torch.ones_like(tape.layer("features.3")))
    assert (account.forward, account.backward) == (0.0, 1.0)


def test_strongest_channels_by_their_maximum() -> None:
    values = torch.tensor([[0.0, 3.0], [5.0, -9.0], [4.0, 4.0], [5.0, 0.0]]).view(4, 1, 2)
    assert strongest_channels(values, 3).tolist() == [1, 3, 2]
    assert strongest_channels(torch.stack([values, -values]), 2).tolist() == [[1, 3], [1, 0]]
    assert strongest_channels(values, 9).tolist() == [1, 3, 2, 0]


def test_crops_of_tensors_and_of_pictures() -> None:
    values = torch.arange(60).view(3, 4, 5)
    assert torch.equal(cropped(values, (1, 2, 3, 5)), values[:, 1:3, 2:5])
    picture = values.permute(1, 2, 0).numpy()
    assert (cropped(picture, (1, 2, 3, 5)) == picture[1:3, 2:5]).all()


def test_units_are_read_as_they_are_written(images: Any) -> None:
    subject = Subject(seeded(Awkward()).double(), images[:1])
    assert parse_unit("act#1:5:3,15", subject) == Unit("act#1", 5, 3, 15)
    assert parse_unit(" last:7 ", subject) == Unit("last", 7)
    assert str(parse_unit("last:7:1,2", subject)) == "last:7:1,2" and str(Unit("last", 7)) == "last:7"
    assert parse_unit("features.3:1", Subject(seeded(Tiny()).double(), images[:1])) == Unit("features.3", 1)


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("featuers:1", UnknownName, r"No layer is called 'featuers'. Did you mean 'features'\?"),
        ("fc:1", BadRequest, "fc:1: layer 'fc' gives 5, which has no spatial size"),
        ("features:8", BadRequest, r"'features' has no channel 8: it has 8, counted from 0"),
        ("features:1:8,0", BadRequest, r"no position 8,0: it has 8 rows and 8 columns"),
        ("features:1:0,8", BadRequest, r"no position 0,8"),
        ("features", BadRequest, r"LAYER:CHANNEL:ROW,COLUMN.*not 'features'"),
        ("features:1:2", BadRequest, "not 'features:1:2'"),
        ("features:1:2,3:4", BadRequest, "not 'features:1:2,3:4'"),
        ("features:-1", BadRequest, "not 'features:-1'"),
        (":1", BadRequest, "not ':1'"),
    ],
)
def test_units_that_are_not_there_are_refused_in_one_line(text: Any, error: Any, says: Any, images: Any) -> None:
    subject = Subject(seeded(Tiny()).double(), images[:1])
    with pytest.raises(error, match=says) as caught:
        parse_unit(text, subject)
    assert "\n" not in str(caught.value)


def test_what_cannot_be_projected_is_refused(images: Any) -> None:
    subject = Subject(seeded(Tiny()).double(), images[:1])
    with pytest.raises(UnknownName, match="Did you mean 'deconvnet'"):
        project(subject, images[:1], [Unit("features", 1)], how="deconvnett")
    with pytest.raises(BadRequest, match="1 units were given for 3 images"):
        project(subject, images, [Unit("features", 1)])
    with pytest.raises(BadRequest, match="no channel 8"):
        project(subject, images[:1], [Unit("features", 8)])
    with pytest.raises(BadRequest, match="a row or a column alone"):
        project(subject, images[:1], [Unit("features", 1, 3)])
    smooth = seeded(nn.Sequential(nn.Conv2d(3, 4, 3), nn.SiLU(), nn.Conv2d(4, 5, 14))).double()
    subject = Subject(smooth, images[:1])
    with pytest.raises(NotApplicable, match="1 SiLU activation has no ReLU rule"):
        project(subject, images[:1], [Unit("1", 1)])
    assert bool(project(subject, images[:1], [Unit("1", 1)], how="gradient").maps.any())
