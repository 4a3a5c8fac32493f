"""Seconds that a run still needs, from what its first images took: everything counts there, passes or not."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from cnnvis_report.data.image_set import ImageSet
from cnnvis_report.engine.passes import PassTimes
from cnnvis_report.engine.reference import Reference
from cnnvis_report.pipeline.explaining.results import Result
from cnnvis_report.pipeline.repeatability.pass_monitor import PassMonitor

AGAIN = 1.5  # times the total that was forecast last, or a part of it: then it is forecast again


@dataclass(frozen=True)
class Forecast:
    """Seconds that the run still needs for maps and what follows them, pages aside, and for one image's maps."""

    left: float
    an_image: float


@dataclass
class Spent:
    """What the images that are done took, in seconds.

    whole: all of it. metrics: of that, for `measured` images. once: of that, what no other image pays again.
    by_method: of an image, as the latest batch had it, `latest` of what no other pays among it.
    predicted: classes that were predicted. passes: of the maps so far. fitting: of methods to the reference images.
    """

    images: int = 0
    measured: int = 0
    whole: float = 0.0
    metrics: float = 0.0
    once: float = 0.0
    by_method: Mapping[str, float] = field(default_factory=dict)
    latest: float = 0.0
    predicted: set[int] = field(default_factory=set)
    passes: PassTimes = field(default_factory=PassTimes)
    fitting: float = 0.0

    @property
    def an_image(self) -> float:
        """Seconds for the maps of one."""
        return max(self.whole - self.metrics - self.once, 0.0) / self.images

    def of(self, methods: Collection[str]) -> float:
        """Seconds that some methods take for an image."""
        return sum(seconds for name, seconds in self.by_method.items() if name in methods)


Later = Callable[[Spent], float]  # the seconds of a stage that follows


class Forecaster:
    """Forecasts after each batch what is still to come, where that is news.

    Args:
        done: ids of images that an earlier start has left. measured: of those whose maps are measured.
        later: the stages that follow.
    """

    def __init__(
        self,
        images: ImageSet,
        *,
        done: Collection[str],
        measured: Collection[str],
        reference: Reference,
        monitor: PassMonitor,
        later: Sequence[Later],
    ) -> None:
        self._order = {item.id: number for number, item in enumerate(images)}
        self._waiting = [id for id in self._order if id not in done]
        self._measured, self._reference, self._monitor, self._later = set(measured), reference, monitor, later
        self._spent = Spent()
        self._start = self._mark = time.perf_counter()
        self._monitor_seconds = 0.0
        self._total: float | None = None  # as it was forecast last

    def after(self, results: Sequence[Result], last: str, metrics: float, passes: PassTimes) -> Forecast | None:
        """What is left after a batch; None where nothing new is known.

        Args:
            results: of the batch, none where an earlier start has left them. last: the id of its last image.
            metrics: seconds so far. passes: so far.
        """
        now, extra = time.perf_counter(), self._monitor.seconds
        whole = now - self._mark - (extra - self._monitor_seconds)
        self._mark, self._monitor_seconds = now, extra
        self._waiting = [id for id in self._waiting if self._order[id] > self._order[last]]
        if not results:
            return None
        spent = self._spent
        once = self._reference.loading + self._reference.fitting
        spent.images += len(results)
        spent.measured += sum(result.image.metrics is not None for result in results)
        spent.whole, spent.metrics = spent.whole + whole, metrics
        spent.latest, spent.once = (once - spent.once) / len(results), once
        spent.by_method = results[0].seconds
        spent.predicted |= {result.image.top[0].index for result in results if result.image.top}
        spent.passes, spent.fitting = passes, self._reference.fitting
        forecast = Forecast(self._left(), spent.an_image)
        total = now - self._start + forecast.left
        if self._total is not None and total / AGAIN < self._total < total * AGAIN:
            return None
        self._total = total
        return forecast

    def _left(self) -> float:
        spent = self._spent
        metrics = len(self._measured.intersection(self._waiting)) * spent.metrics / max(spent.measured, 1)
        return len(self._waiting) * spent.an_image + metrics + sum(later(spent) for later in self._later)
