"""Stage: do maps of a network that learned from permuted labels look like those of the network itself?"""

from collections.abc import Sequence

from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import NotApplicable
from cnnvis_report.evaluation.similarity import SIMILARITIES, map_similarities
from cnnvis_report.methods.tasks import Task
from cnnvis_report.models.model import Training
from cnnvis_report.pipeline.explaining.explain_batch import BatchSettings
from cnnvis_report.pipeline.stages.explained_again import PredictedImage, ValuesByTest, in_place_of, maps_of
from cnnvis_report.records.metrics import MethodTest, MetricInfo, MetricKind

NAME = "data_randomization"
TESTS = tuple(
    MetricInfo(
        name=f"{NAME}_{similarity}",
        title=f"Data randomization ({words})",
        description=f"{words.capitalize()} of the map with that of the same network trained on permuted labels",
        higher_is_better=False,
        kind=MetricKind.SANITY,
        source="Adebayo et al. 2018, arXiv:1810.03292",
    )
    for similarity, words in SIMILARITIES.items()
)


def data_randomization_test(
    subject: Subject,
    images: Sequence[PredictedImage],
    tasks: Sequence[Task],
    settings: BatchSettings,
    training: Training | None,
) -> tuple[MethodTest, ...]:
    """Explain the predicted class of images by the network and by the one that was trained on permuted labels.

    An image is left out where a map isn't there or has a single value.

    Args:
        settings: reference and seed; what is fitted to the reference is fitted anew. training: of the network.

    Raises:
        NotApplicable: there is no network that was trained on permuted labels.
    """
    if training is None:
        raise NotApplicable("it needs the same network trained on permuted labels, which `cnnvis-report train` can add")
    if training.permuted is None:
        raise NotApplicable(
            "the model file has no network trained on permuted labels: train with --data-randomization to have one"
        )
    values = ValuesByTest()
    other = in_place_of(subject, training.permuted, images[0].values[None]) if images else subject
    reference = settings.reference.unfitted() if settings.reference else None
    anew = BatchSettings(reference=reference, seed=settings.seed)
    for image in images:
        (maps,) = maps_of(subject, image.values[None], tasks, [image.predicted], settings)
        (other_maps,) = maps_of(other, image.values[None], tasks, [image.predicted], anew)
        for key in [key for key in maps if key in other_maps]:
            for similarity, value in (map_similarities(maps[key][0], other_maps[key][0]) or {}).items():
                values.add(f"{NAME}_{similarity}", key, value)
    return values.records()
