"""A single file within a size: fewer steps of its maps, then half their size, then fewer methods."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import accumulate, islice

from cnnvis_report.errors import BadRequest
from cnnvis_report.evidence import words
from cnnvis_report.report.assets import script_json
from cnnvis_report.report.fewer_maps import RunWithFewerMaps, most_useful_first
from cnnvis_report.report.map_error import IMAGES, map_error
from cnnvis_report.report.payload import image_data
from cnnvis_report.report.pictures.encode import QUALITIES, Quality
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.store.run_folder import StoredRun

ROOM = 1.1  # of the size that is allowed: what an estimate from a few images may be off
Write = Callable[[StoredRun, Quality], tuple[int, Mapping[str, int]]]


def fit(run: StoredRun, write: Write, most: int, *, strict: bool) -> Quality:
    """Write a page as well as its size allows; the best quality that fits.

    Args:
        write: writes the page; its size in bytes, and how many of them the maps of each method take.
        most: bytes that the page may have.
        strict: whether it has to keep to them; else the smallest page with all methods may have more.

    Raises:
        BadRequest: it has to, and can't.
    """
    first, *coarser = QUALITIES
    size, weights = write(run, first)
    if size <= most:
        return first
    maps = sum(weights.values())
    before, largest = _sampled_bytes(run, first), size
    for quality in coarser:
        expected = largest - maps * (1 - _sampled_bytes(run, quality) / max(1, before))
        if expected > ROOM * most and quality != coarser[-1]:
            continue  # a page of a thousand images takes minutes
        size, weights = write(_stating(run, quality), quality)
        if size <= most:
            return quality
    return _with_fewer_methods(run, write, most, (size, weights)) if strict else quality


def _sampled_bytes(run: StoredRun, quality: Quality) -> int:
    """What the maps of the first images take on a page."""
    data = (image_data(run.record, image, run.maps(image), quality) for image in islice(run.images(), IMAGES))
    return sum(len(script_json(content["maps"])) for content in data)


def _with_fewer_methods(run: StoredRun, write: Write, most: int, smallest: tuple[int, Mapping[str, int]]) -> Quality:
    """Write the page with the maps of as many methods as fit, those that the evidence puts first.

    Args:
        smallest: the size of the page with all methods, and how many bytes of it each takes.
    """
    size, weights = smallest
    names = [name for name in most_useful_first(run) if name in weights]
    if len(names) < 2:
        raise _too_small(most, size)
    sizes = list(accumulate((weights[name] for name in names), initial=size - sum(weights.values())))
    fitting = sum(total <= most for total in sizes) - 1
    for shown in range(max(1, min(fitting, len(names) - 1)), 0, -1):
        quality = replace(QUALITIES[-1], left_out=tuple(names[shown:]))
        size, _ = write(_without(run, quality, most), quality)
        if size <= most:
            return quality
    raise _too_small(most, size)


def _without(run: StoredRun, quality: Quality, most: int) -> StoredRun:
    """The run with the maps of some methods left out, and a notice that says so."""
    stating = _stating(run, quality)
    titles = words.listed([run.record.method(name).title for name in quality.left_out])
    notice = (
        f"This file is kept within {fmt.size(most)}: the maps of {titles} are left out. Their measures are here, and "
        "the report's folder has the maps."
    )
    record = replace(stating.record, notices=(notice, *stating.record.notices))
    return RunWithFewerMaps(run.folder, record, frozenset(quality.left_out))


def _stating(run: StoredRun, quality: Quality) -> StoredRun:
    """The run with a notice of what averaging costs its maps, as far as the pages don't state a bound."""
    error = map_error(run, quality) if quality.halved else None
    if error is None:
        return run
    notice = (
        "To keep this file small, maps of pixels are averaged over 2×2 pixels and kept in "
        f"{quality.steps} steps from zero to their largest value: a value differs by {fmt.percent(error.mean)} of the "
        f"map's largest on average, and by {fmt.percent(error.largest)} at most where that was measured."
    )
    return replace(run, record=replace(run.record, notices=(*run.record.notices, notice)))


def _too_small(most: int, size: int) -> BadRequest:
    return BadRequest(
        f"--max-size {fmt.size(most)}: the smallest page, with the maps of one method, has {fmt.size(size)}. Give a "
        "larger size, explain fewer images, or hand on the folder with --zip."
    )
