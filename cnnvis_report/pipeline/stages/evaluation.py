"""Metrics of one image's maps."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from cnnvis_report.data.batches import DecodedImage
from cnnvis_report.engine.noise import noise_generator
from cnnvis_report.engine.outputs.readers import Anchor
from cnnvis_report.engine.subject import Subject
from cnnvis_report.evaluation.measure import measure
from cnnvis_report.evaluation.metric import MapsOfImage, Mask, Metric, Scorer, metrics
from cnnvis_report.evaluation.similarity import agreement
from cnnvis_report.isolation.context import grad_mode
from cnnvis_report.methods.random import random_map
from cnnvis_report.pipeline.explaining.results import Result
from cnnvis_report.pipeline.planning.metrics_budget import MetricsBudget
from cnnvis_report.records.methods import Array, MethodInfo
from cnnvis_report.records.metrics import ImageMetrics, MapMetrics

OTHER_SEEDS = 7_368_787  # apart from each other, and from those of the method `random`; a generator reads 32 bits


@dataclass(frozen=True)
class MapMetricsStage:
    """Measures the maps of one image after the other.

    images: ids of those that are measured. methods: by name. capacity: how many images the network takes at a time.
    in_bfloat16: names of the metrics whose passes are made in bfloat16.
    """

    subject: Subject
    budget: MetricsBudget
    images: frozenset[str]
    methods: dict[str, MethodInfo]
    capacity: int
    seed: int
    in_bfloat16: frozenset[str] = frozenset()

    def applies_to(self, image: DecodedImage) -> bool:
        """Whether anything of an image's maps is measured: localization is on all images with a mask, for no pass."""
        return image.item.id in self.images or image.mask is not None

    def measure(self, result: Result, image: DecodedImage) -> Result:
        """The result with the metrics of its maps.

        Those of the first class that is explained; localization is measured for the class of the label.
        """
        record = result.image
        if image.item.id in self.images and record.targets:
            record = replace(record, metrics=self._metrics(result, image, record.targets[0].index, masked=False))
        target = self._masked_class(result, image)
        if target is not None:
            record = replace(record, localization=self._metrics(result, image, target, masked=True))
        return replace(result, image=record)

    def _masked_class(self, result: Result, image: DecodedImage) -> int | None:
        """The class of the object that the mask shows; None where there is none."""
        if image.mask is None or not image.mask.any() or not result.image.targets:
            return None
        label = image.item.label
        # a mask is of what the image shows, whatever value a regression gives it
        if label is None or not self.subject.meaning.kind.has_classes:
            return result.image.targets[0].index
        return label.index

    def _metrics(self, result: Result, image: DecodedImage, target: int, *, masked: bool) -> ImageMetrics | None:
        """What the maps of a class score, on metrics that need a mask or on those that don't; None without a map."""
        records = [record for record in result.image.maps if record.target == target]
        if not records:
            return None
        maps = [self._shown(record.method, result.arrays[record.key]) for record in records]
        sample = self.sample(maps, image.picture.values, target, image.mask)
        entries = [
            self.reduced(entry) if self.in_bfloat16.intersection(info.name for info in entry.infos) else entry
            for entry in metrics(self.budget.effort)
            if entry.needs_mask is masked
        ]
        measured = measure(sample, len(sample.maps) - len(maps), entries=entries)
        return ImageMetrics(
            maps=tuple(
                MapMetrics(record.method, record.layer, record.target, scores.values, scores.curves)
                for record, scores in zip(records, measured.maps, strict=True)
            ),
            agreement=() if masked else _rows(agreement(maps)),
            random=measured.random,
            ranges=measured.ranges,
            blind=measured.blind,
        )

    def reduced(self, entry: Metric) -> Metric:
        """A metric whose passes are made in bfloat16."""

        def in_bfloat16(logits: Scorer, images: Tensor) -> Tensor:
            with self.subject.reduced():
                return logits(images)

        return replace(
            entry, function=lambda sample: entry.function(replace(sample, logits=partial(in_bfloat16, sample.logits)))
        )

    def _random_maps(self, inputs: Tensor, target: int) -> list[Array]:
        """Maps like those of the method `random`, drawn from other seeds than its own, each followed by its mirror.

        What one of a pair gains by chance the other one loses, so that fewer maps tell as well what chance gives.
        """
        pairs = range(1, self.budget.random_maps // 2 + 1)
        seeds = (self.seed * 1009 + target + OTHER_SEEDS * draw for draw in pairs)
        drawn = (np.asarray(random_map(inputs, seed).numpy(), dtype=np.float32) for seed in seeds)
        return [values for one in drawn for values in (one, 1 - one)]

    def _shown(self, method: str, values: np.ndarray) -> Array:
        return self.methods[method].shown(np.asarray(values, dtype=np.float32))

    def sample(self, maps: Sequence[Array], inputs: Tensor, target: int, mask: Mask | None = None) -> MapsOfImage:
        """Maps of one image [C, H, W] and random ones, as metrics get them."""
        moved = inputs.to(self.subject.device)
        return MapsOfImage(
            maps=[*maps, *self._random_maps(inputs.cpu(), target)],
            image=moved,
            target=target,
            logits=partial(self._logits, anchor=self.subject.anchor(moved[None])),
            meaning=self.subject.meaning,
            black=self.subject.preprocessing.black(moved[None]),
            mask=mask,
            generator=lambda: noise_generator(moved, self.seed),
            effort=self.budget.effort,
            capacity=1 if self.subject.one_by_one else self.capacity,
            seed=self.seed,
        )

    def _logits(self, images: Tensor, anchor: Anchor | None) -> Tensor:
        """[M, classes] of perturbed versions of one image, read by the image as it is."""
        rows = torch.zeros(len(images), dtype=torch.long)
        with grad_mode(), torch.no_grad():
            return self.subject.forward(images, anchor=None if anchor is None else anchor.rows(rows))


def pass_metrics(budget: MetricsBudget) -> list[Metric]:
    """The metrics of a budget that take forward passes."""
    return [entry for entry in metrics(budget.effort) if entry.passes is not None]


def _rows(matrix: np.ndarray) -> tuple[tuple[float | None, ...], ...]:
    """Rows that JSON can carry."""
    return tuple(tuple(None if np.isnan(value) else round(float(value), 4) for value in row) for row in matrix)
