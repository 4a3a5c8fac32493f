"""What an earlier start of a run has left in its folder, as far as it is whole."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from cnnvis_report.errors import BadRequest
from cnnvis_report.store.files.atomic import is_regular
from cnnvis_report.store.files.names import INSPECTION, MANIFEST
from cnnvis_report.store.files.os_errors import raise_unless_of_the_file
from cnnvis_report.store.intact_parts import as_done, inspection_is_whole, whole_images, whole_results
from cnnvis_report.store.journal import Done, begun, journal_lines
from cnnvis_report.store.manifest import ImagesLeft, images_in, read_head


def earlier_results(folder: Path, images: Collection[str]) -> Iterator[Done]:
    """The images that an earlier start has done, and whose arrays are whole; of these ids."""
    results: Iterator[Done] = iter(())
    if begun(folder):
        results = journal_lines(folder)
    elif is_regular(folder / MANIFEST):
        results = _of_manifest(folder)
    yield from whole_results(folder, (result for result in results if result.image.id in images))


def _of_manifest(folder: Path) -> Iterator[Done]:
    """The images of a manifest that isn't whole, or whose files aren't."""
    for number, image in enumerate(ImagesLeft(folder)):
        if not number:
            run, _ = read_head(folder / MANIFEST)
        yield as_done(run, image)


def is_complete(folder: Path, images: Mapping[str, str]) -> bool:
    """Whether a whole manifest is there, with every image of these ids and names, or the reason why it isn't there."""
    path = folder / MANIFEST
    try:
        run, true = read_head(path)
        if not true or run.left_out:
            return False
        listed = {image.id for image in images_in(path, run)}
    except OSError as error:
        raise_unless_of_the_file(error)
        return False
    except BadRequest:
        return False
    skipped = Counter(file.name for file in run.skipped)
    missing = Counter(name for image, name in images.items() if image not in listed)
    if not (listed <= images.keys() and missing <= skipped):
        return False
    inside = [Path(name).stem for name in run.files if name.startswith(f"{INSPECTION}/")]
    return all(inspection_is_whole(folder, name, run) for name in inside) and len(listed) == sum(
        1 for _ in whole_images(folder, run, images_in(path, run))
    )
