"""The misclassified images, grouped by label and prediction, with their maps side by side."""

from dataclasses import dataclass

from cnnvis_report.records.labels import LabelErrors
from cnnvis_report.records.predictions import Prediction
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.links import Links
from cnnvis_report.report.views.performance.error_maps import (
    ERRORS,
    ErrorMaps,
    best_of_classes,
    picture_name,
)
from cnnvis_report.report.views.report import Report

NAMED = 5  # labels of an image


@dataclass(frozen=True)
class ErrorTile:
    """A map beside the picture: the picture's address, that of the page on which it is large, and what it explains."""

    picture: str
    page: str
    caption: str
    alt: str


@dataclass(frozen=True)
class ErrorRow:
    """A misclassified image.

    address, picture: empty where it has no page. errors: in words. tiles: the map for the prediction, and the map for
    the label; None in the place of one that there isn't.
    """

    name: str
    address: str
    picture: str
    errors: list[str]
    tiles: tuple[ErrorTile | None, ErrorTile | None] = (None, None)


@dataclass(frozen=True)
class ErrorGroup:
    """Images with one label and one prediction, most confident first; title is empty where several labels can be right.

    count: how many there are, listed or not. address: of the gallery with these images; empty where it has none.
    """

    title: str
    count: int
    address: str
    rows: list[ErrorRow]


@dataclass(frozen=True)
class Errors:
    """What is misclassified.

    groups: those with the most confident errors first. method: the title of the one whose maps are shown; empty where
    no listed image has one. more: how many errors aren't listed. unexplained: whether some of those listed have no
    page. multilabel: whether an image can have several labels.
    """

    groups: list[ErrorGroup]
    method: str
    more: int
    unexplained: bool
    multilabel: bool

    @property
    def incomplete(self) -> bool:
        """Whether an image that has a page lacks one of its two maps."""
        rows = [row for group in self.groups for row in group.rows if row.address]
        return bool(self.method) and not self.multilabel and any(None in row.tiles for row in rows)


def errors_of(report: Report, links: Links) -> Errors | None:
    """Gather what is misclassified; None where nothing can be judged."""
    predictions, of_labels = report.summary.predictions, report.summary.label_predictions
    source = _Source(report, links, report.error_maps)
    if predictions is not None:
        groups = source.groups(predictions.misclassified[:ERRORS], predictions.confusion)
        total = predictions.images - predictions.correct
    elif of_labels is not None:
        rows = [source.label_row(error) for error in of_labels.misclassified[:ERRORS]]
        groups, total = ([ErrorGroup("", len(rows), "", rows)] if rows else []), of_labels.images - of_labels.exact
    else:
        return None
    listed = [row for group in groups for row in group.rows]
    best = best_of_classes(report.run, report.evidence)
    shown = any(tile for row in listed for tile in row.tiles)
    return Errors(
        groups=groups,
        method=best.title if best and shown else "",
        more=total - len(listed),
        unexplained=any(not row.address for row in listed),
        multilabel=predictions is None,
    )


@dataclass(frozen=True)
class _Source:
    report: Report
    links: Links
    maps: dict[str, ErrorMaps]

    def groups(
        self, misclassified: tuple[Prediction, ...], confusion: tuple[tuple[str, str, int], ...]
    ) -> list[ErrorGroup]:
        """The errors by label and prediction, in the order of the most confident of each."""
        counts = {(label, predicted): count for label, predicted, count in confusion}
        pairs: dict[tuple[str, str], list[Prediction]] = {}
        for error in misclassified:
            pairs.setdefault((error.label, error.predicted), []).append(error)
        return [
            ErrorGroup(
                f"{label} predicted as {predicted}",
                counts.get((label, predicted), len(errors)),
                self.links.gallery(label=label, predicted=predicted) if any(e.image for e in errors) else "",
                [self.row(error) for error in errors],
            )
            for (label, predicted), errors in pairs.items()
        ]

    def row(self, error: Prediction) -> ErrorRow:
        """An image with one label."""
        ranked = f", ranked {error.rank}" if error.rank else ""
        label = "" if error.label_probability is None else f" ({fmt.percent(error.label_probability)}{ranked})"
        predicted = f"✗ predicted: {error.predicted} ({fmt.percent(error.probability)})"
        return self._row(error.image, error.name, [f"label: {error.label}{label}", predicted])

    def label_row(self, error: LabelErrors) -> ErrorRow:
        """An image that can have several labels."""
        missed = sorted(error.missed, key=lambda entry: entry[1])
        extra = sorted(error.extra, key=lambda entry: -entry[1])
        errors = [f"✗ {word}: {_few(scores)}" for word, scores in (("missed", missed), ("extra", extra)) if scores]
        return self._row(error.image, error.name, errors)

    def _row(self, image: str, name: str, errors: list[str]) -> ErrorRow:
        if image not in self.report.names:
            return ErrorRow(name, "", "", errors)
        tiles = self._tile(image, name, "predicted"), self._tile(image, name, "label")
        picture = self.links.picture(picture_name(image, "picture"))
        return ErrorRow(name, self.links.image(image), picture, errors, tiles)

    def _tile(self, image: str, name: str, which: str) -> ErrorTile | None:
        error_map = self.maps[image].maps.get(which) if image in self.maps else None
        if error_map is None:
            return None
        method, caption = self.report.run.method(error_map.record.method), fmt.named_score(error_map.score)
        picture = self.links.picture(picture_name(image, which))
        page = self.links.image(image, **{"class": str(error_map.score.index)})
        return ErrorTile(picture, page, f"for {caption}", f"{method.title} of {name} for {error_map.score.name}")


def _few(scores: list[tuple[str, float]]) -> str:
    return fmt.first_of([f"{name} ({fmt.percent(share)})" for name, share in scores], NAMED)
