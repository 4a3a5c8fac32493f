"""A network from what a user types: the first loader that knows it opens it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import UnionType
from typing import TypeVar

from cnnvis_report.errors import BadRequest, CnnVisError, told
from cnnvis_report.models.home import from_home
from cnnvis_report.models.input_channels import in_single_precision
from cnnvis_report.models.loader import Loader, ModelRequest, loaders
from cnnvis_report.models.model import Model
from cnnvis_report.models.network_state import check_finite, silent_channels
from cnnvis_report.models.other_inputs import check_inputs
from cnnvis_report.models.unknown_name import unknown

OWN = __name__.partition(".")[0]
Answer = TypeVar("Answer")


def load_model(
    model: str,
    weights: Path | None = None,
    *,
    untrained: bool = False,
    trusted: bool = False,
    architecture: str = "",
    arguments: Mapping[str, str] | None = None,
) -> Model:
    """The network called `model`, in eval mode and float32.

    Args:
        model: what one of the loaders takes: a torchvision classifier (`resnet50`, `resnet50@IMAGENET1K_V2`), a file
            that `train` has written, or `package.module:name` or `path/to/file.py:name` for a function, a class or a
            network; or what an installed package adds.
        weights: a file of weights, or FILE#KEY for those under a key of it; the model's own where None.
        untrained: random weights do, as only the shapes are wanted.
        trusted: code within the model's files may run.
        architecture: what a file without one is of, a name that `model` could be.
        arguments: of the function that makes the network, by name.

    Raises:
        UnknownName, BadRequest: nothing is called so, or the weights don't fit or can't be had.
    """
    if not model.strip():
        raise BadRequest("MODEL is empty: give a name of torchvision, a file of 'train', or path/to/file.py:factory.")
    model = from_home(model)
    loader = _loader_of(model)
    loader.check_installed(model)
    request = ModelRequest(model, weights, untrained, trusted, architecture, arguments or {})
    loader.check_options(request)
    loaded = _answer(loader, model, lambda: loader.load(request), Model)
    check_inputs(loaded.network, loaded.name)
    check_finite(loaded.network, loaded.name)
    notices = (*loaded.notices, *silent_channels(loaded.network))
    network = in_single_precision(loaded.network)
    network.eval()  # somebody's own may return nothing
    return replace(loaded, network=network, notices=notices, loader=loaded.loader or loader.title)


def _loader_of(model: str) -> Loader:
    """The loader that opens what is called so: the first one whose kind it is."""
    known = loaders()
    for loader in known:
        answer = _answer(loader, model, lambda loader=loader: loader.matches(model), bool | str)  # type: ignore[misc]
        if answer is True:
            return loader
        if isinstance(answer, str):
            raise BadRequest(answer)
    raise unknown(model, known)


def _answer(loader: Loader, model: str, ask: Callable[[], Answer], expected: type | UnionType) -> Answer:
    """What a loader answers, or what goes wrong in somebody else's, in one line."""
    module = loader.load.__module__
    try:
        answer = ask()
    except CnnVisError:
        raise
    except (Exception, SystemExit) as error:
        if module.partition(".")[0] == OWN:
            raise
        raise BadRequest(f"{model}: the loader {loader.name!r} of {module} fails: {told(error)}.") from error
    if not isinstance(answer, expected):
        raise BadRequest(f"{model}: the loader {loader.name!r} of {module} gives a {type(answer).__name__}.")
    return answer
