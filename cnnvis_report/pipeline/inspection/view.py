"""What the parts of one inspection share."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from cnnvis_report.data.image_set import ImageSet
from cnnvis_report.engine.subject import Subject
from cnnvis_report.pipeline.inspection.budget import InspectionPlan
from cnnvis_report.pipeline.inspection.set_pass import SetPass
from cnnvis_report.pipeline.inspection.unit_pictures import UnitPictures
from cnnvis_report.pipeline.not_applicable import Reasons, all_of
from cnnvis_report.pipeline.repeatability.pass_monitor import PassMonitor
from cnnvis_report.progress import Progress

Arrays = dict[str, npt.NDArray[np.generic]]
T = TypeVar("T")


@dataclass(frozen=True)
class InspectionView:
    """The network, the images that it has taken, and what is known of both.

    set_pass: what the pass over all images has brought. arrays: of the network itself, and reasons: why something isn't
    there; the parts add to both.
    """

    subject: Subject
    images: ImageSet
    plan: InspectionPlan
    seed: int
    pictures: UnitPictures
    set_pass: SetPass
    monitor: PassMonitor
    progress: Progress
    arrays: Arrays
    reasons: Reasons

    def all(self, what: str, make: Callable[[], Iterable[T]]) -> tuple[T, ...]:
        """All views of a kind, or as many as could be made, with the reason."""
        return all_of(what, make, self.reasons)
