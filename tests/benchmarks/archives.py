"""How long archives of many images take to be listed, and how much memory, for small images and for large ones.

    python -m tests.benchmarks.archives [IMAGES]

Writes archives of 100,000 images without a number into a temporary folder, 1 kB and 20 kB each, and lists each in a
process of its own as a run does: names, labels, and the heads that tell pages and bit depths. Memory is what the
process has at most beyond what it has with everything imported and a set of one image found.
"""

import io
import os
import resource
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from cnnvis_report.data.image_set import find_images, labeled

IMAGES, SIZES, CLASSES = 100_000, (1_000, 20_000), 100
KINDS = {"zip": ".zip", "tar": ".tar", "tar.gz": ".tar.gz", "WebDataset": ".tar"}


def members(kind: str, images: int, size: int) -> Iterator[tuple[str, bytes]]:
    """Names and contents: JPEGs with noise behind their end."""
    stream = io.BytesIO()
    Image.new("RGB", (32, 32), (9, 3, 200)).save(stream, "JPEG")
    content = stream.getvalue() + os.urandom(max(0, size - len(stream.getvalue())))
    for number in range(images):
        if kind == "WebDataset":
            yield f"{number:06}.jpg", content
            yield f"{number:06}.cls", str(number % CLASSES).encode()
        else:
            yield f"class{number % CLASSES}/{number:06}.jpg", content


def write(path: Path, kind: str, images: int, size: int) -> None:
    """An archive."""
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            for name, content in members(kind, images, size):
                archive.writestr(name, content)
        return
    with tarfile.open(path, "w:gz" if kind == "tar.gz" else "w") as tar:
        for name, content in members(kind, images, size):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


def measure(folder: Path, path: Path) -> None:
    """List one archive, and print seconds, seconds of the processor, and memory."""
    labeled(find_images([folder / "one.zip"]), [])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start, busy = time.perf_counter(), time.process_time()
    images = find_images([path])
    seconds, processor = time.perf_counter() - start, time.process_time() - busy
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    with_labels = sum(bool(item.labels) for item in labeled(images, [f"class{number}" for number in range(CLASSES)]))
    print(f"{len(images):8,} {with_labels:8,} {seconds:8.2f} {processor:8.2f} {memory:8.0f}", flush=True)


def main() -> None:
    """Write the archives, and measure each in a process of its own."""
    if len(sys.argv) > 2:
        measure(Path(sys.argv[1]), Path(sys.argv[2]))
        return
    count = int(sys.argv[1]) if len(sys.argv) > 1 else IMAGES
    print(f"{'archive':12} {'bytes':>8} {'images':>8} {'labeled':>8} {'s':>8} {'CPU s':>8} {'MB':>8}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder / "one.zip", "zip", 1, 1000)
        for kind, ending in KINDS.items():
            for size in SIZES:
                path = folder / f"images{ending}"
                write(path, kind, count, size)
                print(f"{kind:12} {size:8,} ", end="", flush=True)
                subprocess.run([sys.executable, "-m", "tests.benchmarks.archives", name, str(path)], check=True)
                path.unlink()


if __name__ == "__main__":
    main()
