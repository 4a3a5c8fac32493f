"""Means over draws, with what the draws have left uncertain."""

import torch
from torch import Tensor

from cnnvis_report.engine.tape import Tape


class RunningMean:
    """The mean of terms [N, …] that come one after the other, and its sampling variance.

    A step at a time: a difference of two large sums would lose small variances.
    """

    def __init__(self) -> None:
        self.terms, self._weight = 0, 0.0
        self.mean, self._squares = torch.empty(0), torch.empty(0)

    def add(self, term: Tensor, weight: float = 1.0) -> None:
        """Count a term in.

        Args:
            weight: of how many draws it is the mean.
        """
        if not self.terms:
            self.mean, self._squares = torch.zeros_like(term), torch.zeros_like(term)
        self.terms += 1
        self._weight += weight
        difference = term - self.mean
        self.mean += difference * (weight / self._weight)
        self._squares += weight * difference * (term - self.mean)

    @property
    def variance(self) -> Tensor:
        """[N, …]: the variance that the mean has over draws; not a number of a single term."""
        return self._squares / self._weight / (self.terms - 1 or float("nan"))


def note_standard_error(tape: Tape, maps: Tensor, variances: Tensor) -> None:
    """State what the draws have left uncertain in maps [N, K, …], where the draws were enough to tell.

    Args:
        variances: of each value of the maps, over draws.
    """
    error = relative_error(maps, variances)
    if not bool(error.isnan().any()):
        tape.note(standard_error=error)


def relative_error(maps: Tensor, variances: Tensor) -> Tensor:
    """[N, K]: what the draws have left uncertain in maps [N, K, …], as a share of what is seen in them.

    The root mean square of a map's standard errors, divided by the standard deviation of its values; 0 where neither
    is above 0. The correlation with the map that endless draws would give is about sqrt(1 - error^2).

    Args:
        variances: of each value of the maps, over draws.
    """
    error = variances.flatten(2).mean(dim=2).sqrt()
    spread = maps.flatten(2).std(dim=2, correction=0)
    return torch.where(error == 0, error, error / spread)
