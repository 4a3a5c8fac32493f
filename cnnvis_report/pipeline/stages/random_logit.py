"""Stage: do maps change when they explain another class?"""

from collections.abc import Sequence

import torch

from cnnvis_report.engine.noise import noise_generator
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import NotApplicable
from cnnvis_report.evaluation.similarity import SIMILARITIES, map_similarities
from cnnvis_report.methods.tasks import Task
from cnnvis_report.pipeline.explaining.explain_batch import BatchSettings
from cnnvis_report.pipeline.stages.explained_again import PredictedImage, ValuesByTest, maps_of
from cnnvis_report.records.metrics import MethodTest, MetricInfo, MetricKind

NAME = "random_logit"
TESTS = tuple(
    MetricInfo(
        name=f"{NAME}_{similarity}",
        title=f"Random logit ({words})",
        description=f"{words.capitalize()} of the map with that of another class, drawn at random; 1 for a method "
        "whose map is the same for every class",
        higher_is_better=False,
        kind=MetricKind.SANITY,
        source="Sixt et al. 2020, arXiv:1912.09818",
    )
    for similarity, words in SIMILARITIES.items()
)


def random_logit_test(
    subject: Subject, images: Sequence[PredictedImage], tasks: Sequence[Task], settings: BatchSettings
) -> tuple[MethodTest, ...]:
    """Explain the predicted class of images, and another class that is drawn for each of them.

    An image is left out where a map isn't there or has a single value.

    Args:
        settings: reference and seed.

    Raises:
        NotApplicable: the network has a single class.
    """
    classes = len(subject.classes)
    if classes < 2:
        raise NotApplicable("the network has a single output, and no other class to explain")
    values = ValuesByTest()
    for image in images:
        other = other_class(image.predicted, classes, noise_generator(image.values, settings.seed))
        (maps,) = maps_of(subject, image.values[None], tasks, [image.predicted, other], settings)
        for key, (of_predicted, of_other) in maps.items():
            for similarity, value in (map_similarities(of_predicted, of_other) or {}).items():
                values.add(f"{NAME}_{similarity}", key, value)
    return values.records()


def other_class(target: int, classes: int, generator: torch.Generator) -> int:
    """One of the classes that aren't the target, all with the same probability.

    Args:
        classes: how many there are, 2 at least.

    Source: Sixt et al. 2020, arXiv:1912.09818.
    """
    drawn = int(torch.randint(classes - 1, (1,), generator=generator))
    return drawn + (drawn >= target)
