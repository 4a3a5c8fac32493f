"""torchvision's own weights of a network: which there are, and how they are had."""

from typing import Any

import torchvision
from torchvision.models import WeightsEnum

from cnnvis_report.errors import BadRequest, UnknownName, brief
from cnnvis_report.models.loader import ModelRequest


def weights_asked_for(request: ModelRequest) -> tuple[str, WeightsEnum]:
    """The network that NAME or NAME@VERSION is, and these weights of it; torchvision's best without a version.

    Raises:
        UnknownName: there is no such version.
        BadRequest: one is given beside a file of weights.
    """
    name, _, version = request.text.partition("@")
    versions = torchvision.models.get_model_weights(name)
    if version and version not in versions.__members__:
        raise UnknownName(f"weights version of {name}", version, versions.__members__)
    if version and request.weights is not None:
        raise BadRequest(f"{request.text}: give either @{version} or --weights, not both.")
    return name, versions[version] if version else versions.DEFAULT


def fetched(name: str, entry: WeightsEnum, file: str) -> dict[str, Any]:
    """The tensors of weights that torchvision knows where to fetch.

    Raises:
        BadRequest: they can't be had, or aren't those that torchvision states the hash of.
    """
    try:
        return dict(entry.get_state_dict(progress=False, check_hash=True, weights_only=True))
    except (OSError, RuntimeError) as error:  # URLError is an OSError; a wrong hash is a RuntimeError
        raise BadRequest(
            f"{name}: its weights {file} can't be downloaded ({brief(error)}). "
            f"Fetch {entry.url} where there is a network, and give --weights {file}."
        ) from error
