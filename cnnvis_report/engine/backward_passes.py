"""Backward passes over a recorded batch: each made once, and several together where that is known to be right."""

from collections.abc import Hashable, Iterable, Mapping, Sequence

import torch
from torch import Tensor

from cnnvis_report.engine.forward_passes import ForwardPasses
from cnnvis_report.engine.gradients import PIXELS
from cnnvis_report.engine.graph.folded_weights import FoldedWeights
from cnnvis_report.engine.graph.layer_inputs import RecordedPass
from cnnvis_report.engine.graph.stacked_backward import StackedBackward
from cnnvis_report.engine.outputs.readers import Anchor
from cnnvis_report.engine.passes import BACKWARD, FORWARD
from cnnvis_report.engine.recorded_batch import RecordedBatch
from cnnvis_report.engine.rules.relu import relu_way
from cnnvis_report.engine.rules.rule import Rule
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import NotApplicable

Reads = Mapping[Rule | None, frozenset[str]]
Wanted = tuple[tuple[int, ...], Rule | None]  # the classes of the images, and the way back
Pass = tuple[tuple[int, ...], Rule | None, Tensor, frozenset[str]]  # these, the targets, and what is read
MOST_TOGETHER = 24  # images whose signals go back at a time: more take memory, and gain nothing


class BackwardPasses(RecordedBatch):
    """A recorded batch whose gradients are read by class, by rule and by place.

    Args:
        subject, images, layers, layer_inputs, capacity, within, anchor: as for `RecordedBatch`.
        reads: what each rule's gradients will be asked for.
    """

    def __init__(
        self,
        subject: Subject,
        images: Tensor,
        *,
        layers: Iterable[str],
        reads: Reads | None,
        layer_inputs: bool,
        capacity: int | None,
        within: "ForwardPasses | None",
        anchor: Anchor | None = None,
    ) -> None:
        self._reads = dict(reads or {})
        self._gradients: dict[tuple[tuple[int, ...], Rule | None, str], Tensor] = {}
        self._passes: dict[tuple[tuple[int, ...], Rule | None, str], Hashable] = {}
        self._expected: dict[tuple[int, ...], Tensor] = {}
        self._folded: FoldedWeights = within._folded if isinstance(within, BackwardPasses) else FoldedWeights()
        super().__init__(
            subject, images, layers=layers, layer_inputs=layer_inputs, capacity=capacity, within=within, anchor=anchor
        )

    def expect(self, targets: Tensor) -> None:
        """Say that the gradients of all these classes [N, K] will be read, so that their passes can go together."""
        self._expected = {tuple(column.tolist()): column for column in targets.unbind(dim=1)}

    def read(self, targets: Tensor, rule: Rule | None, what: str) -> Tensor:
        """One gradient: of the pixels where `what` is empty, of the layer called so otherwise."""
        wanted = (tuple(targets.tolist()), rule)
        if (*wanted, what) not in self._gradients:
            names = self._names(wanted, what)
            if self.subject.stacks and relu_way(rule) is not None:
                self._run_together({wanted: (targets, names), **self._others(wanted, names)})
            else:
                self._run_alone(wanted, targets, names)
        self._share_pass(FORWARD)
        self._share_pass(self._passes[*wanted, what])
        return self._gradients[*wanted, what]

    def _names(self, wanted: Wanted, what: str | None = None) -> frozenset[str]:
        """What a pass reads that hasn't been read by another."""
        reads = {*self._reads.get(wanted[1], ()), *(() if what is None else (what,))}
        return frozenset(reads - {seen[2] for seen in self._passes if seen[:2] == wanted})

    def _others(self, wanted: Wanted, names: frozenset[str]) -> dict[Wanted, tuple[Tensor, frozenset[str]]]:
        """Other passes that will be asked for and go as deep, as many as go along with this one."""
        rules = [rule for rule in {wanted[1]: None, **self._reads} if relu_way(rule) is not None]
        others: dict[Wanted, tuple[Tensor, frozenset[str]]] = {}
        for rule in rules:
            for classes, column in self._expected.items():
                theirs = self._names((classes, rule)) or (names if rule == wanted[1] else frozenset())
                read = any((classes, rule, name) in self._passes for name in theirs)
                if theirs and not read and (PIXELS in theirs) == (PIXELS in names) and (classes, rule) != wanted:
                    others[classes, rule] = (column, theirs)
        room = max(MOST_TOGETHER // len(self.images) - 1, 0)
        return dict(list(others.items())[:room])

    def _run_alone(self, wanted: Wanted, targets: Tensor, names: frozenset[str]) -> None:
        key = (*wanted, names)
        gradients = self._run_pass(
            key, lambda: self._backward(targets, wanted[1], sorted(names)), backward=1.0, kind=_kind(names)
        )
        self._keep(wanted, gradients, key)

    def _run_together(self, passes: dict[Wanted, tuple[Tensor, frozenset[str]]]) -> None:
        """One walk back for all these passes; the first is the one that has been asked for."""
        keys = {wanted: (*wanted, names) for wanted, (_, names) in passes.items()}
        first, *_ = keys.values()
        everything = frozenset[str]().union(*(names for _, names in passes.values()))
        rows = self._run_pass(
            first,
            lambda: self._stacked([(*wanted, *reads) for wanted, reads in passes.items()], sorted(everything)),
            backward=float(len(passes)),
            kind=_kind(everything),
        )
        if not self._private:
            self.costs.divide(first, list(keys.values()))
        for (wanted, key), gradients in zip(keys.items(), rows, strict=True):
            self._keep(wanted, gradients, key)

    def _keep(self, wanted: Wanted, gradients: Mapping[str, Tensor], key: Hashable) -> None:
        for name, gradient in gradients.items():
            self._gradients[*wanted, name] = gradient
            self._passes[*wanted, name] = key

    def _stacked(self, passes: Sequence[Pass], names: list[str]) -> list[dict[str, Tensor]]:
        """What each pass reads, by one walk back to everything named."""
        for name in names:
            self._capture(name)
        edges = {name: self._edges[name] for name in names if name in self._edges}
        start = torch.stack([self._start(targets) for _, _, targets, _ in passes])
        ways = [way for _, rule, _, _ in passes if (way := relu_way(rule)) is not None]
        walk = StackedBackward(self._recorded.nodes, self._folded)
        signals = dict(zip(edges, walk.back(start, ways, list(edges.values())), strict=True))
        if any(signals.get(name) is None for name in passes[0][3]):
            self._as_read({name: signals.get(name) for name in passes[0][3]})  # which says that it isn't there
        return [
            self._as_read({name: rows[row] for name in reads if (rows := signals.get(name)) is not None})
            for row, (_, _, _, reads) in enumerate(passes)
        ]

    def _backward(self, targets: Tensor, rule: Rule | None, names: list[str]) -> dict[str, Tensor]:
        """One pass back from the scores of the targets to everything named."""
        for name in names:
            self._capture(name)
        edges = {name: self._edges[name] for name in names if name in self._edges}
        back = rule.back if rule else RecordedPass.gradients
        signals = back(self._recorded, self._start(targets), list(edges.values()))
        computed = dict(zip(edges, signals, strict=True))
        return self._as_read({name: computed.get(name) for name in names})

    def _as_read(self, gradients: Mapping[str, Tensor | None]) -> dict[str, Tensor]:
        """Gradients as feature maps of the images' type.

        Raises:
            NotApplicable: one of them isn't there.
        """
        missing = [name or "the image" for name, gradient in gradients.items() if gradient is None]
        if missing:
            raise NotApplicable(f"the score doesn't depend on all of: {', '.join(missing)}")
        return {
            name: self.subject.as_feature_maps(name, gradient).to(self.images.dtype)
            for name, gradient in gradients.items()
            if gradient is not None
        }

    def _start(self, targets: Tensor) -> Tensor:
        return self.subject.meaning.start(targets, self._logits)


def _kind(names: frozenset[str]) -> Hashable:
    return BACKWARD if PIXELS in names else (BACKWARD, names)
