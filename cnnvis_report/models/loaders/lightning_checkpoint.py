"""Checkpoints of Lightning, with the architecture or the class that they are of."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from cnnvis_report.data.image_file import several
from cnnvis_report.errors import BadRequest
from cnnvis_report.models.checkpoints.read_checkpoint import load_into, read_content, read_for, read_state
from cnnvis_report.models.known_networks.nearest_network import advice
from cnnvis_report.models.lightning.checkpoint import (
    HYPER_PARAMETERS,
    LISTED,
    VERSION,
    HyperParameters,
    is_lightning,
    last_weight,
)
from cnnvis_report.models.load import load_model
from cnnvis_report.models.loader import ModelRequest, Way, loader
from cnnvis_report.models.model import Model
from cnnvis_report.models.own_code.factories import is_factory, make_network
from cnnvis_report.models.own_code.network_attributes import declared_model
from cnnvis_report.models.pickles.run_pickle import run_pickle

CHECKED = "every tensor of the network is there, by name and shape"


@loader(
    title="a checkpoint of Lightning",
    example="last.ckpt with --arch resnet18 or --arch package.module:Class",
    matches=lambda model: is_lightning(Path(model)),
    order=18,
    reads=("--arch", "--arg"),
    ways=(
        Way("a Lightning checkpoint of a known architecture", "last.ckpt --arch resnet18", CHECKED),
        Way(
            "a Lightning checkpoint and its class",
            "last.ckpt --arch package.module:Class",
            f"{CHECKED}; the class gets the hyper-parameters in the file, `--arg` over them",
        ),
    ),
)
def lightning_checkpoint(request: ModelRequest) -> Model:
    """Open a checkpoint of Lightning as the architecture, or the class, that the user names."""
    path = Path(request.text)
    request.refuse_weights(path.name)
    if not request.architecture:
        raise BadRequest(_without_architecture(path))
    if is_factory(request.architecture):
        return _of_class(request, path)
    model = load_model(request.architecture, path, trusted=request.trusted, arguments=request.arguments)
    return replace(model, loader=f"a checkpoint of Lightning, of {model.loader}")


def _of_class(request: ModelRequest, path: Path) -> Model:
    """The network that a class or a function makes of the hyper-parameters, with the weights."""
    spec = request.architecture

    def make(value: str) -> Mapping[str, Any]:
        request.require_trust(value)
        content: Mapping[str, Any] = run_pickle(path, spec)
        return content

    result = make_network(spec, request.arguments, HyperParameters(_content(path), make))
    state = read_for(result.network, path)
    load_into(result.network, state, path)
    notices = (*result.notices, *state.notices(path.name))
    return declared_model(result.network, spec, path.name, result.settings, notices, spec.rpartition(":")[2])


def _content(path: Path) -> Mapping[str, Any]:
    content = read_content(path)
    if not isinstance(content, Mapping) or "state_dict" not in content:
        raise BadRequest(f"{path}: isn't a whole checkpoint of Lightning: it has no state_dict.")
    return content


def _without_architecture(path: Path) -> str:
    """What a checkpoint says of its network, and how to name it."""
    content = _content(path)
    state = read_state(path)
    words = HyperParameters(content, lambda _: content).described()
    hyper_parameters = f"Its {HYPER_PARAMETERS}: {several(words, LISTED)}. " if words else ""
    last = last_weight(state)
    return (
        f"{path.name} is a checkpoint of Lightning {content.get(VERSION, '')}, which doesn't hold its network: give "
        f"--arch NAME or --arch package.module:Class. {hyper_parameters}It has {len(state)} tensors"
        f"{f', the last weight {last}' if last else ''}.{advice(state)}"
    )
