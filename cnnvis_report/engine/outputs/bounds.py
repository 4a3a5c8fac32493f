"""Bounds of numbers: which an operation can give at most, and what that says of a score."""

import math
from dataclasses import dataclass

from cnnvis_report.engine.outputs.final_activations import EXACT

INF = math.inf
HELD = {
    "Sigmoid": (0.0, 1.0, "a sigmoid"),
    "Softmax": (0.0, 1.0, "a softmax"),
    "Hardsigmoid": (0.0, 1.0, "a hard sigmoid"),
    "Tanh": (-1.0, 1.0, "a tanh"),
    "Sin": (-1.0, 1.0, "a sine"),
    "Cos": (-1.0, 1.0, "a cosine"),
    "Erf": (-1.0, 1.0, "an error function"),
    "Erfc": (0.0, 2.0, "an error function"),
    "Atan": (-math.pi / 2, math.pi / 2, "an arctangent"),
    "LogSigmoid": (-INF, 0.0, "a log-sigmoid"),
    "LogSoftmax": (-INF, 0.0, "a log-softmax"),
    "Expm1": (-1.0, INF, "an exponential"),
    "Relu": (0.0, INF, "a ReLU"),
    "Softplus": (0.0, INF, "a softplus"),
    "Exp": (0.0, INF, "an exponential"),
    "Exp2": (0.0, INF, "an exponential"),
    "Abs": (0.0, INF, "an absolute value"),
    "Sqrt": (0.0, INF, "a square root"),
    "LinalgVectorNorm": (0.0, INF, "a norm"),
    "Norm": (0.0, INF, "a norm"),
    "Cdist": (0.0, INF, "a distance"),
}
SURE = 4.0  # a logit that can't get beyond says at most 98% of anything; nobody trains such a one


@dataclass(frozen=True)
class Bounds:
    """The numbers that an output can hold. source: what it comes out of. flat: whether it gets there in steps."""

    low: float
    high: float
    source: str
    flat: bool = False

    @property
    def within_one(self) -> bool:
        """Whether they lie in 0…1."""
        return self.low >= -EXACT and self.high <= 1 + EXACT

    @property
    def of_probability(self) -> bool:
        """Whether they reach from 0 to 1, and out of something that squashes; a clamp of a sum may be of anything."""
        full = self.within_one and self.low < EXACT and self.high > 1 - EXACT
        return full and not self.source.startswith(("a clamp", "a reciprocal"))

    @property
    def of_no_logit(self) -> bool:
        """Whether a single score of such numbers can't be a logit: never on one side of 0, or never far from it."""
        return self.low >= -EXACT or self.high <= EXACT or max(-self.low, self.high) < SURE

    def words(self, they: bool = False) -> str:
        """Such as "never negative (it comes out of a ReLU)"."""
        what = f"from {self.low:.4g} to {self.high:.4g}".replace("-", "−")
        if self.high == INF:
            what = "never negative" if abs(self.low) <= EXACT else f"never below {self.low:.4g}".replace("-", "−")
        elif self.low == -INF:
            what = "never positive" if abs(self.high) <= EXACT else f"never above {self.high:.4g}".replace("-", "−")
        elif abs(self.low) <= EXACT and (self.source.startswith(("a clamp", "a scaled")) or self.high == INF):
            what = "never negative"
        return f"{what} ({'they come' if they else 'it comes'} out of {self.source})"
