"""The network under study: what it is made of, in the order in which it runs, and what its scores are."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from cnnvis_report.data.preprocessing import Preprocessing
from cnnvis_report.engine.bfloat16 import Weights, reduced_weights, run_reduced
from cnnvis_report.engine.graph.axis_tracking import followed
from cnnvis_report.engine.graph.cam_head import ScoreLayer
from cnnvis_report.engine.graph.layer_calls import Call, Calls, Keep, recorded_calls
from cnnvis_report.engine.graph.layer_inputs import FirstPass, LayerInputs, RecordedPass
from cnnvis_report.engine.graph.layouts import Layout
from cnnvis_report.engine.graph.nodes import recorded
from cnnvis_report.engine.graph.score_layer import find_score_layer
from cnnvis_report.engine.outputs.logits import NotedCalls, Place
from cnnvis_report.engine.outputs.reading import FirstOutput, read_output
from cnnvis_report.errors import BadRequest, CnnVisError, NotApplicable, UnknownName
from cnnvis_report.isolation.buffers import OwnState
from cnnvis_report.isolation.context import Room, as_scores, check_shape, recording
from cnnvis_report.isolation.diagnosis import check_example, check_open, check_scores, in_order, refusal
from cnnvis_report.isolation.eager import eager, unwrapped
from cnnvis_report.isolation.eval_mode import frozen
from cnnvis_report.isolation.lock import exclusive
from cnnvis_report.isolation.process_state import at_work
from cnnvis_report.records.network import LayerRecord


class Subject:
    """A classifier in eval mode with what has to be known to explain it.

    Args:
        network: gives N×classes scores for N×C×H×W images. It is never changed for good.
        example: [1, C, H, W], one normalized image of the size that will be explained; the network runs on it once.
        name: what the report calls it. classes: class names in index order; numbers where None.
        preprocessing: how pictures become inputs; the identity where None.
        scores: what the network's scores mean, as `ScoreKind` names it; "auto" finds out.
        several: whether an image of the set has several labels. state: of the network, where somebody keeps it.

    Raises:
        BadRequest: the network doesn't run on the example, or isn't a classifier, or gives scores that aren't finite
            or can't be what was asked for.
    """

    def __init__(
        self,
        network: nn.Module,
        example: Tensor,
        *,
        name: str = "network",
        classes: Sequence[str] | None = None,
        preprocessing: Preprocessing | None = None,
        scores: str = "auto",
        several: bool = False,
        state: OwnState | None = None,
    ) -> None:
        self.network = unwrapped(network)
        self.name = name
        self.size = (int(example.shape[2]), int(example.shape[3]))
        self.device = example.device
        self.preprocessing = preprocessing or Preprocessing((0.0,) * example.shape[1], (1.0,) * example.shape[1])
        self._tail: Place | None = None
        self._held = False
        self._room = Room()
        self._reduced: Weights | None = None
        self._weights: Weights | None = None
        self._lone: dict[str, bool] = {}
        self._taken: dict[str, None] = {}
        self.columns = 0  # of the output; known from the first pass on
        self.one_by_one = False  # set where an image's scores depend on the images beside it
        check_open(self.network, name)
        check_example(self.network, name, example)
        self.state = state or OwnState(self.network)
        self._calls = Calls([], {}, self.size)
        calls, output, layer_inputs, noted = self._examine(example)
        self._calls = Calls(calls, {}, self.size)
        first = FirstOutput(example, output, self._calls.at, noted, self._logits_at)
        reading = read_output(first, network, scores, several=several, name=name)
        self.meaning, self.scores, self._tail = reading.meaning, reading.words, reading.place
        if self._tail is not None:  # the pass that counts is the one to the logits
            calls, output, layer_inputs, _ = self._examine(example)
        self.columns = int(output.shape[1])
        nodes = in_order(recorded(output.grad_fn), name)
        self._calls = Calls(calls, followed(nodes, tuple(example.shape)), self.size)
        self.layers = self._calls.layers
        logits = self.meaning.of(output.detach())
        self.first_pass: FirstPass | None = FirstPass(
            example.detach(), logits, RecordedPass(output, nodes, layer_inputs)
        )
        self._score_layer = find_score_layer(self._calls, nodes[0], self.meaning.weights)
        self.default_layer = self._calls.last_stage(nodes)
        self._calls.forget_graph()
        self.parameters = sum(parameter.numel() for parameter in self.network.parameters())
        self.classes = self.meaning.names(classes, self.columns, name)
        self.meaning = self.meaning.between(self.classes)

    def take_first_pass(self) -> FirstPass:
        """The pass over the example, handed over once: it holds the activations of the whole network."""
        if self.first_pass is None:
            raise RuntimeError("the first pass has been taken")
        first, self.first_pass = self.first_pass, None
        return first

    @contextmanager
    def held(self) -> Iterator[None]:
        """Freeze the network once for all the passes that are made while it is open."""
        with exclusive(), ExitStack() as stack:
            if not self._held:
                stack.enter_context(eager(self.network))
                stack.enter_context(frozen(self.network))
                stack.callback(setattr, self, "_held", False)
                self._held = True
            yield

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

    def forward(self, images: Tensor, count: int | None = None) -> Tensor:
        """[N, classes] scores: logits, of before a final softmax where the network has one and they can be found.

        Args:
            count: how many images come out, where a layer is made to give more than went in.
        """
        return self.meaning.of(self.output(images, count))

    def output(self, images: Tensor, count: int | None = None) -> Tensor:
        """[N, columns]: what the network itself gives, of which `meaning` makes scores of classes."""
        if self._tail is not None:
            return self._logits_at(self._tail, images, count)
        with self.held():
            given = as_scores(self._run(images), self.name, count or len(images), self._taken)
        return check_shape(given, count or len(images), self.columns).to(images.dtype)

    def _logits_at(self, place: Place, images: Tensor, count: int | None = None) -> Tensor:
        """[N, columns]: the logits, of before whatever the network does to them last."""
        count = count or len(images)
        with self.held(), place.watched(self.watching) as logits:
            self._run(images)
            return check_shape(as_scores(logits(), self.name, count), count, self.columns).to(images.dtype)

    @property
    def notices(self) -> tuple[str, ...]:
        """What a user has to know of how the output is read, a sentence each."""
        return tuple(f"{self.name} returns {each}." for each in self._taken)

    def _run(self, images: Tensor) -> object:
        own = self._room.copied(images, self._layout)
        self._calls.see((int(images.shape[2]), int(images.shape[3])))
        with self.state.lent(), at_work(self.name):
            return self.network(own) if self._weights is None else run_reduced(self.network, self._weights, own)

    def forward_from(self, name: str, image: Tensor, values: Tensor) -> Tensor:
        """[M, classes]: the logits of an image [1, C, H, W] where a layer gives other values [M, K, h, w].

        The network before the layer runs once, where the rest can do with that; `behind` says how much the rest is.
        """
        if name not in self._lone:
            self._lone[name] = not self.one_by_one and self._runs_alone(name, image, values[:1])
        start = image if self._lone[name] else image.expand(len(values), -1, -1, -1)
        with self._calls.replacing(name, values):
            return self.forward(start, len(values))

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
                found = self.forward(image, 2)
            except (RuntimeError, ValueError, BadRequest):
                return False
        return found.shape == both.shape and torch.allclose(found, both, rtol=1e-3, atol=1e-5)

    def probabilities(self, scores: Tensor) -> Tensor:
        """[N, classes] in 0…1, as the meaning of the scores says; values of a regression as they are."""
        return self.meaning.probabilities(scores)

    def convolutions(self) -> Iterator[tuple[str, _ConvNd]]:
        """The convolutions with their layers' names, in the order in which they run."""
        return self._calls.convolutions()

    def watching(self, names: Sequence[str], keep: Keep, *, laid: bool = True) -> AbstractContextManager[None]:
        """While it is open, call `keep(name, output)` as each of the layers called `names` runs.

        Feature maps are laid out as [N, K, h, w], unless `laid` is false; other results are given as they are.
        """
        return self._calls.watching(names, keep, laid=laid)

    def layout(self, name: str) -> Layout:
        """How the result of the spatial layer called `name` is read as feature maps."""
        return self._calls.layout(name)

    def lay(self, name: str, values: Tensor) -> Tensor:
        """[N, K, h, w] of a spatial layer's result or its gradient, for the latest images; others as they are."""
        return self._calls.lay(name, values)

    def layer(self, name: str = "") -> LayerRecord:
        """The spatial layer called `name`; the last features that reach the scores where `name` is empty.

        Raises:
            UnknownName: no layer is called so.
            NotApplicable: the layer, or the whole network, has no spatial size.
        """
        if not name and not self.default_layer:
            raise NotApplicable(f"{self.name} has no layer with a spatial size")
        name = name or self.default_layer
        if name not in self._calls.records:
            known = [layer.name for layer in self.layers if layer.spatial]
            raise UnknownName("layer", name, known)
        record = self._calls.records[name]
        if not record.spatial:
            sides = "×".join(map(str, record.shape))
            why = "has no spatial size" if record.readable or len(record.shape) < 2 else "isn't a grid of positions"
            raise NotApplicable(f"layer {name!r} gives {sides}, which {why}")
        return record

    @property
    def default_notice(self) -> str:
        """What a reader has to know of the default layer; empty where it is N×K×h×w as usual, and the whole."""
        layout = self._calls.records[self.default_layer].layout if self.default_layer else ""
        parts = self._calls.branches
        part = f"it is one of {parts} branches that meet in the network's forward; no layer holds the whole"
        said = "; ".join([*([layout] if layout else []), *([part] if parts > 1 else [])])
        return f"Class activation maps read layer {self.default_layer!r}: {said}" if said else ""

    def score_layer(self) -> ScoreLayer:
        """Where class activation maps are read.

        Raises:
            NotApplicable: the network has no such place; the message says what it ends in.
        """
        if isinstance(self._score_layer, str):
            raise NotApplicable(self._score_layer)
        return self._score_layer

    def _examine(self, example: Tensor) -> tuple[list[Call], Tensor, LayerInputs, NotedCalls]:
        """Run the network once, in the fastest memory layout that it takes, and note what ran."""
        # channels last is a quarter faster for convolutions; some networks flatten with .view, which refuses it
        layouts = [torch.channels_last] if example.dtype is not torch.float64 else []
        for layout in [*layouts, torch.contiguous_format]:
            self._layout = layout
            try:
                with (
                    self.held(),
                    recorded_calls(self.network) as calls,
                    recording(),
                    LayerInputs() as layer_inputs,
                    NotedCalls() as noted,
                ):
                    output = self.output(example.detach().clone().requires_grad_())
                break
            except (CnnVisError, torch.OutOfMemoryError, MemoryError):
                raise
            except Exception as error:
                failure = error
        else:
            with self.held(), self.state.lent():
                raise refusal(self.network, self.name, example, failure) from failure
        self.state.settle()
        check_scores(output, self.name)
        return calls, output, layer_inputs, noted
