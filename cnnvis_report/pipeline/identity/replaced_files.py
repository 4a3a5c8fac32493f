"""Notices of images that were replaced while a run went on, checked once more at its end."""

from collections.abc import Collection
from contextlib import suppress

from cnnvis_report.data.content.content_hash import Replaced
from cnnvis_report.data.image_set import ImageSet


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
