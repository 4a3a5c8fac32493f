"""The network under study: what it is made of, in the order in which it runs, and what its scores are."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.autograd.graph import Node
from torch.nn.modules.conv import _ConvNd

from cnnvis_report.data.preprocessing.preprocessing import Preprocessing
from cnnvis_report.engine.graph.axis_tracking import followed
from cnnvis_report.engine.graph.cam_head import ScoreLayer
from cnnvis_report.engine.graph.layer_calls import LayerCalls
from cnnvis_report.engine.graph.layer_inputs import FirstPass, RecordedPass
from cnnvis_report.engine.graph.layouts import Layout
from cnnvis_report.engine.graph.linearity import is_piecewise_linear
from cnnvis_report.engine.graph.nodes import recorded
from cnnvis_report.engine.graph.score_layer import find_score_layer
from cnnvis_report.engine.graph.token_attention import TokenAttention, find_token_attention
from cnnvis_report.engine.network_runner import NetworkRunner
from cnnvis_report.engine.outputs.boxes import Boxes, BoxScores
from cnnvis_report.engine.outputs.readers import Anchor, ClassScores, OutputReader
from cnnvis_report.engine.outputs.reading import FirstOutput, read_by, read_output
from cnnvis_report.engine.outputs.regions import RegionMeans, Regions, is_regular
from cnnvis_report.engine.outputs.scores import Scores
from cnnvis_report.errors import NotApplicable, UnknownName
from cnnvis_report.isolation.buffers import OwnState
from cnnvis_report.isolation.diagnosis import in_order
from cnnvis_report.records.network import LayerRecord
from cnnvis_report.records.scores import box_name


class Subject(NetworkRunner):
    """A network in eval mode with what has to be known to explain it.

    Args:
        network: gives N×classes scores for N×C×H×W images, or maps of them. It is never changed for good.
        example: [1, C, H, W], one normalized image of the size that will be explained; the network runs on it once.
        name: what the report calls it. classes: class names in index order; numbers where None.
        preprocessing: how pictures become inputs; the identity where None.
        task: what the network does, as --task names it, or what its scores mean; "auto" finds out.
        reader: makes scores of what the network returns, where a function does.
        several: whether an image of the set has several labels. state: of the network, where somebody keeps it.

    Raises:
        BadRequest: the network doesn't run on the example, or its scores aren't finite or not what was asked for.
    """

    meaning: Scores  # how the output is read
    scores: str  # the same in words
    layers: tuple[LayerRecord, ...]
    first_pass: FirstPass | None

    def __init__(
        self,
        network: nn.Module,
        example: Tensor,
        *,
        name: str = "network",
        classes: Sequence[str] | None = None,
        preprocessing: Preprocessing | None = None,
        task: str = "auto",
        several: bool = False,
        state: OwnState | None = None,
        reader: OutputReader | None = None,
    ) -> None:
        super().__init__(network, example, name, state, requested=task, reader=reader)
        self.preprocessing = preprocessing or Preprocessing((0.0,) * example.shape[1], (1.0,) * example.shape[1])
        self.one_by_one = False  # set where an image's scores depend on the images beside it
        self.runs_alone: dict[str, bool] = {}  # by layer, whether `forward_from` runs what is before it once for all
        nodes = self._read(example, task, several=several)
        self._score_layer = self._class_weights(nodes[0])
        self.default_layer = self._calls.find_default_layer(nodes, self._score_maps())
        self._token_attention = find_token_attention(nodes, self._calls.axes)
        self.bottlenecks = self._calls.bottlenecks(nodes)  # layers that all that the scores depend on goes through
        self.piecewise_linear = is_piecewise_linear(nodes)
        self._calls.forget_graph()
        self.parameters = sum(parameter.numel() for parameter in self.network.parameters())
        count = self.reader.classes if isinstance(self.reader, BoxScores) else self.columns
        self.classes = self.meaning.names(classes or self.reader.names, count, name)
        self.meaning = self.meaning.between(self.classes)

    def _read(self, example: Tensor, task: str, *, several: bool) -> list[Node]:
        """Run the network on the example and find what its layers and scores are; the operations, the latest first."""
        calls, output, layer_inputs, noted = self.examine(example)
        self._calls = LayerCalls(calls, {}, self.size)
        first = FirstOutput(example, output, self._calls.layer_at, noted, self._logits_at)
        reading = read_by(self.reader, task) or read_output(first, self.network, task, several=several, name=self.name)
        self.meaning, self.scores, self._tail = reading.meaning, reading.words, reading.source
        if self._tail is not None:  # the pass that counts is the one to the logits
            calls, output, layer_inputs, _ = self.examine(example)
        self.columns = int(output.shape[1])
        nodes = in_order(recorded(output.grad_fn), self.name)
        self._calls = LayerCalls(calls, followed(nodes, tuple(example.shape)), self.size)
        self.layers = self._calls.layers
        logits = self.meaning.of(output.detach())
        self.first_pass = FirstPass(example.detach(), logits, RecordedPass(output, nodes, layer_inputs))
        return nodes

    def _score_maps(self) -> set[int]:
        """How many channels those outputs have that may be scores at positions, of which a function makes others."""
        return {channels for channels, *grid in self.reader.shapes if is_regular((grid[0], grid[1]), self.size)}

    def _class_weights(self, end: Node) -> ScoreLayer | str:
        """Where class activation maps are read, or why there is no such place."""
        if isinstance(self.reader, BoxScores):
            return "the scores are those of boxes, not of a layer that weighs averages of feature maps"
        if isinstance(self.reader, RegionMeans):
            return "the scores are means over regions, not those of a layer that weighs averages of feature maps"
        layer = find_score_layer(self._calls, end, self.meaning.weights)
        if isinstance(layer, str) and not isinstance(self.reader, ClassScores):
            return f"{self.reader.reads} makes the scores, and no layer that weighs averages does"
        return layer

    def take_first_pass(self) -> FirstPass:
        """The pass over the example, handed over once: it holds the activations of the whole network."""
        if self.first_pass is None:
            raise RuntimeError("the first pass has been taken")
        first, self.first_pass = self.first_pass, None
        return first

    def forward(self, images: Tensor, count: int | None = None, anchor: Anchor | None = None) -> Tensor:
        """[N, classes] scores: logits, of before a final softmax where the network has one and they can be found.

        Args:
            count: how many images come out, where a layer is made to give more than went in.
            anchor: of the images as they are, where these are perturbed versions.
        """
        return self.meaning.of(self.output(images, count, anchor))

    def ranking(self, images: Tensor) -> Tensor:
        """[N, classes]: what the classes of an image are ordered by: scores, or which share of it is predicted as each.

        By a pass that records nothing.
        """
        anchor = self.anchor(images)
        return anchor.shares if isinstance(anchor, Regions | Boxes) else self.forward(images)

    def forward_from(self, name: str, image: Tensor, values: Tensor, anchor: Anchor | None = None) -> Tensor:
        """[M, classes]: the logits of an image [1, C, H, W] where a layer gives other values [M, K, h, w].

        The network before the layer runs once, where the rest can do with that; `work_after` says how much the rest is.
        """
        if name not in self.runs_alone:
            self.runs_alone[name] = not self.one_by_one and self._try_alone(name, image, values[:1])
        start = image if self.runs_alone[name] else image.expand(len(values), -1, -1, -1)
        with self._calls.replacing(name, values):
            return self.forward(start, len(values), anchor)

    @property
    def work(self) -> float:
        """How many multiplications the network's layers take for an image."""
        return self._calls.work()

    def work_after(self, name: str) -> float:
        """What part of the network's work comes after the layer called `name`."""
        return self._calls.work_after(name)

    def _try_alone(self, name: str, image: Tensor, value: Tensor) -> bool:
        """Whether the rest of the network takes more values than there were images before the layer."""
        two = torch.cat([value, value / 2])
        with self._calls.replacing(name, two):
            batched = self.forward(image.expand(2, -1, -1, -1))
        try:
            with self._calls.replacing(name, two):
                scores = self.forward(image, 2)
        except Exception:  # the network may refuse one image in any way
            return False
        return scores.shape == batched.shape and torch.allclose(scores, batched, rtol=1e-3, atol=1e-5)

    def target_name(self, index: int) -> str:
        """What a score is called: like its class, of which a detection may have several boxes."""
        rank, index = divmod(index, len(self.classes))
        return box_name(self.classes[index], rank)

    def probabilities(self, scores: Tensor) -> Tensor:
        """[N, classes] in 0…1, as the meaning of the scores says; values of a regression as they are."""
        return self.meaning.probabilities(scores)

    def convolutions(self) -> Iterator[tuple[str, _ConvNd]]:
        """The convolutions with their layers' names, in the order in which they run."""
        return self._calls.convolutions()

    def layout(self, name: str) -> Layout:
        """How the result of the spatial layer called `name` is read as feature maps."""
        return self._calls.layout(name)

    def as_feature_maps(self, name: str, values: Tensor) -> Tensor:
        """[N, K, h, w] of a spatial layer's result or its gradient, for the latest images; others as they are."""
        return self._calls.as_feature_maps(name, values)

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
        notes = "; ".join([*([layout] if layout else []), *([part] if parts > 1 else [])])
        return f"Class activation maps read layer {self.default_layer!r}: {notes}" if notes else ""

    @property
    def averaged_layer(self) -> str:
        """The layer whose averages over positions the scores are linear in; empty where there is none."""
        layer = self._score_layer
        return "" if isinstance(layer, str) or layer.rectified or not layer.linear else layer.layer

    def score_layer(self) -> ScoreLayer:
        """Where class activation maps are read.

        Raises:
            NotApplicable: the network has no such place; the message says what it ends in.
        """
        if isinstance(self._score_layer, str):
            raise NotApplicable(self._score_layer)
        return self._score_layer

    def token_attention(self) -> TokenAttention:
        """The tokens that all attention of the network looks at.

        Raises:
            NotApplicable: there is none, or no single grid of them; the message says which.
        """
        if isinstance(self._token_attention, str):
            raise NotApplicable(self._token_attention)
        return self._token_attention

    def token_maps(self, values: Tensor) -> Tensor:
        """[N, h, w] of values [N, tokens] of the tokens that `token_attention` speaks of, for the latest images."""
        layout = self.token_attention().layout
        return layout.as_feature_maps(values.unsqueeze(1), self._calls.scale)[:, 0]
