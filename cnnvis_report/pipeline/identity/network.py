"""What tells a network from others, beside the logits that it gives."""

from dataclasses import dataclass

from torch import nn

from cnnvis_report.models.network_state import weights_hash
from cnnvis_report.pipeline.identity.module_settings import settings_hash
from cnnvis_report.pipeline.identity.source_code import code_hash, network_files


@dataclass(frozen=True)
class NetworkIdentity:
    """Digests of its weights, of what its modules are set to, and of the code that somebody has written for it."""

    weights: str = ""
    settings: str = ""
    code: str = ""


def identify_network(network: nn.Module, spec: str) -> NetworkIdentity:
    """The digests of a network as it stands, called `spec` by its user."""
    return NetworkIdentity(weights_hash(network), settings_hash(network), code_hash(network_files(network, spec)))
