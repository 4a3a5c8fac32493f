"""Peak memory of a run, and of writing its pages, with few and with many images.

    python tests/benchmarks/memory.py [FEW MANY]

Each run is a process of its own on drawn pictures; what the images cost beyond the first is the difference.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from cnnvis_report.synthetic.shapes import draw

SIDE = 160


# a small process between: a child begins with the peak of its parent, and this one has loaded torch
CHILD = """
import resource, subprocess, sys
subprocess.run([sys.executable, "-m", "cnnvis_report", *sys.argv[1:]], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
"""


def peak(*command: str) -> float:
    """Megabytes that a command held at most, as the system counts them."""
    words = [sys.executable, "-c", CHILD, *command]
    return float(subprocess.run(words, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    """Measure, and print a table."""
    few, many = (int(word) for word in sys.argv[1:3] or (20, 200))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pictures").mkdir()
        for index in range(many):
            draw(index, 0, SIDE).picture.save(folder / "pictures" / f"{index}.png")
        print(f"{'images':>8}{'run, MB':>10}{'pages, MB':>11}")
        rows = {}
        for count in (few, many):
            where = str(folder / f"report-{count}")
            command = ("run", "tests.factories:tiny", str(folder / "pictures"), "-o", where, "--limit", str(count))
            run = peak(*command, "--size", str(SIDE), "-m", "quick", "-q")
            rows[count] = (run, peak("render", where))
            print(f"{count:>8}{rows[count][0]:>10.0f}{rows[count][1]:>11.0f}")
        ratios = [b / a for a, b in zip(rows[few], rows[many], strict=True)]
        print(f"{'ratio':>8}{ratios[0]:>10.2f}{ratios[1]:>11.2f}")


if __name__ == "__main__":
    main()
