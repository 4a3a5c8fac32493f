"""A batch that doesn't fit leaves nothing of itself in memory before its halves are tried."""

import gc
import weakref
from pathlib import Path

import torch
from torch import Tensor

from cnnvis_report.plugin import Kind, Sign, Tape, method
from cnnvis_report.store import load_run
from tests.conftest import command

ALIVE: list[int] = []  # how many earlier tapes were there at each call with a smaller batch
TAPES: "list[weakref.ref[Tape]]" = []


@method(title="Greedy", family="planted", source="no source: planted", sign=Sign.POSITIVE, kind=Kind.AREA)
def greedy(tape: Tape, targets: Tensor) -> Tensor:
    """What fits for one image alone."""
    ALIVE.append(sum(reference() is not None for reference in TAPES))
    if len(tape.images) > 1:
        TAPES.append(weakref.ref(tape))
        raise torch.OutOfMemoryError("CUDA out of memory")
    return tape.images[:, 0].abs()


def test_nothing_of_a_batch_that_did_not_fit_is_kept(drawn: Path, tmp_path: Path) -> None:
    gc.disable()  # what only the collector would free stays on a card until the collector comes
    try:
        words = ("--batch-size", "4", "-m", f"{__name__}:greedy", "--inspect", "none", "--metrics", "none")
        result = command("run", "tests.factories:tiny", drawn, "-o", tmp_path / "r", "--limit", "4", *words)
    finally:
        gc.enable()
    assert "with 4 images at a time; going on with 2" in result.stderr
    assert "with 2 images at a time; going on with 1" in result.stderr
    assert load_run(tmp_path / "r").record.images == 4
    assert len(TAPES) == 3 and max(ALIVE) == 0
