"""The engine: one forward pass, then as many backward passes as there are rules and classes to explain.

A tape holds one batch. Methods read layers and gradients from it; what one has asked for, the next finds there.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping

import torch
from torch import Tensor

from cnnvis_report.engine.gradients import PIXELS, Gradients
from cnnvis_report.engine.graph.attention import attentions
from cnnvis_report.engine.graph.layer_inputs import RecordedPass, RecordedPassTo
from cnnvis_report.engine.graph.nodes import result_shape
from cnnvis_report.engine.noise import normal_noise
from cnnvis_report.engine.outputs.readers import Anchor
from cnnvis_report.engine.passes import BACKWARD, FORWARD
from cnnvis_report.engine.recorded_batch import RecordedBatch
from cnnvis_report.engine.reference import Fitted, Reference
from cnnvis_report.engine.rules.bias_terms import send_constants
from cnnvis_report.engine.rules.rule import Rule
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import NotApplicable

Reads = Mapping[Rule | None, frozenset[str]]
Key = tuple[tuple[int, ...], Rule | None, str]


class Tape(RecordedBatch):
    """One batch, run forward once.

    Args:
        subject: the network.
        images: [N, C, H, W], normalized.
        layers: names of the layers whose values or gradients will be read.
        reads: what each rule's gradients will be asked for, as a dry run finds it out, so that a pass goes no deeper
            than somebody looks, and none runs twice.
        layer_inputs: whether somebody will ask for what the layers read and weigh with.
        capacity: the most images that `scores` and `replay` take at a time; N where None.
        reference: other images of the set; the tape's own where None.
        seed: what the noise of `noise` comes from, with the image itself.
        within: the tape that this one replays; the method that it measures then bears all passes.
        anchor: of the images as they are, where these are perturbed versions; of these where it is None.
        activation_inputs: whether what activations read is kept.
    """

    def __init__(
        self,
        subject: Subject,
        images: Tensor,
        *,
        layers: Iterable[str] = (),
        reads: Reads | None = None,
        layer_inputs: bool = False,
        capacity: int | None = None,
        reference: Reference | None = None,
        seed: int = 0,
        within: "Tape | None" = None,
        anchor: Anchor | None = None,
        activation_inputs: bool = False,
    ) -> None:
        self._reads = dict(reads or {})
        layer_inputs = layer_inputs or any(rule.layer_inputs for rule in self._reads if rule is not None)
        self._gradients: dict[Key, Tensor] = {}
        self._passes: dict[Key, Hashable] = {}
        self.seed = seed
        super().__init__(
            subject,
            images,
            layers=layers,
            layer_inputs=layer_inputs,
            capacity=capacity,
            within=within,
            anchor=anchor,
            activation_inputs=activation_inputs,
        )
        inputs = self.images  # not self: a tape that holds itself waits for the garbage collector, with its graph
        self.reference = reference or Reference(lambda: inputs)

    def gradients(self, targets: Tensor, rule: Rule | None = None) -> Gradients:
        """The gradients of the scores of `targets` with respect to pixels and layers.

        Args:
            targets: [N], a class index an image.
            rule: another way back through some operations; None for the gradient itself.

        Raises:
            NotApplicable: the rule isn't defined for an operation of this network.
        """
        self._prepare(rule)
        return Gradients(self, targets, rule)

    def relevance(self, targets: Tensor, rule: Rule) -> Tensor:
        """[N, C, H, W]: what a rule of relevance propagation leaves at the pixels, its share of the score stated.

        Raises:
            NotApplicable: an operation has no rule.
        """
        maps = self.gradients(targets, rule).pixels
        score = self.logits.gather(1, targets.unsqueeze(1))[:, 0]
        self.note(conservation=maps.sum((1, 2, 3)) / torch.where(score == 0, 1, score))
        return maps

    def attention_gradients(self, targets: Tensor) -> Iterator[Tensor]:
        """The gradients of the scores of `targets` [N] with respect to what `attention_weights` gives, by a pass.

        Raises:
            NotApplicable: as `attention_weights`.
        """
        self.subject.token_attention()
        layers = attentions(self._recorded.nodes)
        signals = self._run_pass(
            None,
            lambda: self._recorded.gradients(self._start(targets), [layer.edge for layer in layers]),
            backward=1.0,
            kind=(BACKWARD, "attention"),
        )
        for layer, signal in zip(layers, signals, strict=True):
            if signal is not None:
                yield layer.gradient(signal, len(self.images)).to(self.images.dtype)

    def bias_terms(self, targets: Tensor, take: Callable[[Tensor], None]) -> None:
        """Hand over what each operation adds to the scores of `targets` [N] of its own, by a backward pass.

        Args:
            take: called with [N, ...], a part of the score for each place of an operation's result.

        Raises:
            NotApplicable: an operation whose constant part isn't known.
        """

        def run() -> None:
            self._require_layer_inputs()
            send_constants(self._recorded, self._start(targets), self._edges[PIXELS], take)

        self._run_pass(None, run, backward=1.0, kind=BACKWARD)

    def fitted(self, key: str, fit: Callable[[Subject, Tensor, int], Fitted]) -> Fitted | None:
        """What `fit` makes of the network, other images of the set and how many go through at a time; made once.

        None in a dry run.
        """
        return self.reference.fitted(key, lambda images: fit(self.subject, images, self.capacity))

    def replay(self, images: Tensor, rows: Tensor | None = None, *, activation_inputs: bool = False) -> "Tape":
        """A tape of other images [M, C, H, W], whose passes the method that runs has for itself.

        Args:
            rows: [M], which image of the batch each is a version of, as for `scores`.
            activation_inputs: whether what activations read is kept.

        Raises:
            NotApplicable: as `scores`.
        """
        return Tape(
            self.subject,
            images,
            capacity=self.capacity,
            reference=self.reference,
            seed=self.seed,
            within=self,
            anchor=self.anchor_of(len(images), rows),
            activation_inputs=activation_inputs,
        )

    def noise(self, draws: int) -> Iterator[Tensor]:
        """So many draws of standard normal noise [N, C, H, W], each image's own."""
        return normal_noise(self.images, self.seed, draws)

    def project(self, layer: str, signal: Tensor, rule: Rule | None = None) -> Tensor:
        """[N, C, H, W]: what arrives at the pixels when a signal is sent back from a layer.

        Args:
            layer: its name.
            signal: [N, K, h, w], at the layer's own result.
            rule: another way back through some operations; None for the gradient itself.

        Raises:
            UnknownName, NotApplicable: as `edges`; or the rule isn't defined for an operation of this network, or
                the layer doesn't depend on the image.
        """
        self._prepare(rule)
        edge = self.edges([layer]).get(layer)
        if edge is None:
            raise NotApplicable(f"layer {layer!r} doesn't depend on the image")
        part = RecordedPassTo(edge, self._recorded)
        nothing = signal.new_zeros(result_shape(edge.node, edge.output_nr))
        start = self.subject.layout(self.layer_name(layer)).put(signal, nothing)
        back = rule.back if rule else RecordedPassTo.gradients
        way = (BACKWARD, self.subject.layer(layer).name)
        (pixels,) = self._run_pass(None, lambda: back(part, start, [self._edges[PIXELS]]), backward=1.0, kind=way)
        return torch.zeros_like(self.images) if pixels is None else pixels

    def read(self, targets: Tensor, rule: Rule | None, what: str) -> Tensor:
        """One gradient: of the pixels where `what` is empty, of the layer called so otherwise."""
        wanted = (tuple(targets.tolist()), rule)
        if (*wanted, what) not in self._gradients:
            names = {what, *self._reads.get(rule, ())} - {seen[2] for seen in self._passes if seen[:2] == wanted}
            key = (*wanted, frozenset(names))
            kind = BACKWARD if PIXELS in names else (BACKWARD, frozenset(names))
            gradients = self._run_pass(
                key, lambda: self._backward(targets, rule, sorted(names)), backward=1.0, kind=kind
            )
            for name, gradient in gradients.items():
                self._gradients[*wanted, name] = gradient
                self._passes[*wanted, name] = key
        self._share_pass(FORWARD)
        self._share_pass(self._passes[*wanted, what])
        return self._gradients[*wanted, what]

    def _backward(self, targets: Tensor, rule: Rule | None, names: list[str]) -> dict[str, Tensor]:
        """One pass back from the scores of the targets to everything named."""
        for name in names:
            self._capture(name)
        start = self._start(targets)
        edges = [self._edges[name] for name in names if name in self._edges]
        back = rule.back if rule else RecordedPass.gradients
        computed = dict(
            zip((name for name in names if name in self._edges), back(self._recorded, start, edges), strict=True)
        )
        gradients = {name: computed.get(name) for name in names}
        missing = [name or "the image" for name, gradient in gradients.items() if gradient is None]
        if missing:
            raise NotApplicable(f"the score doesn't depend on all of: {', '.join(missing)}")
        return {
            name: self.subject.as_feature_maps(name, gradient).to(self.images.dtype)
            for name, gradient in gradients.items()
            if gradient is not None
        }

    def _prepare(self, rule: Rule | None) -> None:
        if rule is not None:
            if rule.layer_inputs:
                self._require_layer_inputs()
            self.note(coverage=rule.coverage(self._recorded))

    def _start(self, targets: Tensor) -> Tensor:
        return self.subject.meaning.start(targets, self._logits)
