"""Templates filled with views: the pages of a site, and the page that holds everything."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.environment import TemplateStream
from markupsafe import Markup, escape

from cnnvis_report.errors import one_way
from cnnvis_report.report.pictures.thumbnails import data_uri
from cnnvis_report.report.site import assets
from cnnvis_report.report.site.assets import folder, script_json, write_pictures
from cnnvis_report.report.site.pages import Page, ReportOf, shown_pages
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.links import Links, SingleFileLinks, SiteLinks
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
        finalize=readable,
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


def readable(value: object) -> object:
    """What an expression of a template gives, without what would turn the text around it."""
    if not isinstance(value, str) or value.isascii():
        return value
    return Markup(one_way(value)) if isinstance(value, Markup) else one_way(value)


def code(text: str) -> Markup:
    """Text in which what stands between backticks is code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def css_string(text: str) -> Markup:
    """Text as the inside of a string of a style sheet: whatever isn't a letter or a digit becomes its code."""
    return Markup(
        "".join(letter if letter.isascii() and letter.isalnum() else f"\\{ord(letter):06x}" for letter in one_way(text))
    )


def stream_template(file: str, content: Mapping[str, Any]) -> TemplateStream:
    """A page of the template in this file, piece by piece: thousands of images need no memory for them."""
    stream = _environment(folder("templates")).get_template(file).stream(content)
    stream.enable_buffering(64)
    return stream


def write_page(path: Path, frame: Mapping[str, Any], links: Links, **content: Any) -> None:
    """Write a page of a site.

    Args:
        frame: what the head and the foot of every page show.
    """
    shown = {**frame, "policy": assets.site_policy(), "links": links, **content}
    stream_template("page.html", shown).dump(str(path), encoding="utf-8")


def write_table(folder: Path, pages: Iterable[Page[ReportOf]], report: ReportOf, frame: Mapping[str, Any]) -> None:
    """Write the pages of a table into the folder of a site, each with its own pictures."""
    for page in pages:
        links = SiteLinks(page_name=f"pages/{page.name}")
        write_pictures(folder, f"stills/{links.page_name}", page.pictures(report))
        view = page.view(report, links)
        named = {"page": page.name, "title": page.title, "template": page.template}
        write_page(folder / f"{page.name}.html", frame, links, view=view, **named)


def write_single_page(path: Path, frame: Mapping[str, Any], **content: Any) -> int:
    """Write a page that holds everything, scripts and styles too; its size in bytes."""
    theme, script = assets.theme_script(), assets.scripts()
    inlined = {
        "links": SingleFileLinks(),
        "policy": assets.policy(theme, script, assets.plotly()),
        "styles": assets.styles(),
        "theme": theme,
        "script": script,
        "plotly": assets.packed_plotly(),
    }
    stream_template("single_file.html", {**frame, **inlined, **content}).dump(str(path), encoding="utf-8")
    return path.stat().st_size


def parts_of(pages: Iterable[Page[ReportOf]], report: ReportOf) -> Iterator[dict[str, Any]]:
    """What the page that holds everything gets of each page of a table."""
    for page in pages:
        links = SingleFileLinks({name: data_uri(content) for name, content in page.pictures(report)})
        named = {"name": page.name, "title": page.title, "template": page.template}
        yield named | {"links": links, "view": page.view(report, links)}


def frame(report: Report) -> dict[str, Any]:
    """What the head and the foot of every page of a run's report show."""
    network, run = report.network, report.run
    methods, images = fmt.count(len(run.methods), "method"), fmt.count(run.images, "image")
    return {
        "name": network.name,
        "description": f"What {network.name} looks at: {methods} on {images}."
        if run.methods
        else f"{report.title}: what its layers compute.",
        "favicon": assets.favicon(),
        "report_title": report.title,
        "pages": shown_pages(report),
        "facts": (
            f"{fmt.short(network.parameters)} parameters",
            fmt.columns(network.classes, network.kind),
            *([images] if run.images else []),
        ),
    }
