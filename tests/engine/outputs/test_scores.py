"""What a score means: logits behind any ending, one score as two classes, kinds and why, outputs in containers."""

from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import _get_current_function_mode_stack

from cnnvis_report import explain
from cnnvis_report.data.image_set import ImageItem, ImageSet
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import BadRequest
from cnnvis_report.pipeline.targets import ClassChoice, check_choice
from cnnvis_report.records.images import Label
from cnnvis_report.records.scores import Quantity, ScoreKind
from tests.networks import Tiny, seeded


class Ended(nn.Module):
    """Logits that no module gives, 3x + 1 of a small network's, and something done to them last."""

    def __init__(self, end: Any, classes: Any = 5) -> None:
        super().__init__()
        self.inner, self.end = seeded(Tiny(classes)), end

    def logits(self, x: Any) -> Any:
        return self.inner(x) * 3 + 1

    def forward(self, x: Any) -> Any:
        return self.end(self.logits(x))


def exp_over_sum(y: Any) -> Any:
    return y.exp() / y.exp().sum(1, keepdim=True)


def shifted_first(y: Any) -> Any:
    z = (y - y.amax(1, keepdim=True)).exp()
    return z / z.sum(1, keepdim=True)


ENDINGS = {
    "function": (lambda y: F.log_softmax(y, 1), "log-softmax"),
    "module": (nn.LogSoftmax(1), "log-softmax"),
    "method": (lambda y: y.log_softmax(-1), "log-softmax"),
    "special": (lambda y: torch.special.log_softmax(y, 1), "log-softmax"),
    "views": (lambda y: F.log_softmax(y.view(len(y), -1, 1, 1), 1).squeeze(3).flatten(1), "log-softmax"),
    "logarithm": (lambda y: torch.log(y.softmax(1)), "log-softmax"),
    "logarithm of more": (lambda y: torch.log(F.softmax(y, 1).clamp(min=1e-9) + 1e-9), "log-softmax"),
    "logsumexp": (lambda y: y - torch.logsumexp(y, 1, keepdim=True), "log-softmax"),
    "exponential": (lambda y: F.log_softmax(y, 1).exp(), "softmax"),
    "written out": (exp_over_sum, "softmax"),
    "shifted": (shifted_first, "softmax"),
    "another precision": (lambda y: y.double().softmax(1).to(y.dtype), "softmax"),
    "sigmoid": (torch.sigmoid, "sigmoid"),
    "in place": (lambda y: y.sigmoid_(), "sigmoid"),
    "in place of a view": (lambda y: y.flatten(1).view(len(y), -1).sigmoid_(), "sigmoid"),
    "clamped": (lambda y: y.sigmoid().clamp(1e-7, 1 - 1e-7), "sigmoid"),
    "logistic": (lambda y: 1 / (1 + (-y).exp()), "sigmoid"),
    "log of sigmoid": (F.logsigmoid, "log-sigmoid"),
    "in a dict": (lambda y: {"features": y.detach(), "output": F.log_softmax(y, 1)}, "log-softmax"),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_logits_are_found_behind_any_ending(name: str, images: Tensor, targets: Tensor) -> None:
    end, called = ENDINGS[name]
    network = Ended(end).double().eval()
    subject = Subject(network, images[:1])
    assert (subject.meaning.quantity, subject.scores) == (Quantity.LOGIT, f"logits, before the final {called}")
    assert subject.meaning.kind is (ScoreKind.SIGMOID if "sigmoid" in called else ScoreKind.SOFTMAX)
    expected = network.logits(images).detach()
    with torch.no_grad():
        torch.testing.assert_close(subject.forward(images), expected, rtol=1e-12, atol=1e-12)
    plain = expected.sigmoid() if "sigmoid" in called else expected.softmax(1)
    torch.testing.assert_close(subject.probabilities(expected), plain)
    leaf = images.clone().requires_grad_()
    (slope,) = torch.autograd.grad(network.logits(leaf).gather(1, targets[:, None]).sum(), leaf)
    torch.testing.assert_close(explain(network, images, targets, ["gradient"])["gradient"], slope)


MIXED = {
    "average": (lambda y: (y.softmax(1) + (2 * y).softmax(1)) / 2, ScoreKind.SOFTMAX, Quantity.PROBABILITY),
    "stacked": (lambda y: torch.stack([y.sigmoid(), (y / 2).sigmoid()]).mean(0), ScoreKind.SIGMOID, "probability"),
    "joined": (lambda y: torch.cat([y[:, :2].sigmoid(), y[:, 2:].sigmoid()], 1), ScoreKind.SIGMOID, "probability"),
    "log of average": (lambda y: ((y.softmax(1) + 0.2) / 2).log(), ScoreKind.SOFTMAX, Quantity.LOG_PROBABILITY),
    "turned": (lambda y: F.log_softmax(y.t(), 0).t(), ScoreKind.SOFTMAX, Quantity.LOG_PROBABILITY),
}


@pytest.mark.parametrize("name", MIXED)
def test_what_has_no_logits_is_called_by_its_name(name: str, images: Tensor) -> None:
    end, kind, quantity = MIXED[name]
    network = Ended(end).double().eval()
    subject = Subject(network, images[:1])
    assert (subject.meaning.kind, subject.meaning.quantity) == (kind, quantity)
    words = "already probabilities" if quantity == "probability" else "log-probabilities"
    assert subject.scores.startswith(words)
    given = network(images).detach()
    torch.testing.assert_close(subject.forward(images).detach(), given)
    shown = subject.probabilities(given)
    torch.testing.assert_close(shown, given if quantity == "probability" else given.exp())


def test_a_gate_is_no_ending_and_a_network_without_one_pays_nothing(images: Tensor) -> None:
    modes: list[int] = []

    def gated(y: Tensor) -> Tensor:
        modes.append(len(_get_current_function_mode_stack()))
        return y * y.sigmoid()

    subject = Subject(Ended(gated).double().eval(), images[:1])
    assert (subject.scores, subject.meaning.kind) == ("logits", ScoreKind.SOFTMAX)
    modes.clear()
    with torch.no_grad():
        subject.forward(images)
    assert modes == [0], "nothing watches the functions of a network that ends in its logits"


LINEAR = ["gradient", "input_x_gradient", "integrated_gradients", "lrp_epsilon", "occlusion", "cam"]


def test_one_score_is_two_classes_whose_maps_are_each_others_negation(images: Tensor) -> None:
    network = seeded(Tiny(1)).double().eval()
    chosen: dict[str, Any] = {"methods": LINEAR, "steps": 24, "patch": 8, "stride": 8}
    alone = explain(network, images, [0, 0, 0], **chosen)
    positive, negative = (explain(network, images, [k] * 3, scores="binary", **chosen) for k in (1, 0))
    leaf = images.clone().requires_grad_()
    (slope,) = torch.autograd.grad(network(leaf).sum(), leaf)
    torch.testing.assert_close(alone["gradient"], slope)
    for name in LINEAR:
        torch.testing.assert_close(positive[name], alone[name], rtol=1e-9, atol=1e-12)
        torch.testing.assert_close(negative[name], -alone[name], rtol=1e-9, atol=1e-12)
    rise = (network(images) - network(torch.zeros_like(images))).flatten()
    torch.testing.assert_close(positive["integrated_gradients"].sum((1, 2, 3)), rise.detach(), rtol=0.1, atol=1e-3)
    with pytest.raises(BadRequest, match=r"Target 1 isn't a class: Tiny has 1. With scores=\"binary\", 1 is the pos"):
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
        found = explain(one, images, [target] * 3, names, scores="binary")
        for name, maps in explain(two, images, [target] * 3, names).items():
            torch.testing.assert_close(found[name], maps, rtol=1e-8, atol=1e-10, msg=f"{name} {target}")


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
    found = [explain(network, images, [k] * 3, ["gradient"], scores="binary")["gradient"] for k in (0, 1)]
    torch.testing.assert_close(found[0], -found[1])


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (None, ("negative", "positive")),
        (("cat",), ("not cat", "cat")),
        (("dog", "cat"), ("dog", "cat")),
    ],
)
def test_names_of_a_binary_network(names: Any, found: Any, images: Tensor) -> None:
    subject = Subject(seeded(Tiny(1)).double(), images[:1], classes=names)
    assert subject.classes == found
    assert subject.meaning.reason.endswith(f"; above a half means {found[1]!r}"), "which of two names is the score's"
    with pytest.raises(BadRequest, match="3 class names were given, and it has a single score: give two"):
        Subject(seeded(Tiny(1)).double(), images[:1], classes="abc", name="it")


