"""Style sheets and scripts of the pages, as text; the files of a site, and where what they are made of is."""

import json
import zlib
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from plotly.offline import get_plotlyjs

from cnnvis_report.errors import CnnVisError, one_way
from cnnvis_report.report.pictures.drawing import GROUND, SQUARES_UP_TO, STEEPNESS, Look
from cnnvis_report.report.pictures.image_layers import BLURS
from cnnvis_report.report.pictures.pack import text_of
from cnnvis_report.report.pictures.palettes import CLIPPED_AT, STEPS, all_stops
from cnnvis_report.report.pictures.thumbnails import JPEG
from cnnvis_report.report.site import assets
from cnnvis_report.store.files.atomic import within

THEME = "theme.js"  # runs before the page is painted; all others wait for the page
PACKAGE = Path(__file__).resolve().parents[2]


def styles() -> str:
    """All style sheets in one."""
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((folder("static") / "css").glob("*.css")))


def theme_script() -> str:
    """The script that sets the color scheme."""
    return (folder("static") / "js" / THEME).read_text(encoding="utf-8")


@cache
def favicon() -> str:
    """The icon of every page as a data URI: a page that is opened from a server asks for no other."""
    return "data:image/svg+xml;base64," + b64encode((folder("static") / "favicon.svg").read_bytes()).decode()


def scripts() -> str:
    """All other scripts in one, with the palettes; they do nothing before the page is there, so any order will do."""
    paths = sorted(path for path in (folder("static") / "js").glob("*.js") if path.name != THEME)
    constants = {
        "palettes": all_stops(),
        "look": asdict(Look()),
        "steps": STEPS,
        "steepness": STEEPNESS,
        "ground": GROUND,
        "squaresUpTo": SQUARES_UP_TO,
        "clippedAt": CLIPPED_AT,
        "blurs": BLURS,
    }
    preamble = f"var CnnVis = (globalThis.CnnVis ??= {{}});\nObject.assign(CnnVis, {script_json(constants)});\n"
    return preamble + "\n".join(path.read_text(encoding="utf-8") for path in paths)


@cache
def plotly() -> str:
    """plotly.js, as the installed package brings it."""
    return str(get_plotlyjs())


@cache
def packed_plotly() -> str:
    """The same, deflated, as text that stands in scripts: a third of its size."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return text_of(packer.compress(plotly().encode()) + packer.flush())


def script_json(content: Any) -> str:
    """JSON that can stand in a script element: nothing in it ends the element or begins another."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, sort_keys=True)
    return one_way(text).replace("<", "\\u003c")


def delivery(name: str, content: Any) -> str:
    """A script that hands data to the page, for addresses from which nothing can be fetched."""
    return f"CnnVis.deliver({script_json(name)}, {script_json(content)});\n"


@cache
def site_policy() -> str:
    """The policy of the pages of a folder: the scripts beside them, and Plotly, once they have unpacked it."""
    return policy(plotly(), beside=True)


def policy(*inline: str, beside: bool = False) -> str:
    """The content security policy of a page: these inline scripts, those of files `beside` it, and no others.

    Plotly writes style elements of its own, hence 'unsafe-inline' for styles.
    """
    hashes = [f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in inline]
    same_origin = ["'self'"] if beside else []
    rules = {
        "default-src": ["'none'"],
        "script-src": [*same_origin, *hashes],
        "style-src": [*same_origin, "'unsafe-inline'"],
        "img-src": [*same_origin, "data:", "blob:"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
    }
    return "; ".join(f"{name} {' '.join(sources)}" for name, sources in rules.items())


def folder(name: str) -> Path:
    """The folder called `templates` or `static`.

    Raises:
        CnnVisError: it is in neither place.
    """
    for parent in (PACKAGE, PACKAGE.parent):
        if (parent / name).is_dir():
            return parent / name
    raise CnnVisError(f"The folder {name!r} of cnnvis-report is missing; install the package again.")


def write_shared(folder: Path, data: Mapping[str, Any]) -> None:
    """Style sheets and scripts, and data that all pages share, by name."""
    texts = {
        "assets/report.css": assets.styles(),
        "assets/theme.js": assets.theme_script(),
        "assets/report.js": assets.scripts(),
        "assets/plotly.js": assets.delivery("plotly", assets.packed_plotly()),
        **{f"data/{name}.js": assets.delivery(name, content) for name, content in data.items()},
    }
    for name, text in texts.items():
        write_text(folder, name, text)


def write_text(folder: Path, name: str, text: str) -> None:
    """Write a file of the site, with the folders that it needs within the site's folder."""
    within(folder, name).write_text(text, encoding="utf-8", newline="\n")


def write_pictures(folder: Path, inner: str, pictures: Iterable[tuple[str, bytes]]) -> list[str]:
    """Write pictures into a folder of their own within the site's folder, each by its name; the names of the files."""
    names = []
    for name, content in pictures:
        names.append(f"{inner}/{name}.{'jpg' if content.startswith(JPEG) else 'webp'}")
        within(folder, names[-1]).write_bytes(content)
    return names
