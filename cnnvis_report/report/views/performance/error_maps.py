"""The pictures that the performance page shows of a misclassified image, with the maps for its prediction and label."""

from collections.abc import Mapping
from dataclasses import dataclass
from heapq import nsmallest

from cnnvis_report.records.evidence import Evidence
from cnnvis_report.records.images import ClassScore, ImageRecord, MapRecord
from cnnvis_report.records.methods import Kind
from cnnvis_report.records.run import RunRecord
from cnnvis_report.records.scores import ScoreKind
from cnnvis_report.report.pictures.palettes import limit
from cnnvis_report.report.pictures.thumbnails import Pictures, still, thumbnail
from cnnvis_report.report.views.methods.method_order import BestMethod, best_methods
from cnnvis_report.report.views.verdict import label_score
from cnnvis_report.store.run_folder import StoredRun

ERRORS = 60  # that the page lists


@dataclass(frozen=True)
class ErrorMap:
    """A map, and the class that it explains."""

    score: ClassScore
    record: MapRecord


@dataclass(frozen=True)
class ErrorMaps:
    """The maps of one method for an image with an error, as far as there are any.

    maps: "predicted" and "label": of the prediction and of the label; where several labels can be right, of the extra
    label with the highest probability and of the missed one with the lowest.
    """

    image: ImageRecord
    maps: dict[str, ErrorMap]


def best_of_classes(run: RunRecord, evidence: Evidence | None) -> BestMethod | None:
    """The best method whose maps differ from class to class; None where there is none."""
    best = best_methods(run, evidence)
    rest = [BestMethod(method.name, "", method.title) for method in run.methods if not method.baseline]
    return next((method for method in (*best, *rest) if not run.method(method.name).class_agnostic), None)


def error_maps(stored: StoredRun, evidence: Evidence | None) -> dict[str, ErrorMaps]:
    """The maps of the explained images with errors, by image: as many as the page can list, in its order."""
    best = best_of_classes(stored.record, evidence) or BestMethod("", "", "")
    errors = (image for image in stored.images() if image.correct is False)
    listed = nsmallest(ERRORS, errors, key=lambda image: (-_confidence(image), image.name))
    return {image.id: _maps_of(image, best.name, best.layer) for image in listed}


def picture_name(image: str, which: str) -> str:
    """The name of a picture of an error; `which` is "picture", "predicted" or "label"."""
    return f"error-{image}-{which}"


def error_pictures(stored: StoredRun, errors: Mapping[str, ErrorMaps]) -> Pictures:
    """The pictures and maps of errors, as `error_maps` gives them."""
    for image, maps in errors.items():
        arrays = stored.maps(maps.image)
        yield picture_name(image, "picture"), thumbnail(arrays["picture"])
        shown = {
            which: (method, method.shown(arrays[error_map.record.key]))
            for which, error_map in maps.maps.items()
            for method in (stored.record.method(error_map.record.method),)
        }
        ends = [limit(values, clipped=method.kind is Kind.PIXEL) for method, values in shown.values() if values.any()]
        for which, (method, values) in shown.items():
            yield picture_name(image, which), still(arrays["picture"], values, method, max(ends, default=None))


def _maps_of(image: ImageRecord, method: str, layer: str) -> ErrorMaps:
    maps = {
        record.target: record
        for record in reversed(image.maps)  # so that the first of several layers counts
        if record.method == method and layer in ("", record.layer)
    }
    classes = zip(("predicted", "label"), _classes(image), strict=True)
    return ErrorMaps(image, {which: ErrorMap(s, maps[s.index]) for which, s in classes if s and s.index in maps})


def _classes(image: ImageRecord) -> tuple[ClassScore | None, ClassScore | None]:
    """The class that was predicted, and the one that should have been."""
    if image.kind is not ScoreKind.SIGMOID:
        return image.top[0], label_score(image)
    extra, missed = _extra(image), _missed(image)
    return (extra[0] if extra else None), (missed[0] if missed else None)


def _confidence(image: ImageRecord) -> float:
    """What the page orders errors by: of labels, how far the worst of them is on the wrong side of 0.5."""
    if image.kind is not ScoreKind.SIGMOID:
        return image.top[0].probability or 0.0
    return max(abs((score.probability or 0.0) - 0.5) for score in (*_extra(image), *_missed(image)))


def _extra(image: ImageRecord) -> list[ClassScore]:
    """Labels that are predicted and that the image doesn't bear, highest first."""
    return sorted((s for s in image.predicted if s.index not in image.known), key=lambda score: -score.logit)


def _missed(image: ImageRecord) -> list[ClassScore]:
    """Labels that it bears and that aren't predicted, lowest first."""
    predicted = {score.index for score in image.predicted}
    return sorted((s for s in image.label_scores if s.index not in predicted), key=lambda score: score.logit)
