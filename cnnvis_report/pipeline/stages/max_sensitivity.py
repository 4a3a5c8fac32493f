"""Stage: how far do maps move when the image changes by so little that nobody would see it?"""

from collections.abc import Sequence
from dataclasses import replace

import torch

from cnnvis_report.engine.noise import noise_generator
from cnnvis_report.engine.subject import Subject
from cnnvis_report.evaluation.max_sensitivity import DRAWS, RADIUS, max_sensitivity, perturbed
from cnnvis_report.methods.tasks import Task
from cnnvis_report.pipeline.explaining.explain_batch import BatchSettings
from cnnvis_report.pipeline.stages.explained_again import PredictedImage, ValuesByTest, anchored_to, maps_of
from cnnvis_report.records.metrics import MethodTest, MetricInfo, MetricKind

MOST_PASSES = 12.0  # of a map: each of them is made DRAWS + 1 times
TESTS = (
    MetricInfo(
        name="max_sensitivity",
        title="Max-sensitivity",
        description=f"Largest change of the map, relative to its norm, when pixels change by {RADIUS:.0%} of their "
        f"range ({DRAWS} draws)",
        higher_is_better=False,
        kind=MetricKind.ROBUSTNESS,
        source="Yeh et al. 2019, arXiv:1901.09392",
    ),
)


def max_sensitivity_test(
    subject: Subject, images: Sequence[PredictedImage], tasks: Sequence[Task], settings: BatchSettings
) -> tuple[MethodTest, ...]:
    """Explain the predicted class of images and of their perturbations; an image is left out where a map isn't there.

    Args:
        tasks: of MOST_PASSES at most. settings: reference, seed, and how many images go through together.
    """
    values = ValuesByTest()
    for image in images:
        span = subject.preprocessing.normalize(torch.ones_like(image.values)[None])[0]
        span = span - subject.preprocessing.black(image.values[None])
        near = perturbed(image.values, span, noise_generator(image.values, settings.seed))
        near_settings = replace(settings, anchor=anchored_to(subject, image))
        versions = torch.cat([image.values[None], near])
        whole, *others = maps_of(subject, versions, tasks, [image.predicted], near_settings)
        for key, (shown,) in whole.items():
            if all(key in maps for maps in others):
                values.add(TESTS[0].name, key, max_sensitivity(shown, [maps[key][0] for maps in others]))
    return values.records()
