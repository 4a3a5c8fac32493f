"""Explain what a convolutional network looks at, and write it down as a site that opens offline."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cnnvis_report.pipeline.api import explain
    from cnnvis_report.report.loaded_run import load_run

__all__ = ["__version__", "explain", "load_run"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # later, so that the report side works where torch isn't installed
    if name == "explain":
        from cnnvis_report.pipeline.api import explain

        return explain
    if name == "load_run":
        from cnnvis_report.report.loaded_run import load_run

        return load_run
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
