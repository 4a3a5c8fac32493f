"""Run folders made of numbers: what each image's label, prediction and maps are."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cnnvis_report.records.images import ClassScore, Evidence, ImageRecord, Label, MapRecord
from cnnvis_report.records.methods import Kind, MethodInfo
from cnnvis_report.records.network import LayerRecord, NetworkRecord
from cnnvis_report.records.run import RunRecord, Setting
from cnnvis_report.store.array_files.arrays import write_arrays
from cnnvis_report.store.files.names import array_key, arrays_name
from cnnvis_report.store.manifest import write_manifest
from cnnvis_report.store.run_folder import StoredRun, load_run
from tests.evidence.records import NETWORK, info

CLASSES = ("cat", "dog", "owl")
SIZE = (16, 16)

Values = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Planted:
    """One image of a run.

    content: of its file; its name where empty. label, predicted: indices of classes. maps: by method, layer and the
    class that is explained. logit: of the predicted class. boxes: what a detector predicts.
    """

    name: str
    predicted: int = 0
    label: int | None = 0
    probability: float = 0.75
    content: str = ""
    maps: dict[tuple[str, str, int], Values] = field(default_factory=dict)
    mask: npt.NDArray[np.bool_] | None = None
    targets: tuple[int, ...] = ()
    logit: float = 1.0
    boxes: Values | None = None


def planted_run(
    folder: Path,
    images: Sequence[Planted],
    *,
    classes: Sequence[str] = CLASSES,
    network: NetworkRecord = NETWORK,
    methods: Sequence[MethodInfo] = (),
    fingerprint: str = "",
    settings: dict[str, Setting] | None = None,
) -> StoredRun:
    """Write a run of these images into a folder, and read it again."""
    (folder / "arrays").mkdir(parents=True)
    records, files = [], {}
    for number, image in enumerate(images):
        record = replace(_record(number, image, classes), kind=network.kind)
        arrays: dict[str, npt.NDArray[Any]] = {
            map_record.key: values for map_record, values in zip(record.maps, image.maps.values(), strict=True)
        }
        side = image.mask.shape if image.mask is not None else SIZE
        arrays |= {"picture": np.zeros((*side, 3), np.uint8)}
        arrays |= {"mask": image.mask} if image.mask is not None else {}
        arrays |= {"boxes": image.boxes} if image.boxes is not None else {}
        name = arrays_name(record.id)
        files[name] = write_arrays(folder / name, arrays)
        records.append(replace(record, size=side))
    names = dict.fromkeys(method for image in images for method, _, _ in image.maps)
    read = dict.fromkeys(layer for image in images for _, layer, _ in image.maps if layer)
    layers = tuple(LayerRecord(layer, "Conv2d", (8, 4, 4), 10) for layer in read)
    known = {method.name: method for method in methods}
    run = RunRecord(
        fingerprint=fingerprint or sha256(str(folder).encode()).hexdigest()[:32],
        network=replace(network, classes=len(classes), layers=layers, default_layer=layers[-1].name if layers else ""),
        methods=tuple(known.get(name, info(name)) for name in names),
        settings=settings or {},
        images=len(images),
        skipped=(),
        not_applicable=(),
        passes_per_image={"forward": 1.0, "backward": 1.0},
        provenance={},
        files=files,
    )
    write_manifest(folder, run, records)
    return load_run(folder)


def layer_method(name: str) -> MethodInfo:
    """A method whose maps are of a layer."""
    return info(name, kind=Kind.LAYER)


def _record(number: int, image: Planted, classes: Sequence[str]) -> ImageRecord:
    def score(index: int) -> ClassScore:
        first = index == image.predicted
        return ClassScore(index, classes[index], image.logit if first else 1.0, image.probability if first else 0.1)

    others = [index for index in range(len(classes)) if index != image.predicted]
    explained = dict.fromkeys([*image.targets, *(target for _, _, target in image.maps)]) or {image.predicted: None}
    maps = [
        MapRecord(array_key(method, layer, target), method, layer, target, values.shape, Evidence(1.0, 1.0))
        for (method, layer, target), values in image.maps.items()
    ]
    return ImageRecord(
        id=f"image-{number}",
        name=image.name,
        size=SIZE,
        original_size=SIZE,
        label=None if image.label is None else Label(classes[image.label], image.label),
        top=tuple(map(score, [image.predicted, *others][:5])),
        targets=tuple(map(score, explained)),
        maps=tuple(maps),
        mask_fraction=None if image.mask is None else float(image.mask.mean()),
        content=sha256((image.content or image.name).encode()).hexdigest()[:16],
    )