class Config:
    problem_type = "regression"


KINDS = [
    ({}, 5, None, False, "softmax", "nothing says otherwise"),
    ({}, 5, None, True, "sigmoid", "images have several labels"),
    ({}, 1, None, True, "binary", "a single score"),
    ({}, 1, F.relu, False, "value", "never negative (it comes out of a ReLU)"),
    ({}, 1, F.relu6, False, "value", "never negative (it comes out of a clamp at 0)"),
    ({}, 1, lambda y: y.clamp(0, 1), False, "value", "never negative (it comes out of a clamp at 0)"),
    ({}, 1, lambda y: y.clamp(-9, 9), False, "binary", "a single score"),
    ({}, 1, lambda y: y.square().sqrt(), False, "value", "never negative (it comes out of a square root)"),
    ({}, 1, lambda y: y**2, False, "value", "never negative (it comes out of an even power)"),
    ({}, 1, lambda y: y**3, False, "binary", "a single score"),
    ({}, 1, lambda y: 50 * torch.sigmoid(y), False, "value", "it comes out of a scaled sigmoid"),
    ({}, 1, lambda y: y.softmax(1), False, "binary", "The softmax of a single score never changes"),
    ({}, 5, F.hardsigmoid, False, "sigmoid", "ends in a hard sigmoid"),
    ({}, 5, F.relu, False, "softmax", "nothing says otherwise"),
    ({}, 5, torch.sigmoid, False, "sigmoid", "ends in a sigmoid"),
    ({}, 5, nn.Softmax(1), True, "softmax", "ends in a softmax"),
    ({"scores": "value"}, 1, None, False, "value", "attribute scores = 'value'"),
    ({"scores": "sigmoid"}, 5, None, False, "sigmoid", "attribute scores = 'sigmoid'"),
    ({"scores": nn.Identity()}, 5, None, False, "softmax", "nothing says otherwise"),
    ({"multi_label": True}, 5, None, False, "sigmoid", "attribute multi_label = True"),
    ({"config": Config()}, 1, None, False, "value", "problem_type = 'regression'"),
]


