"""A small network with something done to its logits last."""

from typing import Any

from torch import nn

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
