"""What was measured of a network, in a file."""

import json
from pathlib import Path

import numpy as np

from tests.benchmarks.measures.scoring import Scored


def write(path: Path, scored: Scored) -> None:
    """Write the file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {f"values/{name}": values for name, values in scored.values.items()}
    arrays |= {f"truth/{name}": values for name, values in scored.truth.items()}
    plain = json.dumps({"passes": scored.passes, "accuracies": scored.accuracies})
    temporary = path.with_name(f"{path.stem}.part.npz")
    np.savez_compressed(temporary, allow_pickle=False, plain=np.array(plain), **arrays)
    temporary.replace(path)


def read(path: Path) -> Scored:
    """Read what `write` has written."""
    with np.load(path, allow_pickle=False) as file:
        plain = json.loads(str(file["plain"]))
        parts = {
            part: {name.partition("/")[2]: file[name] for name in file.files if name.startswith(f"{part}/")}
            for part in ("values", "truth")
        }
    return Scored(parts["values"], parts["truth"], plain["passes"], plain["accuracies"])
