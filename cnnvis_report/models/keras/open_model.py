"""A model of Keras as it is kept, opened: the converted network with all that is known of its use."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torchvision
from torch import nn

from cnnvis_report.errors import BadRequest
from cnnvis_report.models.keras.config import RunsCode, checked_model
from cnnvis_report.models.keras.convert import Conversion, convert
from cnnvis_report.models.keras.ending import take_off_ending
from cnnvis_report.models.keras.files import KerasFile, read_file
from cnnvis_report.models.keras.library import build_model, keras_library, load_trusted, load_weights, outputs_of
from cnnvis_report.models.keras.preprocessing import application, pictures_of
from cnnvis_report.models.keras.registry import NotConverted
from cnnvis_report.models.loader import ModelRequest
from cnnvis_report.models.model import Model, Original

INSTEAD = (
    "Export it to ONNX, model.export('model.onnx', format='onnx'), and give that file, or give a network from a "
    "factory of your own, path/to/file.py:function."
)
HARD_SIGMOID = (
    "It was saved by Keras {version}, whose hard_sigmoid was clip(0.2 x + 0.5); Keras 3, and the converted network, "
    "compute clip(x / 6 + 0.5)."
)


def open_keras(request: ModelRequest) -> Model:
    """Open a model that Keras has saved.

    Raises:
        BadRequest: it is damaged, of another kind, runs code that nobody trusts, or has a layer that isn't known.
    """
    path = Path(request.text)
    with TemporaryDirectory() as folder:
        file = read_file(path, request.weights, Path(folder))
        if file.weights is None and not request.untrained:
            raise BadRequest(f"{path}: describes a network of Keras without its weights. Give them with --weights.")
        model = _loaded(request, file, path)
    try:
        conversion = convert(model, trusted=request.trusted)
    except NotConverted as error:
        raise _refusal(path, error) from error
    return _described(model, conversion, file, path)


def _refusal(path: Path, error: NotConverted) -> BadRequest:
    return BadRequest(f"{path}: {error}. {INSTEAD}")


def _loaded(request: ModelRequest, file: KerasFile, path: Path) -> Any:
    """The model, in Keras, with its weights."""
    try:
        config = checked_model(file.config)
    except NotConverted as error:
        raise _refusal(path, error) from error
    except RunsCode as error:
        request.require_trust(str(error))
        if not file.whole:
            raise BadRequest(f"{path}: {error} stands in a description alone; give the whole model.") from error
        return load_trusted(path)
    model = build_model(config, path)
    if file.weights is not None:
        load_weights(model, file.weights, path)
    return model


def _described(model: Any, conversion: Conversion, file: KerasFile, path: Path) -> Model:
    """The converted network, without its last activation, and what is known of its use."""
    network = conversion.network
    pictures = pictures_of(network, conversion.images)
    notices = pictures.notices
    if file.version.startswith("2") and any(isinstance(module, nn.Hardsigmoid) for module in network.modules()):
        notices = (*notices, HARD_SIGMOID.format(version=file.version))
    columns = conversion.result.shape[-1] if conversion.result.rank == 2 else None
    ending = take_off_ending(network, columns)
    if ending is not None:
        softmax = isinstance(ending, nn.Softmax | nn.LogSoftmax)
        network.task = "classification" if softmax else "binary" if columns == 1 else "multilabel"
    keras = keras_library()
    outputs = outputs_of(model, conversion, reverse=pictures.reverse)
    original = Original(f"Keras {keras.__version__}", outputs, *([ending] if ending is not None else []))
    classes = None
    if columns == 1000 and application(network.title):
        entry = next(iter(torchvision.models.get_model_weights("resnet50")))
        classes = tuple(entry.meta["categories"])
        notices = (*notices, "Its 1000 classes are called as ImageNet's are, in the order of keras.applications.")
    return Model(network, path.name, file.called, pictures.preprocessing, classes, notices=notices, original=original)
