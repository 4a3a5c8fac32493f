"""Names that the shell completes: methods and models without torch, layers of the model that was typed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cnnvis_report

NETWORKS = Path(cnnvis_report.__file__).parent / "models" / "networks.txt"  # read here, as its module needs torch


def complete(names: str, params: Mapping[str, Any], incomplete: str) -> list[str]:
    """Names that begin like the text; after a comma, those of the part behind it.

    Args:
        names: "methods", "models" or "layers". params: what was typed before, by parameter.
    """
    known = {"methods": _methods, "models": _models, "layers": _layers}.get(names)
    if known is None:
        return []
    before, comma, last = incomplete.rpartition(",") if names == "methods" else ("", "", incomplete)
    try:
        return [f"{before}{comma}{name}" for name in known(params) if name.startswith(last)]
    except Exception:  # nothing may be said on a command line that is being typed
        return []


def _methods(_: Mapping[str, Any]) -> list[str]:
    from cnnvis_report.methods.catalog import catalog
    from cnnvis_report.methods.registry import PRESETS

    return [*PRESETS, *(info.name for info in catalog())]


def _models(_: Mapping[str, Any]) -> list[str]:
    lines = NETWORKS.read_text(encoding="ascii").splitlines()
    return sorted({name for line in lines for name in line.split()[2:] if "/" not in name})


def _layers(params: Mapping[str, Any]) -> list[str]:
    from cnnvis_report.cli.network_tables import layer_names

    return layer_names(str(params["model"]), params.get("weights"))
