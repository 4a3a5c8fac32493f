"""Pictures of the whole network: kernels, top images of channels, feature visualization, maps over the epochs."""

from cnnvis_report.records.inspection import FRAME_SIDE, InspectionRecord
from cnnvis_report.records.training import snapshot_key
from cnnvis_report.report.pictures.kernels import kernel_sheet, shown_kernels
from cnnvis_report.report.pictures.sheet import sheet
from cnnvis_report.report.pictures.thumbnails import Pictures, still, thumbnail, webp
from cnnvis_report.store.files.names import NETWORK, SNAPSHOTS
from cnnvis_report.store.run_folder import StoredRun

SHOWN_FIRST = 3  # feature visualizations on the overview


def network_pictures(run: StoredRun) -> Pictures:
    """By name: kernels, the strongest images of channels, and feature visualization."""
    inspection = run.record.inspection
    if inspection is None:
        return
    arrays = run.inspection_arrays(NETWORK)
    for number, kernels in shown_kernels(inspection):
        values = arrays[f"kernels/{kernels.layer}"]
        yield f"kernels-{number}", kernel_sheet(values, kernels, per_kernel=False)
        yield f"kernels-{number}-each", kernel_sheet(values, kernels, per_kernel=True)
    for number, top in enumerate(inspection.top_images):
        key = f"top_images/{top.layer}/{top.channel}"
        rows = [
            [arrays[f"{key}/{index}/{what}"] for index in range(len(top.units))]
            for what in ("crop", inspection.projection_rules[0])
        ]
        yield f"top-{number}", sheet(rows)
    for number in range(len(inspection.maximized)):
        yield f"maximized-{number}", webp(arrays[f"maximized/{number}"], lossless_up_to=0)
        yield f"frames-{number}", sheet([list(arrays[f"frames/{number}"])], FRAME_SIDE)


def converged(inspection: InspectionRecord | None) -> list[int]:
    """The numbers of the first feature visualizations that no image of the set beats."""
    maximized = inspection.maximized if inspection else ()
    return [number for number, record in enumerate(maximized) if record.converged][:SHOWN_FIRST]


def converged_pictures(run: StoredRun) -> Pictures:
    """Their pictures, by name."""
    numbers = converged(run.record.inspection)
    arrays = run.inspection_arrays(NETWORK) if numbers else {}
    for number in numbers:
        yield f"maximized-{number}", webp(arrays[f"maximized/{number}"], lossless_up_to=0)


def snapshot_name(series: int, method: str, epoch: int) -> str:
    """The name of the picture of a method's map after an epoch."""
    return f"snapshot-{series}-{method}-{epoch}"


def snapshot_pictures(stored: StoredRun) -> Pictures:
    """The maps of all series, and the pictures that they explain."""
    if not stored.record.snapshots:
        return
    maps = stored.inspection_arrays(SNAPSHOTS)
    ids = {series.image for series in stored.record.snapshots}
    pictures = {image.id: stored.picture(image) for image in stored.images(ids)}
    for number, series in enumerate(stored.record.snapshots):
        picture = pictures[series.image]
        yield f"snapshot-{number}", thumbnail(picture)
        for method in map(stored.record.method, series.methods):
            for frame in series.frames:
                values = maps.get(snapshot_key(series.image, method.name, frame.epoch))
                if values is not None:
                    yield snapshot_name(number, method.name, frame.epoch), still(picture, method.shown(values), method)
