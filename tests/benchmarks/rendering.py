"""What pages cost: CPU a map by the number of processes, again, with another title, and memory by the number of images.

    python tests/benchmarks/rendering.py RUN [IMAGES ...]

RUN is the folder of a run; it is rendered aside. For each number of IMAGES its images are taken again and again under
other names, so that memory shows what grows with a run.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copytree

from cnnvis_report.data.processes import usable_processors
from cnnvis_report.progress import Progress
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.report.site.site_writer import SiteOptions, write_pages
from cnnvis_report.report.write import write_site
from cnnvis_report.store import load_run
from cnnvis_report.store.run_folder import Array, StoredRun, titled

PAGES = 60  # of the runs of many images, which are there for their memory


@dataclass(frozen=True)
class Repeated(StoredRun):
    """The images of a run again and again, under other names."""

    count: int = 0

    def images(self, ids: Collection[str] | None = None) -> Iterator[ImageRecord]:
        """So many images, or those of them that are wanted."""
        return (image for image in self._repeated() if ids is None or image.id in ids)

    def _repeated(self) -> Iterator[ImageRecord]:
        number = 0
        while True:
            for image in super().images():
                if number == self.count:
                    return
                yield replace(image, id=f"n{number}-{image.id}", name=f"{number}/{image.name}")
                number += 1

    def unchecked_arrays(self, image: ImageRecord) -> dict[str, Array]:
        """Those of the image that it repeats."""
        return super().unchecked_arrays(replace(image, id=image.id.partition("-")[2]))


def spent() -> float:
    """Seconds of CPU of this process and of those that it has ended."""
    own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime


def timed(title: str, run: StoredRun, maps: int, processes: int | None = None) -> None:
    """Write a site, and print what it took."""
    start, before = time.perf_counter(), spent()
    write_site(run, options=SiteOptions(processes=processes))
    wall, cpu = time.perf_counter() - start, spent() - before
    print(f"{title:<34}{wall:>8.1f} s{cpu:>8.1f} s of CPU{1000 * cpu / maps:>8.2f} ms a map")


def peak(folder: Path, images: int) -> float:
    """Megabytes of a process that writes some pages of a run of so many images."""
    words = [sys.executable, __file__, "--memory", str(folder), str(images)]
    return float(json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout))


def main(source: Path, counts: list[int]) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "run"
        copytree(source, folder, ignore=lambda path, names: [n for n in names if n in ("stills", "data", "images")])
        run = load_run(folder)
        maps = sum(len(image.maps) for image in run.images())
        print(f"{run.record.images} images, {maps} maps, {usable_processors()} processors")
        for processes in sorted({1, 2, usable_processors()}):
            write_site(run, SiteOptions(1, 1))
            timed(f"pages, {processes} processes", run, maps, processes)
        timed("again", run, maps)
        timed("with another title", titled(run, "Another title"), maps)
        for count in counts:
            print(f"{count:>8} images, {PAGES} pages: {peak(folder, count):.0f} MB")


def memory(folder: Path, count: int) -> None:
    """Write some pages of many images, and print the largest memory."""
    run = load_run(folder)
    many = Repeated(folder, replace(run.record, images=count), count)
    with tempfile.TemporaryDirectory() as name:
        write_pages(many, Path(name), Progress(), SiteOptions(PAGES, 1))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if sys.argv[1] == "--memory":
        memory(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main(Path(sys.argv[1]), [int(word) for word in sys.argv[2:]])
