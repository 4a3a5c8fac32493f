"""What a run costs an image and a map, and how much memory it takes, with few images and with many.

    python -m tests.benchmarks.scale [--methods NAMES] [--arguments WORDS] [COUNT ...]

Runs explain generated shapes of 32² with a small network; each is a process of its own, and its processor time, that
of the processes that it starts included, is divided among explaining, storing and rendering; what was imported and
examined before the first image isn't counted. A second run with quick metrics says what these add. Prints a table in
Markdown.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

SIDE = 32
METHODS = "grad_cam,gradient,guided_backprop"
PARTS = ("explaining", "evaluating", "storing", "rendering")


def processor_time() -> float:
    """Seconds of this process and of those that it has waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def timed(
    spent: defaultdict[str, float], part: str, function: Callable[..., Any], outer: str = ""
) -> Callable[..., Any]:
    """The function, which adds what it takes to a part; and takes it off another, in which it is called.

    Where it is called in another, its own thread alone is counted: others read the next images meanwhile.
    """
    clock = time.thread_time if outer else processor_time

    def call(*arguments: Any, **options: Any) -> Any:
        begin = clock()
        try:
            return function(*arguments, **options)
        finally:
            took = clock() - begin
            spent[part] += took
            spent[outer] -= took

    return call


class Enough(Exception):
    """What was to be measured is done."""


def stop(*_: Any, **__: Any) -> None:
    """Stand in for the writing of pages."""
    raise Enough


def child(words: list[str]) -> None:
    """Run a command in this process, and print what each part of it took, and its memory; --no-pages stops before."""
    from cnnvis_report.cli.main import cli
    from cnnvis_report.pipeline import run
    from cnnvis_report.report import write
    from cnnvis_report.store.writer import RunWriter

    spent: defaultdict[str, float] = defaultdict(float)
    run.run = timed(spent, "explaining", run.run)
    write.write_site = timed(spent, "rendering", stop if "--no-pages" in words else write.write_site)
    for name in ("add", "add_shard", "close_shard", "finish"):
        if hasattr(RunWriter, name):
            setattr(RunWriter, name, timed(spent, "storing", getattr(RunWriter, name), "explaining"))
    with suppress(Enough):
        cli([word for word in words if word != "--no-pages"], standalone_mode=False)
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
    print(json.dumps({**spent, "memory": peak}))


# a small process between: a child begins with the peak of its parent
BETWEEN = "import subprocess, sys; sys.exit(subprocess.run(sys.argv[1:]).returncode)"


def measured(*words: object) -> dict[str, float]:
    """What each part of a run took, in seconds, and its memory in MB."""
    command = [sys.executable, "-m", "tests.benchmarks.scale", "--child", *map(str, words)]
    output = subprocess.run([sys.executable, "-c", BETWEEN, *command], check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, float] = json.loads(output.stdout.splitlines()[-1])
    return result


def row(count: int, folder: Path, methods: str, more: list[str]) -> str:
    """A line of the table: milliseconds an image (and a map), kB an image, MB."""
    pictures = folder / f"pictures-{count}"
    drawing = ("make-dataset", "shapes", "-n", count, "--size", SIDE, "-o", pictures, "-q")
    subprocess.run([sys.executable, "-m", "cnnvis_report", *map(str, drawing)], check=True, stdout=subprocess.DEVNULL)
    common = ("run", "tests.factories:tiny", pictures, "-m", methods, "--classes", "top:1", "--inspect", "none", "-q")
    plain = measured(*common, "--metrics", "none", "-o", folder / "plain", *more)
    rated = measured(*common, "--metrics", "quick", "-o", folder / "rated", *more, "--no-pages")
    plain["evaluating"] = rated["explaining"] - plain["explaining"]
    maps = count * len(methods.split(","))
    cells = [f"{plain[part] / count * 1e3:.1f} ({plain[part] / maps * 1e3:.1f})" for part in PARTS]
    arrays = sum(path.stat().st_size for path in (folder / "plain" / "arrays").rglob("*") if path.is_file())
    pages = sum(path.stat().st_size for path in (folder / "plain").rglob("*") if path.is_file()) - arrays
    sizes = [f"{arrays / count / 1e3:.1f}", f"{pages / count / 1e3:.1f}", f"{plain['memory']:.0f}"]
    return " | ".join([f"| {count:,}", *cells, *sizes]) + " |"


def main() -> None:
    """Measure, and print the table, a line as soon as it is known."""
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("counts", nargs="*", type=int, default=[100, 1000, 10_000], metavar="COUNT")
    parser.add_argument("--methods", default=METHODS, help="with commas between them")
    parser.add_argument("--arguments", default="", help="more words for the runs, such as '--workers 2'")
    options = parser.parse_args()
    heads = ["images", *PARTS, "arrays, kB", "the rest, kB", "peak, MB"]
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}", flush=True)
    for count in options.counts:
        with tempfile.TemporaryDirectory() as name:
            print(row(count, Path(name), options.methods, options.arguments.split()), flush=True)


if __name__ == "__main__":
    main()
