"""Templates and static files: inside the package where it was installed, beside it in a checkout."""

from pathlib import Path

from cnnvis_report.errors import CnnVisError

PACKAGE = Path(__file__).resolve().parents[2]


def folder(name: str) -> Path:
    """The folder called `templates` or `static`.

    Raises:
        CnnVisError: it is in neither place.
    """
    for parent in (PACKAGE, PACKAGE.parent):
        if (parent / name).is_dir():
            return parent / name
    raise CnnVisError(f"The folder {name!r} of cnnvis-report is missing; install the package again.")
