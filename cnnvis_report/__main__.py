"""`python -m cnnvis_report`."""

from cnnvis_report.cli.main import cli

cli(prog_name="cnnvis-report")
