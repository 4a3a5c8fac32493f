"""A report as a notebook shows it: its findings and its figure, without a request and without a script."""

from base64 import b64encode
from collections.abc import Sequence
from html import escape
from os.path import relpath
from pathlib import Path

from cnnvis_report.report.figure.caption import caption
from cnnvis_report.report.figure.save import figure_png
from cnnvis_report.report.views.report import Report


def as_html(report: Report, findings: Sequence[str], page: Path) -> str:
    """The title, the findings, the headline figure with its caption, and a link to the first page.

    Args:
        page: the first page; the link to it is relative to where the program runs, and names no other folder.
    """
    parts = [f"<h3>{escape(report.title)}</h3>"]
    if findings:
        parts.append(f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in findings)}</ul>")
    figure = report.figure
    if figure is not None:
        picture = b64encode(figure_png(figure)).decode("ascii")
        text = escape(caption(figure), quote=True)
        parts.append(f'<img style="max-width: 100%" alt="{text}" src="data:image/png;base64,{picture}">')
    parts.append(f'<p><a href="{escape(_address(page), quote=True)}">Open the report</a></p>')
    return f"<div>{''.join(parts)}</div>"


def _address(page: Path) -> str:
    try:
        path = Path(relpath(page))
    except ValueError:  # on another drive
        path = Path(page.parent.name) / page.name
    return path.as_posix() if ".." not in path.parts else f"{page.parent.name}/{page.name}"
