"""What the layers hold of single images: feature maps, summaries, projections, class maps, inversions."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from cnnvis_report.data.batches import DecodedImage
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import NotApplicable
from cnnvis_report.inspection.feature_maps import class_maps, keep_maps, layer_summary
from cnnvis_report.inspection.inversion import invert
from cnnvis_report.inspection.projections import Unit, strongest_channels
from cnnvis_report.pipeline.setup import Study
from cnnvis_report.pipeline.stages.inspection_budget import LookBudget
from cnnvis_report.pipeline.stages.layer_pass import chosen_layers, kept, stages
from cnnvis_report.pipeline.stages.unit_crops import UnitPictures, as_bytes
from cnnvis_report.pipeline.stages.view_gaps import all_of
from cnnvis_report.progress import Progress
from cnnvis_report.records.inspection import ClassMapRecord, ImageInspection, InvertedRecord, UnitRecord
from cnnvis_report.store.writer import RunWriter

Bytes = npt.NDArray[np.uint8]
Arrays = dict[str, npt.NDArray[np.generic]]


class ImagesInside:
    """Looks at images one by one, and writes what it finds.

    Args:
        gaps: what isn't there is added to it, with the reason.
    """

    def __init__(
        self,
        study: Study,
        budget: LookBudget,
        writer: RunWriter,
        pictures: UnitPictures,
        gaps: list[tuple[str, str]],
    ) -> None:
        self._study, self._budget, self._writer, self._gaps = study, budget, writer, gaps
        self._pictures = pictures
        self._layers = [layer.name for layer in stages(study.subject)]
        shapes = [layer.shape for layer in stages(study.subject)]
        self._kept, self._side = kept(shapes, min(budget.images, len(study.images)), budget)
        self._count = 0

    def of(self, ready: DecodedImage, progress: Progress) -> ImageInspection:
        """One image's feature maps and the rest."""
        progress.step(f"inside: {ready.item.name}")
        study = self._study
        image = ready.picture.values[None].to(study.device)
        tape = Tape(study.subject, image, layers=self._layers, seed=study.seed)
        if study.witness is not None:
            study.witness.saw_again([ready.item.id], tape.logits)
        target = int(tape.logits[0].argmax())
        arrays: Arrays = {}
        layers = all_of("feature maps", lambda: self._maps(tape, target, arrays), self._gaps)
        gaps = self._gaps
        units = all_of("units", lambda: self._units(tape, ready, arrays), gaps) if self._pictures.ways else ()
        classes = all_of("class score maps", lambda: self._classes(tape, arrays), gaps)
        inverts = self._count < self._budget.inverted
        inverted = all_of("inversions", lambda: self._inverted(image[0], arrays), gaps) if inverts else ()
        side = self._side if self._count < self._kept else 0
        self._count += 1
        self._writer.add_inspection(ready.item.id, arrays)
        name = study.subject.classes[target]
        return ImageInspection(ready.item.id, layers, side, name, units, classes, inverted)

    def _maps(self, tape: Tape, target: int, arrays: Arrays) -> Iterator[str]:
        """Eight bits of all channels of all stages, and each stage as one picture."""
        gradients = tape.gradients(torch.tensor([target]))
        for name in self._layers:
            values = tape.layer(name)[0]
            try:
                gradient: Tensor | None = gradients.layer(name)[0]
            except NotApplicable:  # a branch that the scores don't depend on
                gradient = None
            if self._count < self._kept:
                maps = keep_maps(values, gradient, self._side)
                arrays[f"maps/{name}"] = maps.steps
                arrays[f"channels/{name}"] = np.stack([maps.lowest, maps.highest, maps.mean, maps.relevance])
            arrays[f"summary/{name}"] = layer_summary(values).float().cpu().numpy().astype(np.float16)
            yield name

    def _units(self, tape: Tape, ready: DecodedImage, arrays: Arrays) -> Iterator[tuple[str, tuple[UnitRecord, ...]]]:
        """The strongest channels of three layers, projected; where units were asked for in a layer, these."""
        asked = self._study.units
        for layer in dict.fromkeys([*(unit.layer for unit in asked), *chosen_layers(self._study.subject)]):
            channels = strongest_channels(tape.layer(layer)[0], self._budget.units).tolist()
            wanted = [unit for unit in asked if unit.layer == layer] or [Unit(layer, channel) for channel in channels]
            units, pictures = self._pictures.of([ready] * len(wanted), wanted, self._pictures.ways)
            arrays |= {f"units/{layer}/{name}": value for name, value in pictures.items()}
            yield layer, units

    def _classes(self, tape: Tape, arrays: Arrays) -> Iterator[ClassMapRecord]:
        """The maps of the first classes, where the network ends in global average pooling."""
        subject = self._study.subject
        try:
            maps = class_maps(tape)[0]
        except NotApplicable as error:
            self._gaps.append(("class score maps", str(error)))
            return
        logits = tape.logits
        shares = subject.probabilities(logits)[0]
        for index in subject.meaning.first(logits[0], self._budget.classes):
            arrays[f"classes/{index}"] = maps[index].float().cpu().numpy()
            share = round(float(shares[index]), 6) if subject.meaning.kind.judged else None
            yield ClassMapRecord(index, subject.classes[index], round(float(logits[0, index]), 5), share)

    def _inverted(self, image: Tensor, arrays: Arrays) -> Iterator[InvertedRecord]:
        layers = chosen_layers(self._study.subject)
        for each in invert(self._study.subject, image, layers, seed=self._study.seed):
            arrays[f"inverted/{each.layer}"] = as_bytes(each.image)
            yield InvertedRecord(each.layer, round(each.error, 5))
