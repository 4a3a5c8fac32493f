"""Methods without passes, so that a run can be planned."""

from dataclasses import replace

from torch import Tensor

from cnnvis_report.subject import FirstPass, Subject
from cnnvis_report.tape import FORWARD, PIXELS, Rule, Tape


class Rehearsal(Tape):
    """Goes through the motions: methods run on one image, their passes are counted and answered by zeros.

    It tells what a set of methods will read, and so how many passes a run takes and how deep each must go,
    without anybody keeping a list of it.

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
        within: "Rehearsal | None" = None,
    ) -> None:
        self._first = first
        self.reads: dict[Rule | None, set[str]] = {}
        self.layers: list[str] = []
        super().__init__(subject, first.images, capacity=capacity, seed=seed, within=within)

    def layer(self, name: str = "") -> Tensor:
        """Zeros of the layer's shape."""
        record = self.subject.layer(name)
        self._use(FORWARD)
        self._see(record.name)
        return self.images.new_zeros((len(self.images), *record.shape))

    def read(self, targets: Tensor, rule: Rule | None, what: str) -> Tensor:
        """Zeros of the gradient's shape, and a pass on the books where none has given it yet."""
        self.reads.setdefault(rule, set()).add(what)
        self._see(what)
        return super().read(targets, rule, what)

    def scores(self, images: Tensor) -> Tensor:
        """Zeros for scores."""
        share = len(images) / len(self.images)
        return self._book(None, lambda: self._logits.new_zeros((len(images), self._logits.shape[1])), forward=share)

    def replay(self, images: Tensor) -> Tape:
        """A rehearsal within this one."""
        first = replace(self._first, images=images)
        return Rehearsal(self.subject, first, capacity=self.capacity, seed=self.seed, within=self)

    def passes(self) -> tuple[float, float]:
        """Forward and backward passes an image of all that has run, shared ones counted once."""
        shared = len({key[:2] for key in self._gradients})
        return 1 + self.ledger.own_forward, shared + self.ledger.own_backward

    def _see(self, name: str) -> None:
        if name != PIXELS and name not in self.layers:
            self.layers.append(name)

    def _run(self) -> None:
        self._logits = self._first.logits.new_zeros((len(self.images), self._first.logits.shape[1]))
        self._nodes = self._first.nodes

    def _backward(self, targets: Tensor, rule: Rule | None, names: list[str]) -> dict[str, Tensor]:
        shapes = {name: self.subject.layer(name).shape if name else self.images.shape[1:] for name in names}
        return {name: self.images.new_zeros((len(self.images), *shape)) for name, shape in shapes.items()}
