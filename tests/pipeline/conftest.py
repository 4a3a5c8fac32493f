"""A clock that the tests of this folder set."""

import time
from typing import Any

import pytest
import torch

from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Kind, Sign
from tests.pipeline.clock import CLOCK, Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setattr(time, "perf_counter", CLOCK)
    CLOCK.start()
    return CLOCK


@pytest.fixture
def thoughtful() -> None:
    """A method that takes 7 seconds an image without any pass, as superpixels do."""

    @method(title="T", family="f", source="no source", sign=Sign.POSITIVE, kind=Kind.PIXEL)
    def thoughtful(tape: Any, targets: Any) -> Any:
        """It thinks."""
        if type(tape).__name__ == "Tape":
            CLOCK.now += 7.0 * len(targets) / 3  # it is called for each of three classes
        return torch.ones_like(tape.images)
