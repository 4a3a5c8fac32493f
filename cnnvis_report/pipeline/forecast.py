"""What a run still needs, told by what its first images took: everything counts there, passes or not."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from cnnvis_report.engine.passes import BACKWARD, FORWARD, PassTimes
from cnnvis_report.pipeline.plan import Plan
from cnnvis_report.pipeline.results import Result
from cnnvis_report.pipeline.setup import Study
from cnnvis_report.pipeline.stages.evaluation import cheap
from cnnvis_report.pipeline.stages.inspection_budget import FILMED
from cnnvis_report.pipeline.stages.layer_pass import chosen_layers

AGAIN = 1.5  # times what was said last, or a part of it: then it is said again


@dataclass(frozen=True)
class Forecast:
    """Seconds that the run still needs for maps and what follows them, pages aside, and for one image's maps."""

    left: float
    an_image: float


@dataclass
class Spent:
    """What the images that are done took, in seconds.

    whole: all of it. measuring: of that, for `measured` images. once: of that, what no other image pays again.
    by_method: an image, as the latest batch had it, `latest` of what no other pays among it. firsts: classes that the
    network has seen first.
    """

    images: int = 0
    measured: int = 0
    whole: float = 0.0
    measuring: float = 0.0
    once: float = 0.0
    by_method: Mapping[str, float] = field(default_factory=dict)
    latest: float = 0.0
    firsts: set[int] = field(default_factory=set)

    @property
    def an_image(self) -> float:
        """Seconds for the maps of one."""
        return max(self.whole - self.measuring - self.once, 0.0) / self.images

    def of(self, names: Collection[str]) -> float:
        """Seconds that some methods take for an image."""
        return sum(seconds for name, seconds in self.by_method.items() if name in names)


class Foresight:
    """Watches the batches of a run, and says what is still to come when that is news.

    Args:
        done: ids of images that an earlier start has left.
    """

    def __init__(self, study: Study, plan: Plan, done: Collection[str]) -> None:
        self._study, self._plan = study, plan
        self._places = {item.id: place for place, item in enumerate(study.images)}
        self._waiting = [id for id in self._places if id not in done]
        self._spent = Spent()
        self._start = self._mark = time.perf_counter()
        self._looked = 0.0
        self._said: float | None = None

    def after(self, results: Sequence[Result], last: str, measuring: float, times: PassTimes) -> Forecast | None:
        """What is left after a batch; None where nothing new is known.

        Args:
            results: of the batch, none where an earlier start has left them. last: the id of its last image.
            measuring: seconds so far. times: of the passes so far.
        """
        now = time.perf_counter()
        looked = self._study.witness.seconds if self._study.witness is not None else 0.0
        whole, self._mark, self._looked = now - self._mark - (looked - self._looked), now, looked
        self._waiting = [id for id in self._waiting if self._places[id] > self._places[last]]
        if not results:
            return None
        spent, reference = self._spent, self._study.reference
        once = reference.loading + reference.fitting
        spent.images += len(results)
        spent.measured += sum(result.image.metrics is not None for result in results)
        spent.whole, spent.measuring = spent.whole + whole, measuring
        spent.latest, spent.once = (once - spent.once) / len(results), once
        spent.by_method = results[0].seconds
        spent.firsts |= {result.image.top[0].index for result in results}
        found = Forecast(self._left(times), spent.an_image)
        total = now - self._start + found.left
        if self._said is not None and total / AGAIN < self._said < total * AGAIN:
            return None
        self._said = total
        return found

    def _left(self, times: PassTimes) -> float:
        spent = self._spent
        measuring = len(self._plan.measured.intersection(self._waiting)) * spent.measuring / max(spent.measured, 1)
        later = self._forgetting() + self._inside(times) + self._films()
        return len(self._waiting) * spent.an_image + measuring + later

    def _forgetting(self) -> float:
        """Cascading randomization: cheap methods for one class, on some images at each stage, patterns fitted anew."""
        plan, budget = self._plan, self._study.budget
        if budget is None:
            return 0.0
        names = {task.name for task in cheap(plan.dry_run, plan.classes, budget)}
        rounds = (budget.stages + 1) * min(budget.randomized, len(plan.measured))
        an_image = max(self._spent.of(names) - self._spent.latest, 0.0) / plan.classes
        return rounds * an_image + budget.stages * self._study.reference.fitting

    def _inside(self, times: PassTimes) -> float:
        """Views of the inside: passes of the same kinds as the run's, at the pace that these had."""
        study, planned = self._study, self._plan.time
        if study.look is None:
            return 0.0
        named = len(study.preferences.goals) + len(study.units)
        repeats = len(self._spent.firsts) < self._spent.images  # else others of the set will be seen as others
        classes = named or (len(self._spent.firsts) if repeats else self._plan.images)
        layers = len(chosen_layers(study.subject))
        forward, backward = study.look.passes(self._plan.images, min(classes, len(study.subject.classes)), layers)
        found = times.mean(FORWARD), times.mean(BACKWARD)
        return forward * (found[0] or planned.forward) + backward * (found[1] or planned.backward)

    def _films(self) -> float:
        """Some images over the epochs of the training, by quick methods for one class."""
        study, plan = self._study, self._plan
        if study.training is None:
            return 0.0
        quick = {task.name for task in plan.dry_run.tasks if task.method.info.preset == "quick"}
        an_image = self._spent.of(quick) / plan.classes
        return len(study.training.record.snapshots) * min(FILMED, plan.images) * an_image
