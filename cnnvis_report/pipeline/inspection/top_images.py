"""The channels that respond most, each with the images that it is strongest in."""

from collections.abc import Iterator, Sequence

from cnnvis_report.data.batches import DecodedImage, read_item
from cnnvis_report.data.image_set import ImageSet
from cnnvis_report.data.preprocessing.preprocessing import Preprocessing
from cnnvis_report.engine.devices import is_out_of_memory
from cnnvis_report.errors import NotApplicable, told
from cnnvis_report.inspection.projections import Unit
from cnnvis_report.pipeline.inspection.set_pass import main_layers
from cnnvis_report.pipeline.inspection.unit_pictures import Bytes, UnitPictures
from cnnvis_report.pipeline.inspection.view import InspectionView
from cnnvis_report.pipeline.not_applicable import Reasons
from cnnvis_report.records.inspection import TopImagesRecord, UnitRecord

CLASSES = 5  # of the highest mean activation


def top_images(view: InspectionView) -> Iterator[TopImagesRecord]:
    """Channels of the main layers, and those that were asked for; their pictures are added to the arrays."""
    subject, set_pass, pictures = view.subject, view.set_pass, view.pictures
    if len(set_pass.ids) < 2:
        one = "the set has one image, and each channel's strongest would be that one"
        view.reasons.append(("top images", one if set_pass.ids else "no images were given"))
        return
    if set_pass.tops.layers and not pictures.rules:
        view.reasons.append(("top images", "no way of projecting units is applicable to the network"))
        return
    cache = DecodedImages(view.images, subject.preprocessing)
    for layer in set_pass.tops.layers:
        view.progress.step(f"inspection: top images of {layer}")
        top = set_pass.tops.top(layer)
        means = set_pass.tops.excitement(layer)
        for channel in _channels(view, layer):
            count = int((top.values[channel] > 0).sum())
            if not count:
                continue
            ids = [set_pass.ids[number] for number in top.images[channel, :count].tolist()]
            positions = zip(top.rows[channel, :count].tolist(), top.columns[channel, :count].tolist(), strict=True)
            units = [Unit(layer, channel, *position) for position in positions]
            records, encoded = _pictured(cache, ids, units, pictures, view.reasons)
            if not records:
                continue
            view.arrays.update({f"top_images/{layer}/{channel}/{name}": picture for name, picture in encoded.items()})
            classes = sorted(((float(values[channel]), index) for index, values in means.items()), reverse=True)
            named = tuple((subject.classes[index], round(value, 5)) for value, index in classes[:CLASSES])
            yield TopImagesRecord(layer, channel, records, named)


def _pictured(
    cache: "DecodedImages", ids: Sequence[str], units: Sequence[Unit], pictures: UnitPictures, reasons: Reasons
) -> tuple[tuple[UnitRecord, ...], dict[str, Bytes]]:
    """The pictures of one unit of each image; where they fail together, of those images that don't fail alone."""
    try:
        return pictures.make([cache.at(id) for id in ids], units, pictures.rules[:1])
    except Exception as error:  # the network may raise anything on the way back from one of them
        if is_out_of_memory(error):
            raise
        if len(ids) == 1:
            reasons.append((f"{cache.name(ids[0])} among the top images", told(error)))
            return (), {}
    records: list[UnitRecord] = []
    encoded: dict[str, Bytes] = {}
    for id, unit in zip(ids, units, strict=True):
        record, alone = _pictured(cache, [id], [unit], pictures, reasons)
        encoded |= {f"{len(records)}{name.removeprefix('0')}": picture for name, picture in alone.items()}
        records += record
    return tuple(records), encoded


def _channels(view: InspectionView, layer: str) -> list[int]:
    """The channels of the largest activations in a main layer, and those that were asked for, by number."""
    values, plan = view.set_pass.tops.top(layer).values, view.plan
    requested = {unit.channel for unit in plan.units if unit.layer == layer}
    most = plan.budget.channels if layer in main_layers(view.subject) else 0
    return sorted({*values[:, 0].topk(min(most, len(values))).indices.tolist(), *requested})


class DecodedImages:
    """Images of the set by their ids, the last `capacity` of them kept: channels share them."""

    def __init__(self, images: ImageSet, preprocessing: Preprocessing, capacity: int = 64) -> None:
        self._items = {item.id: item for item in images}
        self._preprocessing, self._capacity = preprocessing, capacity
        self._decoded: dict[str, DecodedImage] = {}

    def name(self, id: str) -> str:
        """What the image is called."""
        return self._items[id].name

    def at(self, id: str) -> DecodedImage:
        """The image, which could be read when the set passed by.

        Raises:
            NotApplicable: it can't be any more.
        """
        if id not in self._decoded:
            image = read_item(self._items[id], self._preprocessing)
            if not isinstance(image, DecodedImage):
                raise NotApplicable(f"{image.name} can't be read any more: {image.reason}")
            if len(self._decoded) >= self._capacity:
                del self._decoded[next(iter(self._decoded))]
            self._decoded[id] = image
        return self._decoded[id]
