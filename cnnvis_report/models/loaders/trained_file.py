"""Models that `train` has written: one file with all that is needed to use them."""

from pathlib import Path

from cnnvis_report.errors import BadRequest, UnusedOption, shown
from cnnvis_report.models.load import load_model
from cnnvis_report.models.loader import ModelRequest, Way, loader
from cnnvis_report.models.model import Model, Training
from cnnvis_report.models.trained_file import read_trained


def _is_path(model: str) -> bool:
    return Path(model).exists()


@loader(
    title="a file that 'cnnvis-report train' has written",
    example="model.pt",
    matches=_is_path,
    order=20,
    reads=("--arch", "--arg"),
    ways=(
        Way(
            "a model that was trained here", "model.pt", "every field by type and range, every tensor by name and shape"
        ),
        Way(
            "a file of weights, and what it is of", "weights.pth --arch resnet18", "as the architecture's own row says"
        ),
    ),
)
def trained_file(request: ModelRequest) -> Model:
    """Open a file that `cnnvis-report train` has written."""
    path = Path(request.text)
    trained = read_trained(path)
    if trained is None and request.architecture and request.weights is None:
        return load_model(request.architecture, path, trusted=request.trusted, arguments=request.arguments)
    if trained is None:
        raise BadRequest(
            f"{path.name} is a file with weights alone: give the architecture as MODEL and the file as --weights, "
            f"as in: cnnvis-report run resnet50 IMAGES --weights {path.name}; or --arch resnet50 beside it"
        )
    for option, value in request.options().items():
        if value:
            raise UnusedOption(option, shown(value), f"{path.name} says what network it holds.")
    request.refuse_weights(path.name)
    # fingerprints of earlier versions begin with the file's size, and were of its two ends
    old = any("-" in fingerprint for fingerprint in trained.seen)
    notices = (f"{path.name} is of an earlier version: which images it was trained on can't be told.",) if old else ()
    return Model(
        network=trained.network,
        name=trained.architecture.name,
        weights=path.name,
        preprocessing=trained.preprocessing,
        classes=trained.classes,
        training=Training(trained.training, trained.seen, path.parent, trained.permuted),
        notices=notices,
    )
