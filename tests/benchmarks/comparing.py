"""Compare two runs of 1 000 images with 18 methods: seconds and memory, by how many images there are.

python -m tests.benchmarks.comparing [IMAGES…]
"""

import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from cnnvis_report.comparison.compare import compare_runs
from cnnvis_report.store.run_folder import load_run
from tests.comparison.runs import Planted, planted_run

SIDE, LAYER_SIDE, PIXEL_METHODS, LAYER_METHODS = 224, 7, 10, 8


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


def measure(folders: list[str]) -> None:
    """Compare, and print seconds and megabytes."""
    start = time.perf_counter()
    runs = [load_run(Path(folder)) for folder in folders]
    read = time.perf_counter() - start
    comparison = compare_runs(runs)
    seconds = time.perf_counter() - start
    processor = time.process_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    spent = f"{seconds:.1f} s, {processor:.1f} s of processors, {read:.1f} s to read the manifests"
    print(f"{len(comparison.images)} images: {spent}, peak {peak:.0f} MB")


def main() -> None:
    """Write two runs of each size, and compare them in a process of their own."""
    for images in map(int, sys.argv[1:] or ("100", "1000")):
        with TemporaryDirectory() as top:
            folders = [Path(top) / name for name in ("old", "new")]
            for seed, folder in enumerate(folders):
                write(folder, images, seed)
            subprocess.run([sys.executable, "-m", "tests.benchmarks.comparing", "--", *map(str, folders)], check=True)


if __name__ == "__main__":
    if "--" in sys.argv:
        measure(sys.argv[sys.argv.index("--") + 1 :])
    else:
        main()
