"""Tries everything in full; the rows of what was tried go into the table of `docs/robustness.md`.

- `python -m tests.robustness --table`: all, which takes hours
- `python -m tests.robustness "damaged folders" --table`: some of them; the other rows stay
- `python -m tests.robustness --count 50`: fewer of each, on the terminal alone

Ctrl-C, or `kill`, ends what is being tried, and what was tried so far counts.
"""

import argparse
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from tests.robustness.attack import Attack
from tests.robustness.attacks import ATTACKS

PAGE = Path(__file__).parents[2] / "docs" / "robustness.md"
START, END = "<!-- table: begin -->", "<!-- table: end -->"
HEAD = "| What is tried | What is promised | Tried | Survived |\n|---|---|---|---|"


def tried(attack: Attack, count: int) -> tuple[int, list[str]]:
    """How many trials there were until all were done or Ctrl-C was pressed, and what was wrong with some of them."""
    found: list[str] = []
    with tempfile.TemporaryDirectory() as folder, suppress(KeyboardInterrupt):
        for said in attack.trials(range(count), Path(folder)):
            found.append(said)
    return len(found), [each for each in found if each]


def note(rows: dict[str, str]) -> None:
    """Put rows into the table of the page, by the names that they begin with; other rows stay as they are."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(START)
    table, _, after = rest.partition(END)
    known = {line.split("|")[1].strip(): line for line in table.strip().splitlines()[2:]} | rows
    kept = [known[attack.name] for attack in ATTACKS if attack.name in known]
    PAGE.write_text(before + "\n".join([START, HEAD, *kept, END]) + after, encoding="utf-8")


def main() -> int:
    """Try what was asked for; 1 where something wasn't survived."""
    parser = argparse.ArgumentParser(prog="python -m tests.robustness")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(attack.name for attack in ATTACKS)}")
    parser.add_argument("--count", type=int, help="how many of each, at most")
    parser.add_argument("--table", action="store_true", help=f"put what was tried into {PAGE.name}")
    given = parser.parse_args()
    unknown = set(given.names) - {attack.name for attack in ATTACKS}
    if unknown:
        parser.error(f"nothing is called {', '.join(sorted(unknown))}")
    faults = 0
    for asked in (signal.SIGINT, signal.SIGTERM):  # which a shell's background job ignores, or dies of
        signal.signal(asked, signal.default_int_handler)
    for attack in [attack for attack in ATTACKS if not given.names or attack.name in given.names]:
        start = time.perf_counter()
        count, wrong = tried(attack, min(given.count or attack.full, attack.full))
        faults += len(wrong)
        took = time.perf_counter() - start
        print(f"{attack.name}: {count - len(wrong)} of {count} survived, {took:.0f} s", flush=True)
        for each in wrong[:20]:
            print(f"    {each}", flush=True)
        if given.table:
            note({attack.name: f"| {attack.name} | {attack.survived} | {count} | {count - len(wrong)} |"})
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
