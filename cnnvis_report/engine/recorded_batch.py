"""One batch run forward with its graph, and run again where more of it is asked for than anybody had said."""

from collections.abc import Iterable, Iterator
from contextlib import nullcontext

from torch import Tensor
from torch.autograd.graph import GradientEdge, get_gradient_edge

from cnnvis_report.engine.forward_passes import ForwardPasses
from cnnvis_report.engine.gradients import PIXELS
from cnnvis_report.engine.graph.activation_inputs import ActivationInputs
from cnnvis_report.engine.graph.attention import attentions
from cnnvis_report.engine.graph.layer_inputs import LayerInputs, RecordedPass
from cnnvis_report.engine.graph.nodes import recorded
from cnnvis_report.engine.graph.overwriting import GradientWalk
from cnnvis_report.engine.outputs.boxes import Boxes
from cnnvis_report.engine.outputs.readers import Anchor
from cnnvis_report.engine.outputs.regions import Regions
from cnnvis_report.engine.passes import FORWARD
from cnnvis_report.engine.subject import Subject
from cnnvis_report.isolation.context import grad_mode
from cnnvis_report.isolation.gradient_hooks import noticing_hooks


class RecordedBatch(ForwardPasses):
    """A batch with the values of some layers and the way back from its scores.

    Args:
        subject, images, capacity, within: as for `ForwardPasses`.
        layers: names of the layers whose values or gradients will be read.
        layer_inputs: whether somebody will ask for what the layers read and weigh with.
        anchor: of the images as they are, where these are perturbed versions; of these where it is None.
        activation_inputs: whether what activations read is kept.
    """

    def __init__(
        self,
        subject: Subject,
        images: Tensor,
        *,
        layers: Iterable[str],
        layer_inputs: bool,
        capacity: int | None,
        within: "ForwardPasses | None",
        anchor: Anchor | None = None,
        activation_inputs: bool = False,
    ) -> None:
        super().__init__(subject, images, capacity=capacity, within=within)
        self.anchor = anchor
        self._layers = list(dict.fromkeys(subject.layer(name).name for name in layers))
        self._has_layer_inputs = layer_inputs
        self._has_activation_inputs = activation_inputs
        self._run_pass(FORWARD, self._run, forward=1.0, kind=FORWARD)

    @property
    def logits(self) -> Tensor:
        """[N, classes]: the scores of the images, as precise as `scores` gives those of others."""
        if self.is_reduced:
            return self.scores(self.images)
        self._share_pass(FORWARD)
        return self._logits

    @property
    def ranking(self) -> Tensor:
        """[N, classes]: what the classes of an image are ordered by: scores, or the sizes of their regions."""
        return self.anchor.shares if isinstance(self.anchor, Regions | Boxes) else self.logits

    def layer(self, name: str = "") -> Tensor:
        """[N, K, h, w]: the value of a layer; the last features that reach the scores where `name` is empty.

        Raises:
            UnknownName, NotApplicable: as `Subject.layer`.
        """
        name = self.subject.layer(name).name
        self._share_pass(FORWARD)
        self._capture(name)
        return self._values[name]

    def score_layer(self) -> tuple[Tensor, Tensor]:
        """The feature maps [N, K, h, w] that are averaged before the last layer, and its weight [classes, K].

        Raises:
            NotApplicable: the network ends otherwise.
        """
        head = self.subject.score_layer()
        maps = self.layer(head.layer)
        return (maps.relu() if head.rectified else maps), head.weight

    def token_row(self) -> Tensor:
        """[N, tokens]: how much the scores take of each token behind the last layer of attention.

        Raises:
            NotApplicable: as `attention_weights`.
        """
        tokens = self.subject.token_attention()
        row = tokens.row(attentions(self._recorded.nodes)[0].queries, self.images)
        return row.expand(len(self.images), -1)

    def attention_weights(self) -> Iterator[Tensor]:
        """[N, heads, tokens, tokens] of each layer of attention, the latest first; `Subject.token_maps` lays them out.

        Raises:
            NotApplicable: the network has no attention over one grid of tokens.
        """
        self.subject.token_attention()
        self._share_pass(FORWARD)
        for layer in attentions(self._recorded.nodes):
            yield layer.weights(len(self.images)).to(self.images.dtype)

    @property
    def recorded(self) -> RecordedPass:
        """The pass itself, with what was noted of it so far."""
        self._share_pass(FORWARD)
        return self._recorded

    def record(self) -> RecordedPass:
        """The pass itself, with what its layers read and weigh with."""
        self._require_layer_inputs()
        return self._recorded

    def edges(self, names: Iterable[str]) -> dict[str, GradientEdge]:
        """Where in the recorded graph the values of layers are, before anything works on them in place.

        A layer that doesn't depend on the image has none.

        Raises:
            UnknownName, NotApplicable: as `Subject.layer`.
        """
        layers = {name: name if name == PIXELS else self.subject.layer(name).name for name in names}
        self._capture(*layers.values())
        self._share_pass(FORWARD)
        return {name: self._edges[layer] for name, layer in layers.items() if layer in self._edges}

    def _run(self) -> None:
        """The forward pass, with the layers' values and the places where their gradients arrive."""
        self._values: dict[str, Tensor] = {}
        self._edges: dict[str, GradientEdge] = {}

        def keep(name: str, output: Tensor) -> None:
            if output.requires_grad:
                self._edges[name] = get_gradient_edge(output)
            maps = self.subject.as_feature_maps(name, output.detach())
            values = (
                maps.to(self.images.dtype) if maps.is_floating_point() else maps
            )  # a network may use half precision
            self._values[name] = values.clone() if values is maps else values  # an operation in place may follow

        layer_inputs = LayerInputs() if self._has_layer_inputs else None
        activations = ActivationInputs() if self._has_activation_inputs else None
        with (
            grad_mode(),
            noticing_hooks(self.subject.network) as noticed,
            layer_inputs or nullcontext(),
            activations or nullcontext(),
        ):
            leaf = self.images.clone().requires_grad_()
            self._edges[PIXELS] = get_gradient_edge(leaf)
            with self.subject.watching(self._layers, keep, as_maps=False):
                output, self.anchor = self.subject.anchored_output(leaf, anchor=self.anchor)
        self._logits = self.subject.meaning.of(output.detach())
        nodes = recorded(output.grad_fn)
        walk = None if noticed.hooks or not all(map(callable, nodes)) else GradientWalk(nodes)
        inputs = {} if activations is None else activations.inputs
        self._recorded = RecordedPass(output, nodes, layer_inputs, walk=walk, activation_inputs=inputs)

    def _capture(self, *names: str) -> None:
        """Run once more where nobody said that these layers would be read."""
        new = [name for name in dict.fromkeys(names) if name != PIXELS and name not in self._layers]
        if new:
            self._layers += new
            self._run_pass(None, self._run, forward=1.0, kind=FORWARD)

    def _require_layer_inputs(self) -> None:
        """Run once more where nobody said that what the layers read would be wanted."""
        if not self._has_layer_inputs:
            self._has_layer_inputs = True
            self._run_pass(None, self._run, forward=1.0, kind=FORWARD)
