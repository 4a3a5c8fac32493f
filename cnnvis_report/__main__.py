"""`python -m cnnvis_report`."""

from cnnvis_report.cli import cli

cli(prog_name="cnnvis-report")
