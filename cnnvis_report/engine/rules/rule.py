"""What a tape asks of a way back that isn't the gradient."""

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor
from torch.autograd.graph import GradientEdge

from cnnvis_report.engine.graph.layer_inputs import RecordedPass


class Rule(Protocol):
    """Another way back through some of the recorded operations. Hashable: equal rules share their passes."""

    def coverage(self, recorded: RecordedPass) -> str:
        """How much of the pass the rule speaks of; raises NotApplicable where it isn't defined."""

    @property
    def layer_inputs(self) -> bool:
        """Whether it has to know what the layers read and weigh with."""

    def back(self, recorded: RecordedPass, start: Tensor, edges: Sequence[GradientEdge]) -> Sequence[Tensor | None]:
        """Signals at the edges when `start` [N, classes] is sent back from the scores; None where none arrives."""
