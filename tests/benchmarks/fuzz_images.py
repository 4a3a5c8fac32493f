"""Read thousands of damaged images of all formats in child processes of bounded memory and time, and print a table.

`python -m tests.benchmarks.fuzz_images [IMAGES] [SEED]`; fails where one ends in a traceback, a crash or a hang.
"""

import json
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from cnnvis_report.data.image_set import find_images, labeled
from cnnvis_report.data.preprocessing.preprocessing import NO_LEVELS
from cnnvis_report.data.preprocessing.value_range import find_levels
from cnnvis_report.errors import CnnVisError
from tests.image_samples import damaged, samples

IMAGES = 10_000
SECONDS = 10  # that an image may take
MEMORY = 2 << 30  # bytes that a child may have beside what it begins with
PARTS = 3  # images of a file that are decoded
GOOD = ("read", "refused")


@dataclass
class Row:
    """What became of the images of one format."""

    outcomes: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    megabytes: float = 0.0


def read(content: bytes, ending: str, folder: Path) -> str:
    """What a run does with a file: "read", "refused", or the name of an exception that nobody catches."""
    path = folder / f"a{ending}"
    path.write_bytes(content)
    outcome = "refused"
    try:
        images = find_images([path]).only(lambda image: image.page < PARTS)
        levels, _ = find_levels(images, NO_LEVELS, "--range")
        for item in labeled(images, (), levels=levels):
            try:
                picture = item.open()
                outcome = "read"
                assert getattr(picture, "size", (1, 1))[0] > 0
            except CnnVisError as error:
                assert str(error) and "\n" not in str(error), "one line"
    except CnnVisError as error:
        assert str(error) and "\n" not in str(error), "one line"
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:200]
    return outcome


def child(first: int, last: int, seed: int) -> None:
    """Read the images from `first` to before `last`; a line before and after each, for the parent to see."""
    known = samples()
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    limit = int(status["VmSize"].split()[0]) * 1024 + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with tempfile.TemporaryDirectory() as folder:
        for number in range(first, last):
            format, ending, _ = sample = known[number % len(known)]
            print(json.dumps({"number": number, "format": format}), flush=True)
            content = damaged(sample, seed + number)
            start = time.perf_counter()
            signal.alarm(SECONDS)
            outcome = read(content, ending, Path(folder))
            signal.alarm(0)
            seconds = time.perf_counter() - start
            after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            line = {"outcome": outcome, "seconds": seconds, "megabytes": (after - before) / 1024}
            print(json.dumps(line), flush=True)
            before = after


def fuzz(images: int, seed: int) -> dict[str, Row]:
    """The rows of the table by format."""
    rows: dict[str, Row] = defaultdict(Row)
    first = 0
    while first < images:
        words = [sys.executable, "-m", __spec__.name, "child", str(first), str(images), str(seed)]
        process = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
        lines = [json.loads(line) for line in process.stdout.splitlines()]
        for asked, answer in zip(lines[::2], lines[1::2], strict=False):
            row = rows[asked["format"]]
            row.outcomes[answer["outcome"]] += 1
            row.slowest = max(row.slowest, answer["seconds"])
            row.megabytes = max(row.megabytes, answer["megabytes"])
            if answer["outcome"] not in GOOD:
                print(f"{asked['format']}, number {asked['number']}: {answer['outcome']}", file=sys.stderr)
        if not lines:
            raise SystemExit(f"the child ended with {process.returncode} before it read anything")
        if len(lines) % 2:
            reason = signal.Signals(-process.returncode).name if process.returncode < 0 else process.returncode
            rows[lines[-1]["format"]].outcomes[f"ended by {reason}"] += 1
            print(f"{lines[-1]['format']}, number {lines[-1]['number']}: ended by {reason}", file=sys.stderr)
        first = (lines[-1] if len(lines) % 2 else lines[-2])["number"] + 1
    return rows


def main(images: int, seed: int) -> int:
    """Print the table; 1 where an image did something else than it should."""
    rows = fuzz(images, seed)
    print(f"{'format':18}{'images':>8}{'read':>8}{'refused':>9}{'other':>7}{'slowest s':>11}{'most MB':>9}")
    wrong = 0
    for format, row in rows.items():
        total, good = row.outcomes.total(), [row.outcomes[outcome] for outcome in GOOD]
        other = total - sum(good)
        wrong += other
        print(f"{format:18}{total:8}{good[0]:8}{good[1]:9}{other:7}{row.slowest:11.2f}{row.megabytes:9.0f}")
    print(f"{'all':18}{sum(row.outcomes.total() for row in rows.values()):8}")
    return min(wrong, 1)


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        child(*map(int, sys.argv[2:5]))
    else:
        sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else IMAGES, int(sys.argv[2]) if sys.argv[2:] else 0))
