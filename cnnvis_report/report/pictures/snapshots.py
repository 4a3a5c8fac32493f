"""Pictures of images over the epochs of a training."""

from cnnvis_report.records.training import snapshot_key
from cnnvis_report.report.pictures.thumbnails import Pictures, still, thumbnail
from cnnvis_report.store.files.names import SNAPSHOTS
from cnnvis_report.store.run_folder import StoredRun


def snapshot_name(series: int, method: str, epoch: int) -> str:
    """The name of the picture of a method's map after an epoch."""
    return f"snapshot-{series}-{method}-{epoch}"


def snapshot_pictures(stored: StoredRun) -> Pictures:
    """The maps of all series, and the pictures that they explain."""
    if not stored.record.snapshots:
        return
    maps = stored.inspection_arrays(SNAPSHOTS)
    ids = {series.image for series in stored.record.snapshots}
    pictures = {image.id: stored.picture(image) for image in stored.images() if image.id in ids}
    for number, series in enumerate(stored.record.snapshots):
        picture = pictures[series.image]
        yield f"snapshot-{number}", thumbnail(picture)
        for method in map(stored.record.method, series.methods):
            for frame in series.frames:
                values = maps.get(snapshot_key(series.image, method.name, frame.epoch))
                if values is not None:
                    yield snapshot_name(number, method.name, frame.epoch), still(picture, method.shown(values), method)
