"""What the files of a run folder are called: names become paths here and nowhere else.

A run folder may be a stranger's, and every name in its lists with it. A name is admitted where it has the shape of one
that this program gives, which leaves no room for a way out of the folder.
"""

import re
from pathlib import Path

from cnnvis_report.errors import BadRequest
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.store.files.atomic import link_on_the_way

MANIFEST = "run.json"
JOURNAL = "journal.jsonl"
COMPARISON = "comparison.json"  # of runs, in a folder of its own
PAGES = "pages.json"
LOCK = ".lock"
ARRAYS = "arrays"
INSPECTION = "inspection"  # what the layers compute
FITTED = "fitted"  # what was fitted to the image set, kept until the run is complete
FIGURE = "figure.png"
FIGURE_SOFTWARE = "cnnvis-report figure"  # what a figure names as the program that made it
NETWORK = "network"  # what they compute whatever the image; no image has this id
SNAPSHOTS = "snapshots"  # images over the epochs of a training; nor this one
BUILDING = re.compile(r"\.pages-[0-9a-f]{8}")  # pages that aren't all there yet

ID = r"[a-z0-9]+(?:-[a-z0-9]+)*"
SHARD = re.compile(r"shard-(\d{5,9})")
IMAGE = re.compile(rf"(?!(?:{NETWORK}|{SNAPSHOTS}|{INSPECTION}|provenance|shard-\d+)$)(?=.{{1,64}}$){ID}")
WORD = re.compile(r"(?=.{1,100}$)[^\W\d]\w*")
_SHAPES = (rf"{ARRAYS}/{ID}\.npz", rf"{INSPECTION}/{ID}\.npz", rf"{FITTED}/[\w.-]+\.safetensors")
FIRST_PAGES = ("index.html", "performance.html", "features.html", "methods.html", "run.html")  # looked for before a run
_PAGES = (
    r"[a-z]{1,40}\.html",
    re.escape(FIGURE),
    r"assets/(?:report\.css|theme\.js|report\.js|plotly\.js)",
    rf"images/{ID}\.html",
    rf"data/{ID}\.js",
    rf"stills/{ID}/(?:picture\.webp|\w+\.jpg)",
    rf"stills/inspection/{ID}/[\w-]+\.webp",
    r"stills/pages/[a-z]{1,40}/[\w-]+\.webp",
)
_KEPT = re.compile("|".join(_SHAPES))
_PAGE = re.compile("|".join(_PAGES))
UNFINISHED = "index.html"  # the one page that is written while a run goes on, in its place
TOP = re.compile("|".join(map(re.escape, (MANIFEST, JOURNAL, COMPARISON, PAGES, UNFINISHED))))
FILE = re.compile(rf"{ID}\.npz|[\w.-]+\.safetensors")


def is_page(name: str) -> bool:
    """Whether a name, relative to the folder, is of the shape of a page's file."""
    return len(name) < 400 and _PAGE.fullmatch(name) is not None


def is_ours(name: str) -> bool:
    """Whether a name, relative to the folder, is of the shape of any file of ours."""
    return len(name) < 400 and bool(is_page(name) or _KEPT.fullmatch(name) or TOP.fullmatch(name))


def place(folder: Path, name: str) -> Path:
    """Where a file of ours is.

    Raises:
        BadRequest: the name isn't one that this program gives, or a link leads out of the folder on the way to it.
    """
    if not is_ours(name):
        raise BadRequest(f"{folder}: {name[:80]!r} isn't the name of a file that a run has written.")
    link = link_on_the_way(folder, name)
    if link is not None:
        raise BadRequest(f"{link}: is a link, and a run folder has none. Put a folder in its place.")
    return folder / name


def arrays_name(image: str) -> str:
    """The file of an image's arrays."""
    return f"{ARRAYS}/{image}.npz"


def shard_name(number: int) -> str:
    """The file of the arrays of a shard's images."""
    return f"{ARRAYS}/shard-{number:05d}.npz"


def file_of(image: ImageRecord) -> str:
    """The file that holds an image's arrays: its own, or that of its shard."""
    return arrays_name(image.id) if image.shard is None else shard_name(image.shard)


def inspection_name(name: str) -> str:
    """The file of arrays of what the layers compute: for an image by its id, for the network by NETWORK."""
    return f"{INSPECTION}/{name}.npz"


def fitted_name(name: str) -> str:
    """The file in which an unfinished run keeps what was fitted under a name."""
    return f"{FITTED}/{name}.safetensors"


def array_key(method: str, layer: str, target: int) -> str:
    """The name of a map in its image's file of arrays, such as "grad_cam/layer4/281" or "saliency/281"."""
    layer = re.sub(r"[^\w.#-]", "_", layer)
    return "/".join(part for part in (method, layer, str(target)) if part)
