"""The network under study: what it is made of, in the order in which it runs, and what its scores are."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.autograd.graph import Node
from torch.nn.modules.conv import _ConvNd

from cnnvis_report.calls import Call, Calls, Keep, recorded_calls
from cnnvis_report.eager import OwnState, eager, unwrapped
from cnnvis_report.errors import BadRequest, CnnVisError, NotApplicable, UnknownName
from cnnvis_report.examining import check_example, check_open, check_scores, refusal
from cnnvis_report.graph import TAILS, recorded
from cnnvis_report.heads import Head, ScoreLayer, find_head
from cnnvis_report.operands import Operands, Recorded
from cnnvis_report.precision import Weights, reduced_weights, run_reduced
from cnnvis_report.preprocessing import Preprocessing
from cnnvis_report.records import LayerRecord
from cnnvis_report.running import as_scores, class_names, frozen, recording


@dataclass(frozen=True)
class FirstPass:
    """The pass over the example: images [1, C, H, W], and what was recorded of it."""

    images: Tensor
    recorded: Recorded

    @property
    def logits(self) -> Tensor:
        """[1, classes]."""
        return self.recorded.output.detach()


class Subject:
    """A classifier in eval mode with what has to be known to explain it.

    Args:
        network: gives N×classes scores for N×C×H×W images. It is never changed for good.
        example: [1, C, H, W], one normalised image of the size that will be explained; the network runs on it once.
        name: what the report calls it.
        classes: class names in index order; numbers where None.
        preprocessing: how pictures become inputs; the identity where None.

    Raises:
        BadRequest: the network doesn't run on the example, or isn't a classifier, or gives scores that aren't finite.
    """

    def __init__(
        self,
        network: nn.Module,
        example: Tensor,
        *,
        name: str = "network",
        classes: Sequence[str] | None = None,
        preprocessing: Preprocessing | None = None,
    ) -> None:
        self.network = unwrapped(network)
        self.name = name
        self.size = (int(example.shape[2]), int(example.shape[3]))
        self.preprocessing = preprocessing or Preprocessing((0.0,) * example.shape[1], (1.0,) * example.shape[1])
        self._tail: str | None = None
        self._held = False
        self._room: Tensor | None = None
        self._reduced: Weights | None = None
        self._weights: Weights | None = None
        self._lone: dict[str, bool] = {}
        self.scores = "logits"
        check_open(self.network, name)
        check_example(self.network, name, example)
        self._state = OwnState(self.network)
        calls, output, operands = self._examine(example)
        self._calls = Calls(calls)
        self.layers = self._calls.layers
        nodes = recorded(output.grad_fn)
        self._first: FirstPass | None = FirstPass(example.detach(), Recorded(output, nodes, operands))
        self._find_logits(nodes[0])
        self.default_layer = self._calls.last_stage(nodes, self._find_score_layer(nodes[0]))
        self._calls.forget_graph()
        self.parameters = sum(parameter.numel() for parameter in self.network.parameters())
        self.classes = class_names(classes, int(output.shape[1]), name)

    def take_first_pass(self) -> FirstPass:
        """The pass over the example, handed over once: it holds the activations of the whole network."""
        if self._first is None:
            raise RuntimeError("the first pass has been taken")
        first, self._first = self._first, None
        return first

    @contextmanager
    def held(self) -> Iterator[None]:
        """Freeze the network once for all the passes that are made while it is open."""
        if self._held:
            yield
            return
        with eager(self.network), frozen(self.network):
            self._held = True
            try:
                yield
            finally:
                self._held = False

    @contextmanager
    def reduced(self) -> Iterator[None]:
        """Forward passes are made in bfloat16 while it is open; their scores are float32 again."""
        if self._reduced is None:
            with self.held():
                self._reduced = reduced_weights(self.network)
        outer, self._weights = self._weights, self._reduced
        try:
            yield
        finally:
            self._weights = outer

    def forward(self, images: Tensor) -> Tensor:
        """[N, classes] logits, of the layer before a final softmax where the network has one."""
        own = self._copied(images)
        with self.held():
            if self._tail is None:
                return as_scores(self._run(own), self.name).to(images.dtype)
            kept: dict[str, Tensor] = {}
            with self.watching([self._tail], kept.__setitem__):
                self._run(own)
            return as_scores(kept[self._tail], self.name).to(images.dtype)

    def _copied(self, images: Tensor) -> Tensor:
        """Images that a network may work on in place, in the layout that is fastest for it.

        Where nothing is recorded the same memory serves again: to find new room costs more than to copy.
        """
        if torch.is_grad_enabled():
            return images.clone(memory_format=self._layout)
        if self._room is None or (self._room.shape, self._room.dtype) != (images.shape, images.dtype):
            self._room = torch.empty_like(images, memory_format=self._layout)
        return self._room.copy_(images)

    def _run(self, images: Tensor) -> object:
        with self._state.lent():
            return self.network(images) if self._weights is None else run_reduced(self.network, self._weights, images)

    def forward_from(self, name: str, image: Tensor, values: Tensor) -> Tensor:
        """[M, classes]: the logits of an image [1, C, H, W] where a layer gives other values [M, K, h, w].

        The network before the layer runs once, where the rest can do with that; `behind` says how much the rest is.
        """
        if name not in self._lone:
            self._lone[name] = self._runs_alone(name, image, values[:1])
        start = image if self._lone[name] else image.expand(len(values), -1, -1, -1)
        with self._calls.replacing(name, values):
            return self.forward(start)

    @property
    def work(self) -> float:
        """How many multiplications the network's layers take for an image."""
        return self._calls.work()

    def behind(self, name: str) -> float:
        """What part of the network's work comes after the layer called `name`."""
        return self._calls.behind(name)

    def _runs_alone(self, name: str, image: Tensor, value: Tensor) -> bool:
        """Whether the rest of the network takes more values than there were images before the layer."""
        two = torch.cat([value, value / 2])
        with self._calls.replacing(name, two):
            both = self.forward(image.expand(2, -1, -1, -1))
            try:
                found = self.forward(image)
            except (RuntimeError, BadRequest):
                return False
        return found.shape == both.shape and torch.allclose(found, both, rtol=1e-3, atol=1e-5)

    def probabilities(self, logits: Tensor) -> Tensor:
        """[N, classes] in 0…1: softmax, or a sigmoid where there is a single score or the network ends in one."""
        if "already probabilities" in self.scores:
            return logits
        if logits.shape[1] == 1 or "sigmoid" in self.scores:
            return logits.sigmoid()
        return logits.softmax(dim=1)

    def convolutions(self) -> Iterator[tuple[str, _ConvNd]]:
        """The convolutions with their layers' names, in the order in which they run."""
        return self._calls.convolutions()

    def watching(self, names: Sequence[str], keep: Keep) -> AbstractContextManager[None]:
        """While it is open, call `keep(name, output)` as each of the layers called `names` runs."""
        return self._calls.watching(names, keep)

    def layer(self, name: str = "") -> LayerRecord:
        """The spatial layer called `name`; the last convolutional stage where `name` is empty.

        Raises:
            UnknownName: no layer is called so.
            NotApplicable: the layer, or the whole network, has no spatial size.
        """
        if not name and not self.default_layer:
            raise NotApplicable(f"{self.name} has no layer with a spatial size")
        name = name or self.default_layer
        if name not in self._calls.records:
            known = [layer.name for layer in self.layers if layer.spatial]
            raise UnknownName("layer", name, known, "See: cnnvis-report layers MODEL.")
        record = self._calls.records[name]
        if not record.spatial:
            sides = "×".join(map(str, record.shape))
            raise NotApplicable(f"layer {name!r} gives {sides}, which has no spatial size")
        return record

    def score_layer(self) -> ScoreLayer:
        """Where class activation maps are read.

        Raises:
            NotApplicable: the network has no such place; the message says what it ends in.
        """
        if isinstance(self._score_layer, str):
            raise NotApplicable(self._score_layer)
        return self._score_layer

    def _examine(self, example: Tensor) -> tuple[list[Call], Tensor, Operands]:
        """Run the network once, in the fastest memory layout that it takes, and note what ran."""
        # channels last is a quarter faster for convolutions; some networks flatten with .view, which refuses it
        layouts = [torch.channels_last] if example.dtype is not torch.float64 else []
        for layout in [*layouts, torch.contiguous_format]:
            self._layout = layout
            try:
                with self.held(), recorded_calls(self.network) as calls, recording(), Operands() as operands:
                    output = self.forward(example.detach().clone().requires_grad_())
                break
            except CnnVisError:
                raise
            except Exception as error:
                if isinstance(error, torch.OutOfMemoryError | MemoryError):
                    raise
                failure = error
        else:
            with self.held():
                raise refusal(self.network, self.name, example, failure) from failure
        self._state.settle()
        check_scores(output, self.name)
        return calls, output, operands

    def _find_logits(self, end: Node) -> None:
        """Look behind a final softmax: gradients of probabilities say less, and mix the classes."""
        tail = TAILS.get(end.name())
        if tail is None:
            return
        before = self._calls.at(end.next_functions[0][0])
        if before:
            self._tail = before
            self.scores = f"logits of {before!r}, before the final {tail}"
        elif tail != "log-softmax":
            self.scores = f"already probabilities: what stands before the final {tail} is no module's output"

    def _find_score_layer(self, end: Node) -> Node | None:
        """Note where class activation maps are read; gives the convolution that makes the scores, if one does."""
        try:
            behind = end.next_functions[0][0] if end.name() in TAILS else end
            if behind is None:
                raise NotApplicable("the scores don't depend on the input")
            head = find_head(behind)
            self._score_layer: ScoreLayer | str = self._locate(head)
        except NotApplicable as error:
            self._score_layer = str(error)  # not the error: its traceback would hold the graph
            return None
        return head.convolution

    def _locate(self, head: Head) -> ScoreLayer:
        layer = self._calls.at(head.features)
        if layer:
            return ScoreLayer(head.weight, layer, rectified=False)
        before = head.features.next_functions[0][0] if head.features.name() == "ReluBackward0" else None
        layer = self._calls.at(before)
        if layer:
            return ScoreLayer(head.weight, layer, rectified=True)
        raise NotApplicable("what is averaged before the last layer is no module's output")
