"""Memory that an image of a set takes: a run over any number of images is to fit into that of a run over a few."""

import gc
import shutil
import tracemalloc
from pathlib import Path

from PIL import Image

from cnnvis_report.data.image_set import find_images, labeled

COUNT = 400
MOST = 1500  # bytes an image that was read, with its mask, its label and its names; a path alone takes 300


def test_an_image_that_was_read_takes_little_memory(tmp_path: Path) -> None:
    for kind in ("images/class", "masks/class"):
        (tmp_path / kind).mkdir(parents=True)
        Image.new("RGB", (4, 4)).save(tmp_path / kind / "0.png")
        for number in range(1, COUNT):
            shutil.copy(tmp_path / kind / "0.png", tmp_path / kind / f"{number}.png")

    def read() -> object:
        images = labeled(find_images([tmp_path / "images"]), ["class"], masks=tmp_path / "masks")
        assert len({item.fingerprint for item in images}) == 1 and all(item.mask for item in images)
        return images

    read()  # what is imported and set up once
    gc.collect()
    tracemalloc.start()
    try:
        images = read()
        gc.collect()
        size = tracemalloc.get_traced_memory()[0] / COUNT
    finally:
        tracemalloc.stop()
    assert images and size < MOST, f"{size:.0f} bytes an image"
