"""What tells a run from others, and what of it isn't as it was."""

import json
import math
from collections.abc import Collection, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from cnnvis_report.data.content.content_hash import Replaced
from cnnvis_report.data.image_set import ImageItem, ImageSet
from cnnvis_report.pipeline.repeatability.check import Repeatability
from cnnvis_report.records.identity import LISTED, Content, Identity, changed_images, changes
from cnnvis_report.store.previous_run import contents_in, identity_of, remembered

BATCH = "the batch size"
SAMPLED = "the sample that methods compare with"


def identify(parts: Mapping[str, object], repeatability: Repeatability) -> Identity:
    """The identity of a run.

    Args:
        parts: what decides its results, by name. repeatability: for logits of the network, where passes repeat.
    """
    logits = repeatability.logits
    rows = [] if logits is None else logits.double().cpu().tolist()
    return Identity(
        parts={name: _digest(value) for name, value in parts.items()},
        logits=tuple(tuple(value if math.isfinite(value) else None for value in row) for row in rows),
        example=repeatability.example,
    )


def recall(images: ImageSet, folder: Path) -> None:
    """Let the images' files know what the folder's run has read of them, where nothing has touched them since."""
    known = remembered(folder)
    for item in images if known else ():
        for file in item.files:
            file.recall(known)


def files_of(images: ImageSet) -> dict[str, str]:
    """What is known of the contents of the images' files, by what told their state."""
    files = [file for item in images for file in item.files]
    return dict(sorted(pair for file in files for pair in file.remembered.items()))


def is_run_of(folder: Path, identity: Identity) -> bool:
    """Whether the folder holds a run of this identity, of whatever images of the set."""
    earlier = identity_of(folder)
    return earlier is not None and bool(earlier.parts) and not changes(earlier, identity)


def changed_since(folder: Path, images: ImageSet, identity: Identity) -> list[str] | None:
    """What isn't as it was when the folder's run was made, in words; None where the folder holds no run."""
    earlier = identity_of(folder)
    if earlier is None:
        return None
    if not earlier.parts:
        return ["its format (another version of cnnvis-report, or damaged files)"]
    names = changes(earlier, identity)
    before, whole = contents_in(folder)
    if LISTED in names:  # which may bring another sample and batch size with it
        others = [name for name in names if name not in (LISTED, SAMPLED, BATCH)]
        changed = changed_images(map(_unread, before), [_unread(item) for item in images], whole=whole)
        return [*(changed or [LISTED]), *others]
    if names and names != [SAMPLED]:
        return names  # all images are explained again; there is no need to read them for that
    known = {content.name for content in before}
    now = [Content(item.name, item.fingerprint if item.name in known else "") for item in images]
    return changed_images(before, now, whole=whole) or names


def _unread(image: Content | ImageItem) -> Content:
    """The image by its name alone."""
    return Content(image.name, "")


def _digest(value: object) -> str:
    return sha256(json.dumps(value, sort_keys=True).encode("utf-8", "replace")).hexdigest()[:16]


def replaced_notices(images: ImageSet, done: Collection[str]) -> list[str]:
    """A sentence on each image that is explained, and whose files don't hold what was explained any more.

    What was read of it later, of other content, has been left out where it was met, so that nothing is a mix.

    Args:
        done: ids of the images that are explained.
    """
    notices = []
    for item in images:
        for file in item.files if item.id in done else ():
            with suppress(Replaced):  # which is noted in the file
                file.check()
        if item.id in done and any(file.replaced for file in item.files):
            notices.append(f"{item.name} was replaced while the run went on; its maps are of what it held at first.")
    return notices
