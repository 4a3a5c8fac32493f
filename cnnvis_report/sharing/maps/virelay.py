"""Maps as ViRelAy reads them: a file of the samples, a file of attributions a method, a label map and project files.

The layout is that of ViRelAy 0.6's database specification and project file format:
https://virelay.readthedocs.io/en/latest/contributors-guide/database-specification.html
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cnnvis_report.errors import BadRequest, printable
from cnnvis_report.records.codec import to_json
from cnnvis_report.records.images import ImageRecord, MapRecord
from cnnvis_report.records.methods import Array
from cnnvis_report.records.scores import ScoreKind
from cnnvis_report.report.pictures.resample import resize
from cnnvis_report.sharing.maps.entries import Entry, entry_of
from cnnvis_report.store.run_folder import StoredRun

SAMPLES, LABELS = "samples.input.h5", "label-map.json"
MOST_CLASSES = 1 << 16  # that a label of 16 bits tells apart


class Hdf5:
    """A file with one entry a sample: arrays of one shape in one data set, others in a group by their order."""

    def __init__(self, path: Path, *, together: bool) -> None:
        self._file, self._together, self._count = _h5py().File(path, "w"), together, 0

    def add(self, values: dict[str, npt.NDArray[Any]]) -> None:
        """One more sample: its arrays by name; what is called "index" is always in one data set."""
        for name, value in values.items():
            if self._together or name == "index":
                self._append(name, value)
            else:  # in the order of their names, which is that of the samples
                self._file.require_group(name).create_dataset(f"{self._count:08d}", data=value)
        self._count += 1

    def close(self) -> None:
        """Finish the file."""
        self._file.close()

    def _append(self, name: str, value: npt.NDArray[Any]) -> None:
        if name not in self._file:
            shape, chunk = (0, *value.shape), (1, *value.shape) if value.shape else (64,)
            self._file.create_dataset(name, shape=shape, maxshape=(None, *value.shape), dtype=value.dtype, chunks=chunk)
        values = self._file[name]
        values.resize(self._count + 1, axis=0)
        values[self._count] = value


def export_virelay(run: StoredRun, folder: Path, methods: Sequence[str], images: Sequence[str]) -> list[Entry]:
    """Write one map an image and method, of the predicted class where it was explained.

    Args:
        methods: names of methods; all without any. images: ids; all without any.

    Raises:
        BadRequest: h5py is missing, or there are more classes than labels can tell.
    """
    _h5py()
    if run.record.network.classes > MOST_CLASSES:
        raise BadRequest(f"--maps virelay: labels of 16 bits tell no {run.record.network.classes} classes apart.")
    chosen = [image for image in run.images() if not images or image.id in images]
    together = len({image.size for image in chosen}) == 1
    names: dict[int, str] = dict(enumerate(run.record.network.names))
    files: dict[str, Hdf5] = {}
    entries = []
    with ExitStack() as stack:

        def open_file(name: str) -> Hdf5:
            if name not in files:
                files[name] = Hdf5(folder / name, together=together)
                stack.callback(files[name].close)
            return files[name]

        for index, image in enumerate(chosen):
            names |= {score.index: score.name for score in (*image.top, *image.targets)}
            names |= {label.index: label.name for label in image.named if label.index is not None}
            arrays = run.maps(image)
            open_file(SAMPLES).add({"data": _picture(arrays["picture"]), "label": _label(run, image)})
            for record in maps_shown(image, methods):
                values = _full_size(np.asarray(arrays[record.key], dtype=np.float32), image.size)
                sample = {
                    "index": np.asarray(index, dtype=np.uint32),
                    "attribution": values,
                    "label": _target(run, record),
                }
                file = f"{_name(record)}.attribution.h5"
                open_file(file).add(sample | {"prediction": _prediction(run, image)})
                entries.append(entry_of(image, record, values, file, str(index)))
    _write_projects(run, folder, entries, names)
    return entries


def maps_shown(image: ImageRecord, methods: Sequence[str]) -> Iterator[MapRecord]:
    """A map of each method and layer: of the predicted class, or the first class that was explained."""
    predicted = image.top[0].index if image.top else None
    records: dict[str, MapRecord] = {}
    for record in image.maps:
        if not methods or record.method in methods:
            first = records.setdefault(_name(record), record)
            if record.target == predicted != first.target:
                records[_name(record)] = record
    yield from records.values()


def _write_projects(run: StoredRun, folder: Path, entries: Sequence[Entry], names: dict[int, str]) -> None:
    """The label map, and a project a method; JSON is YAML too."""
    labels = [{"index": index, "word_net_id": "", "name": name} for index, name in sorted(names.items())]
    (folder / LABELS).write_text(to_json(labels) + "\n", encoding="utf-8", newline="\n")
    network = printable(run.record.network.name)
    height, width = next(entry.shape[-2:] for entry in entries) if entries else (0, 0)
    for file in dict.fromkeys(entry.file for entry in entries):
        name = file.removesuffix(".attribution.h5")
        project = {
            "name": f"{network} · {name}",
            "model": network,
            "label_map": LABELS,
            "dataset": {
                "name": printable(str(run.record.settings.get("title") or network)),
                "type": "hdf5",
                "path": SAMPLES,
                "input_width": width,
                "input_height": height,
                "up_sampling_method": "none",
                "down_sampling_method": "none",
            },
            "attributions": {"attribution_method": name, "attribution_strategy": "predicted_label", "sources": [file]},
        }
        (folder / f"{name}.yaml").write_text(to_json({"project": project}) + "\n", encoding="utf-8", newline="\n")


def _name(record: MapRecord) -> str:
    return record.key.rpartition("/")[0].replace("/", "@")


def _picture(picture: npt.NDArray[np.uint8]) -> Array:
    """[3, H, W] from 0 to 1."""
    color = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
    return np.ascontiguousarray(color.transpose(2, 0, 1), dtype=np.float32) / np.float32(255)


def _full_size(values: Array, size: tuple[int, int]) -> Array:
    """[C, H, W] at the size of the picture; a layer's map is grown as pages grow it."""
    if values.ndim == 3:
        return values
    return np.asarray(resize(values, size), dtype=np.float32)[None]


def _label(run: StoredRun, image: ImageRecord) -> npt.NDArray[Any]:
    """The class of the label; the predicted one where the network doesn't know the label, or there is none."""
    if run.record.network.kind is ScoreKind.SIGMOID:
        return np.isin(np.arange(run.record.network.classes), image.known)
    predicted = image.top[0].index if image.top else 0
    return np.asarray(next(iter(image.known), predicted), dtype=np.uint16)


def _target(run: StoredRun, record: MapRecord) -> npt.NDArray[Any]:
    """The class that a map explains."""
    if run.record.network.kind is ScoreKind.SIGMOID:
        return np.asarray(np.arange(run.record.network.classes) == record.target)
    return np.asarray(record.target, dtype=np.uint16)


def _prediction(run: StoredRun, image: ImageRecord) -> Array:
    """[classes]: all scores where the run keeps them, else the five highest probabilities, or scores, and 0."""
    if image.scores:
        return np.asarray(image.scores, dtype=np.float32)
    scores = np.zeros(run.record.network.classes, dtype=np.float32)
    for score in image.top:
        scores[score.index] = score.logit if score.share is None else score.share
    return scores


def _h5py() -> Any:
    try:
        import h5py
    except ImportError as error:
        raise BadRequest("--maps virelay needs h5py: pip install 'cnnvis-report[virelay]'.") from error
    return h5py
