"""Where results come from: what ran when on what."""

import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

from cnnvis_report import __version__
from cnnvis_report.engine.devices import describe
from cnnvis_report.pipeline.setup import Study
from cnnvis_report.records.run import Setting

PACKAGES = ("torch", "torchvision", "numpy", "pillow")


def provenance(study: Study, seconds: float, bound: float, computed: int) -> dict[str, Setting]:
    """When, how long, on what, with which versions; nothing that names a person, a machine or a folder.

    seconds, bound: what the last start took for its `computed` images, and what its passes take at least.
    """
    return {
        "finished": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "seconds": round(seconds, 3),
        "ideal_seconds": round(bound, 3),
        "images_computed": computed,
        "device": describe(study.device),
        "python": platform.python_version(),
        "system": platform.system(),
        "versions": {"cnnvis-report": __version__} | {name: _version(name) for name in PACKAGES},
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
