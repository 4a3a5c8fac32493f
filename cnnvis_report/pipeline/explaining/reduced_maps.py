"""Maps as a run folder keeps them by default: what pages show of them, in half precision."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt

from cnnvis_report.pipeline.explaining.results import Result
from cnnvis_report.pipeline.setup import Setup
from cnnvis_report.records.bands import ShownBands
from cnnvis_report.records.images import ImageRecord, MapRecord
from cnnvis_report.records.methods import MethodInfo
from cnnvis_report.records.run import Keep
from cnnvis_report.store.array_files.half import COLOR, SCALE, halved
from cnnvis_report.store.array_files.reduced import color_pixels, first_of_bands
from cnnvis_report.store.array_files.shards import SHARDED_ABOVE, ArrayLayout

LEAST_WORK = 4  # images that a worker is given at a time


@dataclass(frozen=True)
class MapReducer:
    """Reduces the maps of an image to one float16 number a position, once everything is measured of them.

    The color pictures of methods that have them become 8-bit pixels. Where pages show single bands, the maps that they
    show them of keep their channels.

    methods: by name. bands: that pages show of a picture that is neither gray nor color.
    """

    methods: Mapping[str, MethodInfo]
    bands: ShownBands | None

    def reduce(self, result: Result) -> Result:
        """The result with the arrays that are kept of it, and the records that say so."""
        image = result.image
        maps = {record.key: record for record in image.maps}
        arrays = {key: values for key, values in result.arrays.items() if key not in maps}
        whole = self._with_channels(image)
        records = []
        for record in image.maps:
            values = np.asarray(result.arrays[record.key], dtype=np.float32)
            reduced, extra = self._reduced(record, values, channels=record.key in whole)
            records.append(reduced)
            arrays |= extra
        return replace(result, image=replace(image, maps=tuple(records)), arrays=arrays)

    def _with_channels(self, image: ImageRecord) -> set[str]:
        """Keys of the maps of which pages show every channel."""
        if self.bands is None:
            return set()
        return {record.key for _, record in first_of_bands(self.methods.values(), image)}

    def _reduced(
        self, record: MapRecord, values: npt.NDArray[np.float32], *, channels: bool
    ) -> tuple[MapRecord, dict[str, npt.NDArray[Any]]]:
        """The record of a reduced map, and its arrays."""
        method, key = self.methods[record.method], record.key
        half, scale = halved(values if channels else method.shown(values))
        arrays: dict[str, npt.NDArray[Any]] = {key: half, f"{key}/{SCALE}": np.asarray([scale])}
        colors = method.color and values.ndim == 3
        if colors:
            shown = values if self.bands is None else values[[number - 1 for number in self.bands.numbers]]
            arrays[f"{key}/{COLOR}"] = color_pixels(shown)
        return replace(record, shape=half.shape, scale=scale, colors=colors), arrays


def map_reducer(setup: Setup) -> MapReducer | None:
    """What reduces the maps of a run; None where all of their channels are kept."""
    if setup.config.storage.keep == Keep.FULL:
        return None
    methods = {task.name: task.method.info for task in setup.maps.tasks}
    return MapReducer(methods, setup.network.subject.preprocessing.bands)


def array_layout(setup: Setup, batch: int) -> ArrayLayout:
    """How the arrays of a run stand in files; where none are kept, until the pages are written.

    Workers of an engine write shards, of few images where there are few; how many workers there are has no say.
    """
    storage, size = setup.config.storage, setup.config.storage.shard_size
    keep = Keep.FULL if storage.keep == Keep.FULL else Keep.REDUCED
    if setup.config.machine.engine != "local" and not size:
        size = ceil(LEAST_WORK / batch) * batch if len(setup.images) <= SHARDED_ABOVE else None
    return ArrayLayout.of(len(setup.images), keep, size)
