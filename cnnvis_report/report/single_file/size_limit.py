"""A single file within a size: fewer steps of its maps, then half their size, then fewer methods; what that costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, islice
from typing import Protocol

import numpy as np

from cnnvis_report.errors import BadRequest
from cnnvis_report.evidence import words
from cnnvis_report.progress import Progress
from cnnvis_report.records.methods import Kind
from cnnvis_report.report.pictures.encode import EXACT_PIXELS_UP_TO, EXACT_UP_TO, QUALITIES, Quality, as_shown
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.store.run_folder import StoredRun

ROOM = 1.1  # of the size that is allowed: what an estimate from a few images may be off
LIMIT = 25_000_000  # bytes: what may be attached to a pull request
Weights = Mapping[str, int]  # bytes of a page that the maps of each method take
IMAGES = 4  # whose maps are compared


@dataclass(frozen=True)
class MapError:
    """Differences between the values of maps and what a page draws, as shares of each map's largest value.

    mean: over all positions of all maps. largest: at any position.
    """

    mean: float
    largest: float


@dataclass(frozen=True)
class SizeNotices:
    """What a page has to say of how it was made small: before its other notices, and behind them."""

    before: tuple[str, ...] = ()
    behind: tuple[str, ...] = ()

    def around(self, notices: Sequence[str]) -> tuple[str, ...]:
        """All of them."""
        return (*self.before, *notices, *self.behind)


class OncePerImage(Progress):
    """Passes on that an image is done once, however often the page is written again to make it smaller."""

    def __init__(self, progress: Progress) -> None:
        self.progress, self.names = progress, set[str]()

    def done(self, item: str, *, in_steps: bool = False) -> None:
        """Count an image in, or say that it is on the page once more."""
        if item in self.names:
            self.progress.step(f"{item}, again to keep the file small")
            return
        self.names.add(item)
        self.progress.done(item, in_steps=in_steps)


class LimitedPage(Protocol):
    """A page whose maps can be coarser, and of fewer methods."""

    def write(self, quality: Quality, notices: SizeNotices) -> tuple[int, Weights]:
        """Write the page; its size in bytes, and how many of them the maps of each method take."""
        ...

    def sampled_bytes(self, quality: Quality) -> int:
        """What the maps of the first images take on a page."""
        ...

    def error(self, quality: Quality) -> MapError | None:
        """What a quality costs the maps that aren't kept exactly; None where there are none."""
        ...

    @property
    def methods(self) -> Mapping[str, str]:
        """The titles of the methods by their names, the most useful first."""
        ...


def fit(page: LimitedPage, most: int | None) -> Quality:
    """Write a page as well as its size allows; the best quality that fits.

    Args:
        most: bytes that the page may have; without it 25 MB, and the smallest page with all methods may have more.

    Raises:
        BadRequest: it can't be made so small.
    """
    first, *coarser = QUALITIES
    limit = LIMIT if most is None else most
    size, weights = page.write(first, SizeNotices())
    if size <= limit:
        return first
    maps = sum(weights.values())
    before, largest = page.sampled_bytes(first), size
    for quality in coarser:
        expected = largest - maps * (1 - page.sampled_bytes(quality) / max(1, before))
        if expected > ROOM * limit and quality != coarser[-1]:
            continue  # a page of a thousand images takes minutes
        size, weights = page.write(quality, SizeNotices(behind=_stated(page, quality)))
        if size <= limit:
            return quality
    return quality if most is None else _with_fewer_methods(page, most, (size, weights))


def _with_fewer_methods(page: LimitedPage, most: int, smallest: tuple[int, Weights]) -> Quality:
    """Write the page with the maps of as many methods as fit, those that the evidence puts first.

    Args:
        smallest: the size of the page with all methods, and how many bytes of it each takes.
    """
    size, weights = smallest
    names = [name for name in page.methods if name in weights]
    if len(names) < 2:
        raise _too_small(most, size)
    sizes = list(accumulate((weights[name] for name in names), initial=size - sum(weights.values())))
    fitting = sum(total <= most for total in sizes) - 1
    for shown in range(max(1, min(fitting, len(names) - 1)), 0, -1):
        quality = replace(QUALITIES[-1], left_out=tuple(names[shown:]))
        size, _ = page.write(quality, SizeNotices((_left_out(page, quality, most),), _stated(page, quality)))
        if size <= most:
            return quality
    raise _too_small(most, size)


def _left_out(page: LimitedPage, quality: Quality, most: int) -> str:
    """That the maps of some methods are left out."""
    titles = words.listed([page.methods[name] for name in quality.left_out])
    return (
        f"This file is kept within {fmt.size(most)}: the maps of {titles} are left out. Their measures are here, and "
        "the report's folder has the maps."
    )


def _stated(page: LimitedPage, quality: Quality) -> tuple[str, ...]:
    """What averaging costs the maps, as far as the pages don't state a bound."""
    error = page.error(quality) if quality.halved else None
    if error is None:
        return ()
    return (
        "To keep this file small, maps of pixels are averaged over 2×2 pixels and kept in "
        f"{quality.steps} steps from zero to their largest value: a value differs by {fmt.percent(error.mean)} of the "
        f"map's largest on average, and by {fmt.percent(error.largest)} at most where that was measured.",
    )


def _too_small(most: int, size: int) -> BadRequest:
    return BadRequest(
        f"--max-size {fmt.size(most)}: the smallest page, with the maps of one method, has {fmt.size(size)}. Give a "
        "larger size, explain fewer images, or hand on the folder with --zip."
    )


def map_error(run: StoredRun, quality: Quality) -> MapError | None:
    """What a quality costs the maps that aren't kept exactly, of the first images; None where there are none."""
    means, largest = [], 0.0
    for image in islice(run.images(), IMAGES):
        arrays = run.maps(image)
        for record in image.maps:
            method = run.record.method(record.method)
            values = method.shown(arrays[record.key].astype(np.float32, copy=False))
            coarse = method.kind is Kind.LAYER
            end = float(np.abs(values).max())
            if values.size <= (EXACT_UP_TO if coarse else EXACT_PIXELS_UP_TO) or not end:
                continue
            difference = np.abs(as_shown(values, method.shown_sign, quality) - values) / end
            means.append(float(difference.mean()))
            largest = max(largest, float(difference.max()))
    return MapError(sum(means) / len(means), largest) if means else None
