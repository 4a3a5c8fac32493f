"""Models that Keras has saved: `.keras`, `.h5`, and descriptions in JSON with weights beside them."""

from cnnvis_report.models.keras.files import is_keras
from cnnvis_report.models.loader import ModelRequest, Way, loader
from cnnvis_report.models.model import Model

CHECKED = "scores, against Keras"
WAYS = (
    Way("a model of Keras 3, `.keras`", "model.keras", CHECKED),
    Way("a model of Keras 2 or 3, `.h5` or `.hdf5`", "model.h5", CHECKED),
    Way("weights of Keras, `.weights.h5`, and the model's JSON", "model.json --weights net.weights.h5", CHECKED),
)


@loader(
    title="a model of Keras",
    example="model.keras",
    matches=is_keras,
    order=13,  # before folders of transformers, which have a config.json too
    requires=("keras", "h5py"),
    install="cnnvis-report[keras]",
    ways=WAYS,
)
def keras_model(request: ModelRequest) -> Model:
    """Open a model that Keras has saved, as a network of PyTorch."""
    from cnnvis_report.models.keras.open_model import open_keras

    return open_keras(request)
