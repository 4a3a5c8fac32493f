"""How many of the forms in which people hold a network give a report, in an environment that has the extras.

    python -m tests.benchmarks.ways [PART OF A NAME ...]

Each form of `held_networks` is made, and `cnnvis-report run` with one method is called on one picture.
"""

import json
import os
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from click.testing import CliRunner
from PIL import Image

from cnnvis_report.cli.main import cli
from tests.benchmarks import held_by_libraries
from tests.benchmarks.held_networks import FORMS, OWN, Words

OPTIONS = ("--methods", "gradient", "--inspect", "none", "--metrics", "none", "--device", "cpu", "--size", "64", "-q")


def main(parts: list[str]) -> None:
    """Print a line for each form, and how many work."""
    warnings.simplefilter("ignore")
    names = [name for name in FORMS if not parts or any(part in name for part in parts)]
    works = 0
    print(f"{len(names)} forms, some of them by {held_by_libraries.__name__}")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("own_networks.py").write_text(OWN)
        sys.path.insert(0, folder)
        random = np.random.default_rng(0)
        Image.fromarray(random.integers(0, 256, (80, 100, 3), dtype=np.uint8)).save("picture.png")
        for number, name in enumerate(names):
            Path(str(number)).mkdir()
            start = time.monotonic()
            result = tried(name, Path(str(number)))
            works += not result.startswith("NOT")
            print(f"{name:44} {time.monotonic() - start:5.1f} s  {result}", flush=True)
    print(f"{works} of {len(names)} work")


def tried(name: str, folder: Path) -> str:
    """What opened the form and which layer was found, or why there is no report."""
    try:
        words = FORMS[name](folder)
    except Exception as error:
        return f"NOT MADE: {type(error).__name__}: {error}".splitlines()[0]
    options = _without_size(OPTIONS) if "transform" in name or name[-10:] == "dictionary" else list(OPTIONS)
    result = CliRunner().invoke(cli, ["run", *words, "picture.png", "-o", str(folder / "report"), *options])
    if result.exit_code or not (folder / "report" / "run.json").exists():
        return f"NOT: {(result.stderr or repr(result.exception)).strip().splitlines()[-1]}"
    network = json.loads((folder / "report" / "run.json").read_text())["run"]["network"]
    return f"{network.get('loader') or network['name']}; {network.get('preprocessing', '')[:50]}"


def _without_size(options: tuple[str, ...]) -> Words:
    at = options.index("--size")
    return [*options[:at], *options[at + 2 :]]


if __name__ == "__main__":
    main(sys.argv[1:])