@pytest.mark.parametrize(("attributes", "columns", "end", "several", "kind", "why"), KINDS)
def test_what_scores_mean_is_found_out_and_said(
    attributes: Any, columns: Any, end: Any, several: Any, kind: Any, why: Any, images: Tensor
) -> None:
    network = Ended(end or (lambda y: y), columns).double().eval()
    for name, value in attributes.items():
        setattr(network, name, value)
    meaning = Subject(network, images[:1], several=several).meaning
    assert meaning.kind == kind and why in meaning.reason
    asked = Subject(network, images[:1], scores="value", several=several).meaning
    assert (asked.kind, asked.reason) == ("value", "as was asked for")


@pytest.mark.parametrize(
    ("columns", "asked", "end", "says"),
    [
        (5, "binary", None, "--scores binary: it gives 5 scores an image, and a binary answer has one. Softmax, sig"),
        (1, "softmax", None, "--scores softmax: it gives a single score an image, whose softmax is always 1"),
        (5, "sigmoid", nn.Softmax(1), "--scores sigmoid: it ends in a softmax, whose classes exclude each other"),
        (5, "logits", None, "--scores 'logits': it can be auto, softmax, sigmoid, binary or value"),
    ],
)
def test_scores_that_cannot_be_that_are_one_true_line(
    columns: Any, asked: Any, end: Any, says: Any, images: Tensor
) -> None:
    with pytest.raises(BadRequest, match=says) as caught:
        Subject(Ended(end or (lambda y: y), columns).double(), images[:1], scores=asked, name="it")
    assert "\n" not in str(caught.value)


