"""Compare two runs of 1,000 images with 18 methods, pages included: seconds and memory, by how many images there are.

python -m tests.benchmarks.comparing [IMAGES…]
"""

import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from cnnvis_report.comparison.read import write_compared
from cnnvis_report.report.comparison.write import write_comparison
from cnnvis_report.report.site.site_writer import SiteOptions
from cnnvis_report.store.run_folder import load_run
from tests.comparison.runs import Planted, planted_run

SIDE, LAYER_SIDE, PIXEL_METHODS, LAYER_METHODS = 224, 7, 10, 8
PAGES = (100, 200)  # as many for any number of images, which shows what images without one take; and the usual number


def write(folder: Path, images: int, seed: int) -> None:
    """A run of maps at random; a few drawn maps stand for all."""
    generator = np.random.default_rng(seed)
    pixels = generator.normal(size=(PIXEL_METHODS, SIDE, SIDE)).astype(np.float32)
    layers = generator.normal(size=(LAYER_METHODS, LAYER_SIDE, LAYER_SIDE)).astype(np.float32)
    mask = np.zeros((SIDE, SIDE), bool)
    mask[60:160, 60:160] = True
    maps = {(f"pixel{number}", "", 0): values for number, values in enumerate(pixels)}
    maps |= {(f"layer{number}", "last", 0): values for number, values in enumerate(layers)}
    planted_run(folder, [Planted(f"{number}.png", number % 3, 0, maps=maps, mask=mask) for number in range(images)])


def measure(folders: list[str], pages: int) -> None:
    """Compare, write the pages, and print seconds and megabytes."""
    start = time.perf_counter()
    runs = [load_run(Path(folder)) for folder in folders]
    with TemporaryDirectory() as folder:
        comparison = write_compared(runs, Path(folder))
        compared = time.process_time()
        write_comparison(comparison, runs, Path(folder), options=SiteOptions(pages, 1))
    seconds, processor = time.perf_counter() - start, time.process_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    spent = f"{processor:.1f} s of a processor, {processor - compared:.1f} s of them for {pages} pages, {seconds:.1f} s"
    print(f"{len(comparison.images)} images: {spent}, peak {peak:.0f} MB")


def main() -> None:
    """Write two runs of each size, and compare them in a process of their own."""
    for images in map(int, sys.argv[1:] or ("100", "1000")):
        with TemporaryDirectory() as top:
            folders = [Path(top) / name for name in ("old", "new")]
            for seed, folder in enumerate(folders):
                write(folder, images, seed)
            for pages in PAGES:
                words = (str(pages), *map(str, folders))
                subprocess.run([sys.executable, "-m", "tests.benchmarks.comparing", "--", *words], check=True)


if __name__ == "__main__":
    if "--" in sys.argv:
        pages, *folders = sys.argv[sys.argv.index("--") + 1 :]
        measure(folders, int(pages))
    else:
        main()
