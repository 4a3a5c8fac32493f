"""Methods run without passes, to count what a run will take."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from cnnvis_report.engine.covering import Corner, cut_for
from cnnvis_report.engine.gradients import PIXELS
from cnnvis_report.engine.graph.layer_inputs import FirstPass
from cnnvis_report.engine.passes import FORWARD
from cnnvis_report.engine.reference import Fitted
from cnnvis_report.engine.rules.bias_terms import check_constants
from cnnvis_report.engine.rules.rule import Rule
from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape


class DryRunTape(Tape):
    """A tape whose passes are counted and answered by zeros.

    Methods run on it as on any other. What they read says how many passes a run takes and how deep each must go, so
    that nobody keeps a list of it.

    Args:
        subject: the network.
        first: the pass over the example that the subject has made.
        capacity, seed: as the tapes of the run will have them.
    """

    def __init__(
        self,
        subject: Subject,
        first: FirstPass,
        *,
        capacity: int | None = None,
        seed: int = 0,
        within: "DryRunTape | None" = None,
    ) -> None:
        self._first = first
        self.reads: dict[Rule | None, set[str]] = {}
        self.layers: list[str] = []
        self.layer_inputs = False
        super().__init__(subject, first.images, capacity=capacity, seed=seed, within=within)

    def layer(self, name: str = "") -> Tensor:
        """Zeros of the layer's shape."""
        record = self.subject.layer(name)
        self._share_pass(FORWARD)
        self._note_layer(record.name)
        return self.images.new_zeros((len(self.images), *record.shape))

    def read(self, targets: Tensor, rule: Rule | None, what: str) -> Tensor:
        """Zeros of the gradient's shape; a pass is counted where none has given it yet."""
        self.reads.setdefault(rule, set()).add(what)
        self._note_layer(what)
        return super().read(targets, rule, what)

    def scores(self, images: Tensor, rows: Tensor | None = None) -> Tensor:
        """Zeros for scores."""
        share = len(images) / len(self.images)
        return self._run_pass(None, lambda: self._logits.new_zeros((len(images), self._logits.shape[1])), forward=share)

    def scores_from(self, row: int, values: Tensor, layer: str = "") -> Tensor:
        """Zeros for scores; the passes through what comes after the layer are counted."""
        share = len(values) * self.subject.work_after(self.subject.layer(layer).name) / len(self.images)
        return self._run_pass(None, lambda: self._logits.new_zeros((len(values), self._logits.shape[1])), forward=share)

    def covered_scores(self, corners: Sequence[Corner], patch: int) -> Tensor:
        """Zeros for scores; what the passes cost is counted."""
        cut = cut_for(self.subject, self.images, patch, self.capacity)
        passes = float(len(corners)) if cut is None else cut.passes(len(corners), patch)
        shape = (len(corners), *self._logits.shape)
        return self._run_pass(None, lambda: self._logits.new_zeros(shape), forward=passes)

    def replay(self, images: Tensor, rows: Tensor | None = None, *, activation_inputs: bool = False) -> Tape:
        """A dry run within this one."""
        first = replace(self._first, images=images)
        return DryRunTape(self.subject, first, capacity=self.capacity, seed=self.seed, within=self)

    def attention_gradients(self, targets: Tensor) -> Iterator[Tensor]:
        """Zeros of the weights' shape; a pass is counted."""
        self._run_pass(None, lambda: None, backward=1.0)
        return map(torch.zeros_like, self.attention_weights())

    def bias_terms(self, targets: Tensor, take: Callable[[Tensor], None]) -> None:
        """Nothing to hand over; a pass is counted."""
        self.layer_inputs = True
        check_constants(self._first.recorded)
        self._run_pass(None, lambda: None, backward=1.0)

    def fitted(self, key: str, fit: Callable[[Subject, Tensor, int], Fitted]) -> Fitted | None:
        """Nothing: that would take passes."""
        return None

    def passes(self) -> tuple[float, float]:
        """Forward and backward passes an image of all that has run, shared ones counted once."""
        shared = len({key[:2] for key in self._gradients})
        return 1 + self.costs.own_forward, shared + self.costs.own_backward

    def _note_layer(self, name: str) -> None:
        if name != PIXELS and name not in self.layers:
            self.layers.append(name)

    def _run(self) -> None:
        self._logits = self._first.logits.new_zeros((len(self.images), self._first.logits.shape[1]))
        self._recorded = self._first.recorded
        self._has_layer_inputs = True

    def _backward(self, targets: Tensor, rule: Rule | None, names: list[str]) -> dict[str, Tensor]:
        shapes = {name: self.subject.layer(name).shape if name else self.images.shape[1:] for name in names}
        return {name: self.images.new_zeros((len(self.images), *shape)) for name, shape in shapes.items()}
