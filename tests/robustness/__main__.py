"""Tries everything in full and writes the table of `docs/robustness.md`.

python -m tests.robustness                     all, and the table
python -m tests.robustness "damaged folders"   some of them, on the terminal alone
python -m tests.robustness --count 50          fewer of each, on the terminal alone
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.robustness.attack import Attack
from tests.robustness.attacks import ATTACKS

PAGE = Path(__file__).parents[2] / "docs" / "robustness.md"
START, END = "<!-- table: begin -->", "<!-- table: end -->"


def tried(attack: Attack, count: int) -> tuple[int, list[str]]:
    """How many trials there were, and what was wrong with those that weren't survived."""
    with tempfile.TemporaryDirectory() as folder:
        found = list(attack.trials(count, Path(folder)))
    return len(found), [each for each in found if each]


def main() -> int:
    """Try what was asked for; 1 where something wasn't survived."""
    parser = argparse.ArgumentParser(prog="python -m tests.robustness")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(attack.name for attack in ATTACKS)}")
    parser.add_argument("--count", type=int, help="how many of each, instead of all")
    given = parser.parse_args()
    chosen = [attack for attack in ATTACKS if not given.names or attack.name in given.names]
    rows, faults = [], 0
    for attack in chosen:
        start = time.perf_counter()
        count, wrong = tried(attack, given.count or attack.full)
        faults += len(wrong)
        took = time.perf_counter() - start
        print(f"{attack.name}: {count - len(wrong)} of {count} survived, {took:.0f} s", flush=True)
        for each in wrong[:20]:
            print(f"    {each}", flush=True)
        rows.append(f"| {attack.name} | {attack.survived} | {count} | {count - len(wrong)} |")
    if len(chosen) == len(ATTACKS) and not given.count and PAGE.is_file():
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(START)
        head = "| What is tried | What is promised | Tried | Survived |\n|---|---|---|---|"
        table = "\n".join([START, head, *rows, END])
        PAGE.write_text(before + table + rest.partition(END)[2], encoding="utf-8")
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
