"""A number that a rule can read."""

from dataclasses import dataclass

from cnnvis_report.evidence import words
from cnnvis_report.records.evidence import Interval


@dataclass(frozen=True)
class Value:
    """A number of a run, or of a later run beside the first.

    name: as rules have it. interval: the number with its interval, where it has one.
    key: the method, with @ and the layer where the run has it at several, or the class; empty where it is of neither.
    run: which of several later runs it is of; empty where there is one.
    """

    name: str
    interval: Interval
    key: str = ""
    run: str = ""

    @property
    def label(self) -> str:
        """Such as "pointing_game[grad_cam]"."""
        return f"{self.name}[{self.key}]" if self.key else self.name

    def describe(self, *, percent: bool = False) -> str:
        """Such as "accuracy is 0.861 [0.806, 0.902] (n = 200)" or "broken is 5"."""
        mean, ends = self.interval.mean, self.interval.low is not None
        whole = not ends and not percent and mean == int(mean)
        amount = words.number(mean, 0) if whole else words.interval(self.interval, percent=percent)
        of_run = f" in {self.run}" if self.run else ""
        return f"{self.label} is {amount}{f' (n = {self.interval.images:,})' if ends else ''}{of_run}"
