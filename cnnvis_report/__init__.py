"""Explain what a convolutional network looks at, and write it down as a site that opens offline."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cnnvis_report.pipeline.api import explain

__all__ = ["__version__", "explain"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # later, so that the report side works where torch isn't installed
    if name == "explain":
        from cnnvis_report.pipeline.api import explain

        return explain
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
