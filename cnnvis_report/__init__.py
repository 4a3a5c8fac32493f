"""Explain what a convolutional network looks at, and write it down as a site that opens offline."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cnnvis_report.live.create import create_report
    from cnnvis_report.pipeline.api import explain
    from cnnvis_report.report.comparison.loaded import compare_reports
    from cnnvis_report.report.loaded_report import load_report

__all__ = ["__version__", "compare_reports", "create_report", "explain", "load_report"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # later, so that the report side works where torch isn't installed
    if name == "explain":
        from cnnvis_report.pipeline.api import explain

        return explain
    if name == "create_report":
        from cnnvis_report.live.create import create_report

        return create_report
    if name == "compare_reports":
        from cnnvis_report.report.comparison.loaded import compare_reports

        return compare_reports
    if name == "load_report":
        from cnnvis_report.report.loaded_report import load_report

        return load_report
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