def test_a_value_is_explained_as_it_is_given(images: Tensor) -> None:
    network = Ended(torch.sigmoid, 2).double().eval()
    subject = Subject(network, images[:1], scores="value")
    given = subject.forward(images).detach()
    torch.testing.assert_close(given, network(images).detach())
    assert torch.equal(subject.probabilities(given), given) and subject.classes == ("output 0", "output 1")
    assert subject.meaning.first(torch.tensor([1.0, 5.0, 3.0]), 2) == [0, 1], "values have no first among them"
    leaf = images.clone().requires_grad_()
    (slope,) = torch.autograd.grad(network(leaf)[:, 1].sum(), leaf)
    torch.testing.assert_close(explain(network, images, [1] * 3, ["gradient"], scores="value")["gradient"], slope)


TAKEN = {
    "dict": (lambda y: {"aux": y * 0, "logits": y}, "a dict with aux, logits; 'logits' is taken as the scores"),
    "dict, another key": (lambda y: {"features": y * 0, "pred": y}, "'pred' is taken as the scores"),
    "dict of one": (lambda y: {"whatever": y}, "'whatever' is taken as the scores"),
    "tuple": (lambda y: (y, y[:, :2]), r"a tuple of 2: N×5, N×2; its first item, N×5, is taken as the scores"),
    "list": (lambda y: [y], "a list of 1: N×5; its item is the scores"),
    "1×1 maps": (lambda y: y[:, :, None, None], None),
    "a row": (lambda y: y[:, None], None),
}


@pytest.mark.parametrize("name", TAKEN)
def test_scores_are_taken_out_of_what_holds_them_and_that_is_said(name: str, images: Tensor) -> None:
    end, says = TAKEN[name]
    network = Ended(end).double().eval()
    subject = Subject(network, images[:1], name="it")
    torch.testing.assert_close(subject.forward(images), network.logits(images))
    assert len(subject.notices) == (says is not None)
    if says:
        assert subject.notices[0].startswith("it returns a ") and says in subject.notices[0]


def test_scores_of_one_image_may_come_without_their_row(images: Tensor) -> None:
    network = Ended(lambda y: y.squeeze(0)).double().eval()
    torch.testing.assert_close(Subject(network, images[:1]).forward(images[:1]), network.logits(images[:1]))


def test_the_classes_of_labels_that_nobody_knows_are_one_true_line(images: Tensor) -> None:
    subject = Subject(seeded(Tiny(5)).double(), images[:1], name="it")
    unknown = ImageSet((ImageItem("1", "a.png", lambda: Image.new("RGB", (1, 1)), "", (Label("ghost"),)),))
    with pytest.raises(BadRequest, match="it knows none of the labels, such as 'ghost'"):
        check_choice(ClassChoice(label=True), unknown, subject)
    check_choice(ClassChoice(label=True, top=1), unknown, subject)


@pytest.mark.parametrize("end", [lambda y: 1 - torch.sigmoid(y), F.hardsigmoid])
def test_one_probability_without_its_logit_is_taken_as_it_is(end: Any, images: Tensor) -> None:
    """A sigmoid of it would be above a half for every image."""
    network = Ended(end, 1).double().eval()
    subject = Subject(network, images[:1])
    assert (subject.meaning.kind, subject.meaning.quantity) == (ScoreKind.BINARY, Quantity.PROBABILITY)
    with torch.no_grad():
        torch.testing.assert_close(subject.probabilities(subject.forward(images))[:, 1:], network(images))
