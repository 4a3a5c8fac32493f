"""The network that the settings of a run name, and the function that makes scores of its output."""

from cnnvis_report.engine.outputs.functions import FunctionScores
from cnnvis_report.engine.outputs.readers import OutputReader
from cnnvis_report.models.load import load_model
from cnnvis_report.models.model import Model
from cnnvis_report.models.target_functions import function_at
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


def target_reader(spec: str | None) -> OutputReader | None:
    """What makes scores by the function that --target names; None where it names none.

    Raises:
        BadRequest: there is no such function.
    """
    return None if spec is None else FunctionScores(function_at(spec), spec.rpartition(":")[2])
