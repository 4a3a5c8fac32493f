"""The network that the settings of a run name."""

from cnnvis_report.models.load import load_model
from cnnvis_report.models.model import Model
from cnnvis_report.pipeline.config import ModelConfig


def open_model(config: ModelConfig, *, untrained: bool = False) -> Model:
    """Load what MODEL, --weights, --arch, --arg and --trust name.

    Args:
        untrained: random weights do, as only the shapes are wanted.

    Raises:
        UnknownName, BadRequest: nothing is called so, or the weights don't fit or can't be had.
    """
    arguments = {name.strip(): value for name, _, value in (text.partition("=") for text in config.arguments)}
    return load_model(
        config.model,
        config.weights,
        untrained=untrained,
        trusted=config.trust,
        architecture=config.architecture or "",
        arguments=arguments,
    )
