"""Networks of timm: by name with its own weights or somebody's, and from folders that timm has written."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from cnnvis_report.errors import BadRequest
from cnnvis_report.models.checkpoints.read_checkpoint import candidates_in, read_content, split_key
from cnnvis_report.models.folder_config import CONFIG, check_settings, read_config
from cnnvis_report.models.hub import fetch, split_revision
from cnnvis_report.models.input_channels import input_channels
from cnnvis_report.models.loader import ModelRequest, Way, loader
from cnnvis_report.models.model import Model
from cnnvis_report.models.own_code.arguments import typed_arguments
from cnnvis_report.models.timm_models.config import timm_classes, timm_preprocessing
from cnnvis_report.models.timm_models.folder import is_timm_config, read_folder
from cnnvis_report.models.timm_models.names import HUB, PREFIX, TimmName, read_name
from cnnvis_report.models.timm_models.network import COLOR, Recipe, loaded, traits
from cnnvis_report.models.timm_models.pretrained import HUB_FILES, pretrained
from cnnvis_report.models.timm_models.training import TrainingArguments


def is_timm(model: str) -> bool | str:
    """Whether a text is timm:NAME or hf-hub:ORG/NAME, or a folder that timm has written."""
    if model.startswith((PREFIX, *HUB)):
        return True
    try:
        return (Path(model) / CONFIG).is_file() and is_timm_config(read_config(Path(model)))
    except BadRequest as error:
        return str(error)
    except (OSError, ValueError):
        return False


@loader(
    title="a model of timm",
    example="timm:convnext_tiny or timm:convnext_tiny.fb_in22k_ft_in1k",
    matches=is_timm,
    order=11,
    requires=("timm",),
    install="cnnvis-report[timm]",
    reads=("--arg",),
    ways=(
        Way(
            "a model of timm",
            "timm:convnext_tiny.fb_in1k",
            "preprocessing and class names as timm has them for these weights",
        ),
        Way(
            "a checkpoint for one, of timm's train.py or your own",
            "timm:resnet50 --weights FILE",
            "every tensor by name and shape; classes and channels from the file; size, crop and constants that "
            "train.py has noted in it",
        ),
        Way(
            "a folder that timm has written (`save_for_hf`, `push_to_hf_hub`)",
            "FOLDER",
            "every tensor by name and shape; preprocessing and class names from its config.json",
        ),
        Way("a model on the Hugging Face hub", "hf-hub:ORG/NAME", "as the folder that it is fetched into"),
    ),
)
def timm_name(request: ModelRequest) -> Model:
    """Open a network of timm by name, with timm's weights or those of a file, or from a folder."""
    if request.text.startswith(HUB):
        return _from_hub(request)
    if not request.text.startswith(PREFIX):
        return open_timm_folder(request, Path(request.text))
    name = read_name(request.text.removeprefix(PREFIX))
    arguments = _arguments(name, request)
    if request.weights is not None:
        return _with_file(Recipe(str(name), arguments), name, request.weights)
    if request.untrained:
        return _model(Recipe(str(name), arguments).build(), name, "none", arguments=arguments, named=False)
    network, tag = pretrained(name, arguments)
    return _model(network, name, f"timm {tag}".rstrip(), arguments=arguments)


def open_timm_folder(request: ModelRequest, path: Path) -> Model:
    """The network of a folder that timm has written.

    Raises:
        BadRequest: it can't be read, or holds another network's weights.
    """
    folder = read_folder(path)
    arguments = {**folder.arguments, **_arguments(folder.name, request)}
    recipe = Recipe(folder.name.architecture, arguments, {**folder.config, "architecture": folder.name.architecture})
    return _with_file(recipe, folder.name, request.weights or folder.weights, folder.config)


def _from_hub(request: ModelRequest) -> Model:
    """The network of a repository, which is fetched into a folder unless it lies there already."""
    repository, revision = split_revision(request.text.partition(":")[2])
    way = f" with {HUB_FILES[0]} into one folder, and give that folder as MODEL"
    folder = fetch(request.text, repository, (CONFIG,), revision, way).parent
    if not is_timm_config(read_config(folder)):
        fetch(request.text, repository, ("preprocessor_config.json",), revision, way)
    fetch(request.text, repository, HUB_FILES, revision, way)
    if is_timm_config(read_config(folder)):
        return open_timm_folder(request, folder)
    raise BadRequest(f"{request.text}: is no network of timm. It lies here now: give {folder} as MODEL.")


def _with_file(recipe: Recipe, name: TimmName, path: Path, config: Mapping[str, Any] | None = None) -> Model:
    """The network with weights from a file, and as many classes, channels and pixels as they are for."""
    file = split_key(path)[0]
    content = read_content(file)
    training = TrainingArguments.of(content)
    candidates = candidates_in(content, path)
    check_settings(Path(recipe.name), recipe.arguments, max(len(candidate.state) for candidate in candidates))
    network, weights, options = loaded(recipe, candidates, path)
    arguments = {**training.preparation, **recipe.arguments, **options}
    notices = weights.notices(file.name)
    if training.preparation:
        notices = (*notices, f"{file.name} is of timm's train.py, and pictures are prepared as in that training.")
    return _model(network, name, file.name, config, arguments=arguments, notices=notices)


def _model(
    network: nn.Module,
    name: TimmName,
    weights: str,
    config: Mapping[str, Any] | None = None,
    *,
    arguments: Mapping[str, Any],
    named: bool = True,
    notices: tuple[str, ...] = (),
) -> Model:
    """A network with timm's preprocessing and its classes' names.

    Args:
        config: of a folder; what timm knows of the network's own weights where None.
        arguments: that change what timm does to pictures. named: whether its classes are those of its weights.
    """
    config = traits(network) if config is None else config
    channels = input_channels(network) or COLOR
    size = arguments.get("img_size")
    changes = {key: value for key, value in arguments.items() if key != "img_size"}
    if size is not None and "input_size" not in changes:
        sides = (size, size) if isinstance(size, int) else tuple(size)
        changes["input_size"] = (channels, *sides)
    preprocessing = timm_preprocessing(config, f"{PREFIX}{name}", **changes).with_channels(channels)
    classes = timm_classes(config, int(getattr(network, "num_classes", 0))) if named else None
    return Model(network, f"{PREFIX}{name}", weights, preprocessing, classes, notices=notices)


def _arguments(name: TimmName, request: ModelRequest) -> dict[str, Any]:
    """What timm's function for the architecture is told by --arg."""
    from timm.models import model_entrypoint

    return typed_arguments(model_entrypoint(name.architecture), request.arguments, f"timm's {name.architecture}")
