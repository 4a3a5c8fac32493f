"""One score an image is two classes."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnvis_report import explain
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import BadRequest
from cnnvis_report.records.scores import Quantity, ScoreKind
from tests.engine.outputs.ended import Ended
from tests.networks import Tiny, seeded

LINEAR = ["gradient", "input_x_gradient", "integrated_gradients", "lrp_epsilon", "occlusion", "cam"]


def test_one_score_is_two_classes_whose_maps_are_each_others_negation(images: Tensor) -> None:
    network = seeded(Tiny(1)).double().eval()
    chosen: dict[str, Any] = {"methods": LINEAR, "steps": 24, "patch": 8, "stride": 8}
    alone = explain(network, images, [0, 0, 0], **chosen)
    positive, negative = (explain(network, images, [k] * 3, task="binary", **chosen) for k in (1, 0))
    leaf = images.clone().requires_grad_()
    (slope,) = torch.autograd.grad(network(leaf).sum(), leaf)
    torch.testing.assert_close(alone["gradient"], slope)
    for name in LINEAR:
        torch.testing.assert_close(positive[name], alone[name], rtol=1e-9, atol=1e-12)
        torch.testing.assert_close(negative[name], -alone[name], rtol=1e-9, atol=1e-12)
    rise = (network(images) - network(torch.zeros_like(images))).flatten()
    torch.testing.assert_close(positive["integrated_gradients"].sum((1, 2, 3)), rise.detach(), rtol=0.1, atol=1e-3)
    with pytest.raises(BadRequest, match=r"Target 1 isn't a class: Tiny has 1. With task=\"binary\", 1 is the pos"):
        explain(network, images, [0, 1, 0])


@pytest.mark.parametrize("shape", [lambda z: z, lambda z: z.squeeze(1), lambda z: z.squeeze(), lambda z: z[:, :, None]])
@pytest.mark.parametrize("end", [lambda z: z, torch.sigmoid, F.logsigmoid])
def test_a_single_score_is_the_positive_class(shape: Any, end: Any, images: Tensor) -> None:
    network = seeded(Tiny(1)).double().eval()

    class Shaped(nn.Module):
        def forward(self, x: Any) -> Any:
            return shape(end(network(x)))

    subject = Subject(Shaped(), images[:1])
    z = network(images).detach()
    assert subject.meaning.kind is ScoreKind.BINARY and subject.classes == ("negative", "positive")
    with torch.no_grad():
        scores = subject.forward(images)
    torch.testing.assert_close(scores, torch.cat([-z, z], 1))
    torch.testing.assert_close(subject.probabilities(scores), torch.cat([1 - z.sigmoid(), z.sigmoid()], 1))
    assert [subject.meaning.first(row, 1)[0] for row in scores] == (z.flatten() > 0).long().tolist()


def test_the_negative_class_is_that_of_a_network_with_two_scores(images: Tensor) -> None:
    """Its last layer has the rows −w and w, which is what most methods can't tell from one logit and its negation."""
    one, two = seeded(Tiny(1)).double().eval(), seeded(Tiny(1)).double().eval()
    two.fc = nn.Linear(8, 2).double()
    with torch.no_grad():
        two.fc.weight.copy_(torch.cat([-one.fc.weight, one.fc.weight]))
        two.fc.bias.copy_(torch.cat([-one.fc.bias, one.fc.bias]))
    names = ["grad_cam", "guided_backprop", "lrp_gamma", "lrp_flat", "pattern_net", "pattern_attribution", "full_grad"]
    for target in (0, 1):
        actual = explain(one, images, [target] * 3, names, task="binary")
        for name, maps in explain(two, images, [target] * 3, names).items():
            torch.testing.assert_close(actual[name], maps, rtol=1e-8, atol=1e-10, msg=f"{name} {target}")


def test_half_is_the_negative_class_and_equals_keep_their_order(images: Tensor) -> None:
    subject = Subject(seeded(Tiny(1)).double(), images[:1])
    assert subject.meaning.first(subject.meaning.of(torch.zeros(1, 1))[0], 2) == [0, 1]


def test_probabilities_of_the_positive_class_alone_are_taken_as_they_are(images: Tensor) -> None:
    """A network of two classes that gives the second one's probability: no sigmoid of it."""
    network = Ended(lambda y: y.softmax(1)[:, 1], classes=2).double().eval()
    subject = Subject(network, images[:1])
    p = network(images).detach()
    scores = subject.forward(images).detach()
    torch.testing.assert_close(subject.probabilities(scores), torch.stack([1 - p, p], 1))
    assert subject.meaning.quantity is Quantity.PROBABILITY
    actual = [explain(network, images, [k] * 3, ["gradient"], task="binary")["gradient"] for k in (0, 1)]
    torch.testing.assert_close(actual[0], -actual[1])


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        (None, ("negative", "positive")),
        (("cat",), ("not cat", "cat")),
        (("dog", "cat"), ("dog", "cat")),
    ],
)
def test_names_of_a_binary_network(names: Any, classes: tuple[str, str], images: Tensor) -> None:
    subject = Subject(seeded(Tiny(1)).double(), images[:1], classes=names)
    assert subject.classes == classes
    assert subject.meaning.reason.endswith(f"; above a half means {classes[1]!r}"), "which of two names is the score's"
    with pytest.raises(BadRequest, match="3 class names were given, and it has a single score: give two"):
        Subject(seeded(Tiny(1)).double(), images[:1], classes="abc", name="it")


@pytest.mark.parametrize("end", [lambda y: 1 - torch.sigmoid(y), F.hardsigmoid])
def test_one_probability_without_its_logit_is_taken_as_it_is(end: Any, images: Tensor) -> None:
    """A sigmoid of it would be above a half for every image."""
    network = Ended(end, 1).double().eval()
    subject = Subject(network, images[:1])
    assert (subject.meaning.kind, subject.meaning.quantity) == (ScoreKind.BINARY, Quantity.PROBABILITY)
    with torch.no_grad():
        torch.testing.assert_close(subject.probabilities(subject.forward(images))[:, 1:], network(images))
