"""Whole networks in pickles: of `torch.save(network)`, of a fastai learner's `export`, in a dictionary of training."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from cnnvis_report.errors import BadRequest
from cnnvis_report.models.checkpoints.candidates import KEYS, key_name, says_averaged
from cnnvis_report.models.loader import ModelRequest, Way, loader
from cnnvis_report.models.model import Model
from cnnvis_report.models.own_code.factories import usable
from cnnvis_report.models.own_code.network_attributes import declared_model
from cnnvis_report.models.pickles.contents import classes_in, listed
from cnnvis_report.models.pickles.learner import is_learner, learner_preprocessing, vocabulary
from cnnvis_report.models.pickles.run_pickle import run_pickle

CHECKED = "refused without `--trust`, naming the classes in it"


@loader(
    title="a whole network in a pickle",
    example="model.pt with --trust",
    matches=lambda model: bool(classes_in(Path(model))),
    order=18,
    reads=("--arch",),
    ways=(
        Way("a whole network, `torch.save(network)`", "model.pt --trust", CHECKED),
        Way("a fastai learner, `learn.export()`", "export.pkl --trust", CHECKED),
    ),
)
def pickled_network(request: ModelRequest) -> Model:
    """Open a network that was pickled as a whole, where the user trusts whoever made the file."""
    path = Path(request.text)
    request.require_trust(f"this pickle of {listed(classes_in(path))}")
    request.refuse_weights(path.name)
    content = run_pickle(path, request.architecture)
    if is_learner(content):
        network = usable(content.model, path.name)
        words = "The network of a fastai learner, with the preprocessing and the class names of its loaders."
        return Model(
            network, path.stem, path.name, learner_preprocessing(content), vocabulary(content), notices=(words,)
        )
    module, settings, notices = _network_of(content, path)
    return declared_model(usable(module, path.name), path.name, path.name, settings, notices)


def _network_of(content: Any, path: Path) -> tuple[nn.Module, Mapping[str, Any], tuple[str, ...]]:
    """The network in what a pickle has made, the settings beside it, and which of several it is."""
    if isinstance(content, nn.Module):
        return content, {}, ()
    if isinstance(content, tuple) and len(content) == 2 and isinstance(content[1], Mapping):
        return _network_of(content[0], path)[0], content[1], ()
    networks = {}
    if isinstance(content, Mapping):
        networks = {key_name(key): value for key, value in content.items() if isinstance(value, nn.Module)}
    if not networks:
        keys = f" (its keys: {', '.join(map(key_name, list(content)[:5]))})" if isinstance(content, Mapping) else ""
        raise BadRequest(
            f"{path.name}: holds a {type(content).__name__} and no network{keys}. Where it has weights, save them "
            f"alone: torch.save(model.state_dict(), 'weights.pth')."
        )
    chosen = min(networks, key=lambda key: (not says_averaged(key), KEYS.index(key) if key in KEYS else len(KEYS)))
    return networks[chosen], {}, (f"The network under the key {chosen} of {path.name}.",)
