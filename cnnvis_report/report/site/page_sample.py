"""Which images of a large run get a page and a place in the gallery: in one pass, with memory for these alone."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import chain, zip_longest
from typing import Any

from cnnvis_report.records.images import ImageRecord
from cnnvis_report.report.site.pages import shown_pages
from cnnvis_report.report.views.links import SiteLinks
from cnnvis_report.report.views.overview.gallery_measures import image_measures
from cnnvis_report.report.views.overview.headline_figure import headline_figure
from cnnvis_report.report.views.report import Report

ERRORS, EXTREMES, CLASSES = 0.5, 0.25, 0.25  # shares of the pages; what some leave is spread over all images


def choose_pages(report: Report, most: int) -> None:
    """Choose the images that get a page: all, where they aren't too many; the same for the same run.

    What other pages lead to comes first, and alone may exceed `most`; then errors, the most confident ones; then what
    is lowest and highest of what the gallery sorts by; then images of each class; the rest are drawn from all.
    """
    if report.summary.images <= most:
        return
    sample = _Sample(most)
    measures = image_measures(report)
    for number, image in enumerate(report.images()):
        sample.add(number, image, measures.of(image))
    report.choose_pages(frozenset(sample.chosen(linked_images(report))))


def linked_images(report: Report) -> set[str]:
    """The images that pages other than the gallery lead to."""
    links = _RecordingLinks()
    headline_figure(report, links)
    for page in shown_pages(report):
        if page.name != "index":
            page.view(report, links)
    return links.linked & report.names.keys()


@dataclass(frozen=True)
class _RecordingLinks(SiteLinks):
    """Links that remember which images they lead to."""

    linked: set[str] = field(default_factory=set)

    def image(self, id: str, **state: str) -> str:
        self.linked.add(id)
        return super().image(id, **state)

    def tile(self, id: str, method: str) -> str:
        self.linked.add(id)
        return super().tile(id, method)


class _Smallest:
    """The items with the smallest keys, so many at most."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._heap: list[tuple[float, int, str]] = []  # the largest key first, as the heap is of negatives

    def add(self, key: float, number: int, id: str) -> None:
        """Take an item in, or leave it out; of equal keys the first one stays."""
        entry = (-key, -number, id)
        if len(self._heap) < self._most:
            heapq.heappush(self._heap, entry)
        elif self._most:
            heapq.heappushpop(self._heap, entry)

    def ids(self) -> list[str]:
        """The ids in the order of their keys."""
        return [id for _, _, id in sorted(self._heap, reverse=True)]


class _Sample:
    """Takes one image after the other."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._errors, self._all = _Smallest(most), _Smallest(most)
        self._extremes: dict[tuple[str, int], _Smallest] = {}
        self._classes: dict[str, _Smallest] = {}

    def add(self, number: int, image: ImageRecord, measures: dict[str, float]) -> None:
        """Take an image in, as far as it stands out."""
        drawn = float(int.from_bytes(sha256(image.id.encode()).digest()[:6], "big"))
        self._all.add(drawn, number, image.id)
        if image.correct is False:
            self._errors.add(-image.first_score, number, image.id)
        for name, value in ({"": image.first_score} | measures).items():
            for sign in (1, -1):
                self._queue(self._extremes, (name, sign)).add(sign * value, number, image.id)
        labels = [label.name for label in image.named] or [score.name for score in image.top[:1]]
        for label in labels:
            self._queue(self._classes, label).add(drawn, number, image.id)

    def chosen(self, linked: set[str]) -> set[str]:
        """The ids of those that get a page, those that other pages lead to among them."""
        ids = set(linked)
        queues = (
            (iter(self._errors.ids()), ERRORS),
            (_by_turns(self._extremes), EXTREMES),
            (_by_turns(self._classes), CLASSES),
        )
        left, end = max(0, self._most - len(ids)), float(len(ids))
        for queue, share in queues:
            end += share * left
            for id in queue:
                if len(ids) >= int(end):
                    break
                ids.add(id)
        for id in self._all.ids():
            if len(ids) >= self._most:
                break
            ids.add(id)
        return ids

    def _queue(self, queues: dict[Any, _Smallest], name: Any) -> _Smallest:
        """The queue of a name, shorter the more there are: all of them together take no more than a few samples."""
        if name not in queues:
            queues[name] = _Smallest(max(1, self._most // max(4, len(queues))))
        return queues[name]


def _by_turns(queues: dict[Any, _Smallest]) -> Iterator[str]:
    """The first of each queue, then the second of each, and so on."""
    rows = zip_longest(*(queues[name].ids() for name in sorted(queues)))
    return (id for id in chain.from_iterable(rows) if id is not None)
