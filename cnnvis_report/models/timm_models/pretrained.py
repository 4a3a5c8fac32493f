"""timm's own weights of a network: from the hub, or from this machine's copy of what was fetched before."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from cnnvis_report.errors import BadRequest, brief
from cnnvis_report.models.hub import fetch, split_revision
from cnnvis_report.models.timm_models.names import PREFIX, TimmName
from cnnvis_report.models.timm_models.network import Recipe

HUB_FILES = ("model.safetensors", "pytorch_model.bin")


def pretrained(name: TimmName, arguments: Mapping[str, Any]) -> tuple[nn.Module, str]:
    """The network with timm's weights, and the tag of these.

    Raises:
        BadRequest: timm has none, or they can't be had.
    """
    from timm.models import get_pretrained_cfg

    config = get_pretrained_cfg(str(name))
    if config is None or not config.has_weights:
        raise BadRequest(f"{PREFIX}{name}: timm has no weights of it. Give a file with --weights.")
    if config.num_classes == 0:
        raise BadRequest(
            f"{PREFIX}{name}: its weights are of a feature extractor without classes. Give those of a classifier "
            f"that was made of it, with --weights."
        )
    file = _file(name, config)
    # timm reads the file: it knows which of its weights have another form, or a class for the background
    where = {"pretrained_cfg_overlay": {"file": str(file)}} if file else {}
    try:
        network = Recipe(str(name), arguments).build(pretrained=True, **where)
    except BadRequest as error:
        way = f"Fetch {config.url} where there is a network, and give the file with --weights. " if not file else ""
        raise BadRequest(f"{PREFIX}{name}: its weights can't be had. {way}({brief(error)})") from error
    return network, str(config.tag or "")


def _file(name: TimmName, config: Any) -> Path | None:
    """The file on this machine; None where timm keeps them elsewhere than on the hub, and fetches them itself."""
    if not config.hf_hub_id:
        return None
    repository, revision = split_revision(config.hf_hub_id)
    names = (config.hf_hub_filename,) if config.hf_hub_filename else HUB_FILES
    way = f", and give it with --weights {names[0]}"
    return fetch(f"{PREFIX}{name}", repository, names, revision, way)
