"""What a user asks of a run, a field a setting: options, file keys, variables and the report's table derive from it."""

from dataclasses import dataclass, field
from typing import Self

from cnnvis_report.pipeline.config.data import DataConfig
from cnnvis_report.pipeline.config.explain import EvaluateConfig, ExplainConfig, InspectConfig
from cnnvis_report.pipeline.config.model import ModelConfig
from cnnvis_report.pipeline.config.output import MachineConfig, OutputConfig
from cnnvis_report.pipeline.config.preprocessing import PreprocessingConfig
from cnnvis_report.pipeline.config.share import ShareConfig
from cnnvis_report.settings import build

__all__ = [
    "DataConfig",
    "EvaluateConfig",
    "ExplainConfig",
    "InspectConfig",
    "MachineConfig",
    "ModelConfig",
    "OutputConfig",
    "PreprocessingConfig",
    "RunConfig",
    "ShareConfig",
]


@dataclass(frozen=True)
class RunConfig:
    """All that a user asks of a run; the names of the settings are those of the command line."""

    model: ModelConfig
    data: DataConfig = field(default_factory=DataConfig)
    preprocessing: PreprocessingConfig = field(default_factory=PreprocessingConfig)
    explain: ExplainConfig = field(default_factory=ExplainConfig)
    evaluate: EvaluateConfig = field(default_factory=EvaluateConfig)
    inspect: InspectConfig = field(default_factory=InspectConfig)
    output: OutputConfig = field(default_factory=OutputConfig)
    share: ShareConfig = field(default_factory=ShareConfig)
    machine: MachineConfig = field(default_factory=MachineConfig)

    @classmethod
    def of(cls, model: str, **settings: object) -> Self:
        """The configuration with these settings by name, whatever part each is in.

        Raises:
            UnknownName, BadRequest: there is no such setting, or a value isn't of its kind.
        """
        return build(cls, {"model": model, **settings})
