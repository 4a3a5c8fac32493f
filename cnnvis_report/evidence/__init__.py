"""What follows from what was measured: intervals, groups of equal maps, checks, and a verdict on every method."""

from cnnvis_report.evidence.verdicts import evidence_of

__all__ = ["evidence_of"]
