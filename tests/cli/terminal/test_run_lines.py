"""Lines about a run, as the terminal has them."""

from typing import Any

import pytest

from cnnvis_report.cli.terminal.run_lines import about


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.0, "less than a second"), (0.99, "less than a second"), (1.0, "about 1.0 s"), (75, "about 1 min 15 s")],
)
def test_an_estimate_is_never_nothing(seconds: Any, words: Any) -> None:
    assert about(seconds).replace("\u202f", " ") == words
