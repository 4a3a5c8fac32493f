"""Maps of a run as files in a folder of their own, with a manifest of what each is, as JSON and as a table."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from cnnvis_report.errors import BadRequest, UnknownName, printable
from cnnvis_report.records.codec import to_json
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.report.figure.rows import chosen_by_name
from cnnvis_report.sharing.maps.entries import Entry, entry_of, map_name
from cnnvis_report.sharing.maps.folder import check_folder, filling
from cnnvis_report.sharing.maps.formats import FORMATS, Drawn, npz
from cnnvis_report.store.files.atomic import beside, write_text
from cnnvis_report.store.run_folder import StoredRun

NPZ, VIRELAY = "npz", "virelay"
CHOICES = (NPZ, *FORMATS, VIRELAY)
MANIFEST = "manifest.json"
TABLE = "manifest.csv"
FORMAT = "cnnvis-report-maps/1"
COLUMNS = ("file", "key", "image", "name", "label", "method", "layer", "target", "class", "shape", "largest")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # what a cell of a formula begins with
Cell = str | int | float | None


def export_maps(
    run: StoredRun, folder: Path, form: str, *, methods: Sequence[str] = (), images: Sequence[str] = ()
) -> list[Entry]:
    """Write maps into a new or empty folder, and a manifest beside them.

    Args:
        form: one of CHOICES.
        methods: names of the methods whose maps are written; all without any.
        images: names or ids of images; all without any.

    Raises:
        BadRequest: the folder holds something, the run is damaged or has no such maps, or a library is missing; nothing
        is left in the folder then.
        UnknownName: the run has no such method or image.
    """
    check_folder(folder)  # before anything that may be said of names
    for name in methods:
        if name not in {method.name for method in run.record.methods}:
            raise UnknownName("method of this run", name, [method.name for method in run.record.methods])
    wanted = chosen_by_name(images, {image.id: image.name for image in run.images()}) if images else []
    with filling(folder) as aside:
        if form == VIRELAY:
            from cnnvis_report.sharing.maps.virelay import export_virelay

            entries = export_virelay(run, aside, methods, wanted)
        else:
            chosen = (image for image in run.images() if not wanted or image.id in wanted)
            entries = [entry for image in chosen for entry in _image(run, image, aside, form, methods)]
        if not entries:
            raise BadRequest(f"{run.folder}: has no such maps.")
        write_manifest(run, aside, form, entries)
    return entries


def write_manifest(run: StoredRun, folder: Path, form: str, entries: Sequence[Entry]) -> None:
    """Write what each map is, for programs and for spreadsheets."""
    maps = [{name: value for name, value in asdict(entry).items() if name != "class_name"} for entry in entries]
    for line, entry in zip(maps, entries, strict=True):
        line["class"] = entry.class_name
    head = {
        "format": FORMAT,
        "maps": form,
        "network": run.record.network.name,
        "quantity": run.record.network.quantity.value,
        "fingerprint": run.record.fingerprint,
    }
    lines = ",\n".join(map(to_json, maps))
    write_text(folder / MANIFEST, f'{to_json(head)[:-1]}, "entries": [\n{lines}\n]}}\n', parents=False)
    write_text(folder / TABLE, table([COLUMNS, *map(_row, entries)]), parents=False)


def _image(run: StoredRun, image: ImageRecord, folder: Path, form: str, methods: Sequence[str]) -> Iterator[Entry]:
    """Write the maps of an image."""
    arrays = run.maps(image)
    records = [record for record in image.maps if not methods or record.method in methods]
    if form == NPZ:
        if records:
            extra = {key: arrays[key] for key in ("picture", "mask") if key in arrays}
            content = npz({map_name(record): arrays[record.key] for record in records} | extra)
            _write(folder / f"{image.id}.npz", content)
        yield from (entry_of(image, rec, arrays[rec.key], f"{image.id}.npz", map_name(rec)) for rec in records)
        return
    output = FORMATS[form]
    for record in records:
        method = run.record.method(record.method)
        values = np.asarray(arrays[record.key], dtype=np.float32)
        file = f"{image.id}/{map_name(record)}.{output.suffix}"
        _write(folder / file, output.encode(Drawn(values, method, arrays["picture"])))
        yield entry_of(image, record, method.shown(values) if output.reduced else values, file)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(exist_ok=True)  # the folder above that one isn't made anew if it is gone
    with beside(path, lasting=False, parents=False) as temporary:
        temporary.write_bytes(content)


def _row(entry: Entry) -> list[Cell]:
    cells = asdict(entry) | {"shape": "×".join(map(str, entry.shape))}
    return list(cells.values())


def table(rows: Iterable[Sequence[Cell]]) -> str:
    """Rows as CSV: numbers as they are, texts that a spreadsheet would compute with an apostrophe before them."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([[_cell(value) for value in row] for row in rows])
    return stream.getvalue()


def _cell(value: Cell) -> Cell:
    if not isinstance(value, str):
        return value
    plain = printable(value)
    return f"'{plain}" if value.lstrip().startswith(FORMULA) or value.startswith(FORMULA) else plain
