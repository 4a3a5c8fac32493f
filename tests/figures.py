"""How finely the headline figure of a report is drawn: coarsely in the tests, but in those that look at it.

In full it takes two thirds of the time of a small run, and hundreds of tests make one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import pytest

from cnnvis_report.report.figure import save

FASTEST = 0  # of WebP's methods
COARSE = 36  # pixels an inch, one for two points: the layout is that of the full figure, but for rounding
FULL = {name: getattr(save, name) for name in ("PAGE", "DARK_PAGE", "PRINT")}
WEBP = "webp"
ENCODE = getattr(save, WEBP)


def draw_coarsely() -> None:
    """Make the figures of all reports from here on coarse, in this process."""
    for name, style in FULL.items():
        setattr(save, name, replace(style, dpi=COARSE))
    setattr(save, WEBP, partial(ENCODE, method=FASTEST))


@contextmanager
def full_figures() -> Iterator[None]:
    """Draw figures as users get them."""
    with pytest.MonkeyPatch.context() as patch:
        for name, style in FULL.items():
            patch.setattr(save, name, style)
        patch.setattr(save, WEBP, ENCODE)
        yield
