"""Templates filled with views, piece by piece."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.environment import TemplateStream
from markupsafe import Markup, escape

from cnnvis_report.report.site.assets import favicon, folder, script_json
from cnnvis_report.report.site.pages import shown_pages
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.links import Links
from cnnvis_report.report.views.report import Report

FILTERS = (
    fmt.number,
    fmt.percent,
    fmt.count,
    fmt.short,
    fmt.sides,
    fmt.breakable,
    fmt.interval,
    fmt.setting,
    fmt.score_value,
    fmt.named_score,
    fmt.first_of,
)


@cache
def _environment(templates: Path) -> Environment:
    """The templates, compiled once in a process, and again when one has changed."""
    environment = Environment(
        loader=FileSystemLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {function.__name__: function for function in FILTERS}
    environment.filters["script_json"] = lambda content: Markup(script_json(content))
    environment.filters["code"] = code
    environment.filters["css_string"] = css_string
    environment.filters["verbatim"] = Markup  # for our own scripts and style sheets alone
    return environment


def code(text: str) -> Markup:
    """Text in which what stands between backticks is code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def css_string(text: str) -> Markup:
    """Text as the inside of a string of a style sheet: whatever isn't a letter or a digit becomes its code."""
    return Markup(
        "".join(letter if letter.isascii() and letter.isalnum() else f"\\{ord(letter):06x}" for letter in text)
    )


def stream_template(file: str, content: Mapping[str, Any]) -> TemplateStream:
    """A page of the template in this file, piece by piece: thousands of images need no memory for them."""
    stream = _environment(folder("templates")).get_template(file).stream(content)
    stream.enable_buffering(64)
    return stream


class Renderer:
    """Fills the templates with one report."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def stream(self, file: str, links: Links, **more: Any) -> TemplateStream:
        """A page of the template in this file, piece by piece."""
        return stream_template(file, self._frame() | more | {"links": links})

    def _frame(self) -> dict[str, Any]:
        """What the head and the foot of every page show."""
        network = self._report.network
        methods, images = fmt.count(len(self._report.run.methods), "method"), self._report.run.images
        return {
            "name": network.name,
            "description": f"What {network.name} looks at: {methods} on {fmt.count(images, 'image')}."
            if self._report.run.methods
            else f"{self._report.title}: what its layers compute.",
            "favicon": favicon(),
            "report_title": self._report.title,
            "pages": shown_pages(self._report),
            "facts": (
                f"{fmt.short(network.parameters)} parameters",
                fmt.columns(network.classes, network.kind),
                *([fmt.count(images, "image")] if images else []),
            ),
        }
