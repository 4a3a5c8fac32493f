"""What the layers compute for single images: feature maps, summaries, projections, class maps, inversions."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from cnnvis_report.data.batches import DecodedImage
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import NotApplicable
from cnnvis_report.inspection.feature_maps import class_maps, keep_maps, layer_summary
from cnnvis_report.inspection.inversion import invert
from cnnvis_report.inspection.projections import Unit, strongest_channels
from cnnvis_report.pipeline.explaining.rejected_images import check_finite
from cnnvis_report.pipeline.inspection.set_pass import kept_maps, main_layers, shown_layers
from cnnvis_report.pipeline.inspection.unit_pictures import as_bytes
from cnnvis_report.pipeline.inspection.view import Arrays, InspectionView
from cnnvis_report.records.inspection import ClassMapRecord, ImageInspection, InvertedRecord, UnitRecord
from cnnvis_report.store.writer import RunWriter


class ImageInspector:
    """Inspects images one by one, and writes their arrays."""

    def __init__(self, view: InspectionView, writer: RunWriter) -> None:
        self._view, self._writer = view, writer
        self._subject, self._plan, self._pictures = view.subject, view.plan, view.pictures
        layers, budget = shown_layers(view.subject, view.plan.budget), view.plan.budget
        self._layers = [layer.name for layer in layers]
        shapes = [layer.shape for layer in layers]
        self._with_maps, self._side = kept_maps(shapes, min(budget.images, len(view.images)), budget)
        self._count = 0

    def inspect(self, image: DecodedImage) -> ImageInspection:
        """One image's feature maps and the rest.

        Raises:
            BadRequest: the network gives no finite scores for it. Exception: it fails on it.
        """
        subject, view = self._subject, self._view
        inputs = image.picture.values[None].to(subject.device)
        tape = Tape(subject, inputs, layers=self._layers, seed=view.seed)
        check_finite(subject, tape.logits)
        view.monitor.check_again([image.item.id], tape.logits)
        target = int(tape.logits[0].argmax())
        arrays: Arrays = {}
        layers = view.all("feature maps", lambda: self._maps(tape, target, arrays))
        units = view.all("units", lambda: self._units(tape, image, arrays)) if self._pictures.rules else ()
        classes = view.all("class score maps", lambda: self._classes(tape, arrays))
        inverts = self._count < self._plan.budget.inverted
        inverted = view.all("inversions", lambda: self._inverted(inputs[0], arrays)) if inverts else ()
        side = self._side if self._count < self._with_maps else 0
        self._count += 1
        self._writer.add_inspection(image.item.id, arrays)
        return ImageInspection(image.item.id, layers, side, subject.classes[target], units, classes, inverted)

    def _maps(self, tape: Tape, target: int, arrays: Arrays) -> Iterator[str]:
        """Eight bits of all channels of the layers that are shown, and each layer as one picture."""
        gradients = tape.gradients(torch.tensor([target]))
        for name in self._layers:
            values = tape.layer(name)[0]
            try:
                gradient: Tensor | None = gradients.layer(name)[0]
            except NotApplicable:  # a branch that the scores don't depend on
                gradient = None
            if self._count < self._with_maps:
                maps = keep_maps(values, gradient, self._side)
                arrays[f"maps/{name}"] = maps.steps
                arrays[f"channels/{name}"] = np.stack([maps.lowest, maps.highest, maps.mean, maps.relevance])
            arrays[f"summary/{name}"] = layer_summary(values).float().cpu().numpy().astype(np.float16)
            yield name

    def _units(self, tape: Tape, image: DecodedImage, arrays: Arrays) -> Iterator[tuple[str, tuple[UnitRecord, ...]]]:
        """The strongest channels of the main layers, projected; where units were asked for in a layer, these."""
        chosen, pictures = self._plan.units, self._pictures
        for layer in dict.fromkeys([*(unit.layer for unit in chosen), *main_layers(self._subject)]):
            channels = strongest_channels(tape.layer(layer)[0], self._plan.budget.units).tolist()
            units = [unit for unit in chosen if unit.layer == layer] or [Unit(layer, channel) for channel in channels]
            records, encoded = pictures.make([image] * len(units), units, pictures.rules)
            arrays |= {f"units/{layer}/{name}": picture for name, picture in encoded.items()}
            yield layer, records

    def _classes(self, tape: Tape, arrays: Arrays) -> Iterator[ClassMapRecord]:
        """The maps of the first classes, where the network ends in global average pooling."""
        subject = self._subject
        try:
            maps = class_maps(tape)[0]
        except NotApplicable as error:
            self._view.reasons.append(("class score maps", str(error)))
            return
        logits = tape.logits
        probabilities = subject.probabilities(logits)[0]
        for index in subject.meaning.first(tape.ranking[0], self._plan.budget.classes):
            arrays[f"classes/{index}"] = maps[index].float().cpu().numpy()
            probability = round(float(probabilities[index]), 6) if subject.meaning.kind.judged else None
            yield ClassMapRecord(index, subject.classes[index], round(float(logits[0, index]), 5), probability)

    def _inverted(self, image: Tensor, arrays: Arrays) -> Iterator[InvertedRecord]:
        for inverted in invert(self._subject, image, main_layers(self._subject), seed=self._view.seed):
            arrays[f"inverted/{inverted.layer}"] = as_bytes(self._subject.preprocessing.shown(inverted.image))
            yield InvertedRecord(inverted.layer, round(inverted.error, 5))
