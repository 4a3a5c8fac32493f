"""The pages of a comparison of runs: those of a run's report, with runs in the place of classes."""

from cnnvis_report.report.comparison.write import write_comparison

__all__ = ["write_comparison"]
