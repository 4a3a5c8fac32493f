"""Measures how well each measure of faithfulness orders maps; the figures go into docs/evidence-benchmark.md.

    python -m tests.benchmarks.measures [--images 24] [--networks 1] [--folder FOLDER] [--table]

Trains so many networks on each kind of drawn images, explains held-out images, and compares the order of the maps by
each measure with that by the masks. With a folder, what was measured of a network is kept there and not measured
again. With --table, the page's tables are written; else they are printed.
"""

import argparse
import sys
import time
from pathlib import Path

import torch

from tests.benchmarks.measures.drawn_sets import SETS, DrawnSet, accuracies, problem_of
from tests.benchmarks.measures.scoring import Scored, scored
from tests.benchmarks.measures.storing import read, write
from tests.benchmarks.measures.table import tables, write_tables

LEAST_ACCURACY = 0.9  # a network near chance tells nothing


def of_network(drawn: DrawnSet, seed: int, images: int) -> Scored:
    """What the maps of one network score, on the first images that it classifies correctly."""
    problem = problem_of(drawn, seed)
    fractions = accuracies(problem)
    print(f"{drawn.name}, network {seed}: {fractions}", flush=True)
    if fractions["as they are"] < LEAST_ACCURACY:
        raise SystemExit(f"{drawn.name}, network {seed}: an accuracy of {fractions['as they are']:.1%} tells nothing.")
    correct = problem.correct(problem.images).nonzero()[:, 0].tolist()
    return scored(problem.chosen(correct[:images]), fractions, lambda text: print(text, end="\r", flush=True))


def main() -> int:
    """Measure, and print or write the tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.measures")
    parser.add_argument("--images", type=int, default=24, help="of each network")
    parser.add_argument("--networks", type=int, default=1, help="trained on each kind of images")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--folder", type=Path, help="keeps what was measured of each network")
    parser.add_argument("--table", action="store_true", help="write the tables of the page")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    results: dict[str, list[Scored]] = {}
    for name in arguments.sets:
        for seed in range(arguments.networks):
            start = time.perf_counter()
            path = arguments.folder / f"{name}-{seed}-{arguments.images}.npz" if arguments.folder else None
            result = read(path) if path and path.is_file() else of_network(SETS[name], seed, arguments.images)
            if path:
                write(path, result)
            results.setdefault(name, []).append(result)
            print(f"{name}, network {seed}: {time.perf_counter() - start:.0f} s", flush=True)
    if arguments.table:
        write_tables(results)
    else:
        print("\n\n".join(f"{name}\n\n{table}" for name, table in tables(results).items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
