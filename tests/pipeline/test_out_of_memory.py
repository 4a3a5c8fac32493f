"""A batch that doesn't fit leaves nothing of itself in memory before its halves are tried."""

import gc
from pathlib import Path

from cnnvis_report.store import load_run
from tests.conftest import command


def test_nothing_of_a_batch_that_did_not_fit_is_kept(drawn: Path, tmp_path: Path) -> None:
    gc.disable()  # what only the collector would free stays on a card until the collector comes
    try:
        words = ("--batch-size", "4", "-m", "tests.pipeline.planted_memory:greedy", "--inspect", "none")
        result = command("run", "tests.factories:tiny", drawn, "-o", tmp_path / "r", "--limit", "4", *words)
    finally:
        gc.enable()
    from tests.pipeline.planted_memory import ALIVE, TAPES  # announces the method, in this test alone

    assert "with 4 images at a time; going on with 2" in result.stderr
    assert "with 2 images at a time; going on with 1" in result.stderr
    assert load_run(tmp_path / "r").record.images == 4
    assert len(TAPES) == 3 and max(ALIVE) == 0
