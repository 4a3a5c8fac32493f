"""What a user asks of a run, a field a setting: options, file keys, variables and the report's table derive from it."""

from dataclasses import dataclass, field
from typing import Self

from cnnvis_report.pipeline.config.data import DataConfig
from cnnvis_report.pipeline.config.explain import EvaluateConfig, ExplainConfig, InspectConfig
from cnnvis_report.pipeline.config.job import JobConfig
from cnnvis_report.pipeline.config.machine import MachineConfig
from cnnvis_report.pipeline.config.model import ModelConfig
from cnnvis_report.pipeline.config.preprocessing import PreprocessingConfig
from cnnvis_report.pipeline.config.report import ReportConfig
from cnnvis_report.pipeline.config.share import ShareConfig
from cnnvis_report.pipeline.config.storage import StorageConfig
from cnnvis_report.pipeline.config.terminal import TerminalConfig
from cnnvis_report.settings import build

__all__ = [
    "DataConfig",
    "EvaluateConfig",
    "ExplainConfig",
    "InspectConfig",
    "JobConfig",
    "MachineConfig",
    "ModelConfig",
    "PreprocessingConfig",
    "ReportConfig",
    "RunConfig",
    "ShareConfig",
    "StorageConfig",
    "TerminalConfig",
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
    report: ReportConfig = field(default_factory=ReportConfig)
    storage: StorageConfig = field(default_factory=StorageConfig)
    job: JobConfig = field(default_factory=JobConfig)
    terminal: TerminalConfig = field(default_factory=TerminalConfig)
    share: ShareConfig = field(default_factory=ShareConfig)
    machine: MachineConfig = field(default_factory=MachineConfig)

    @classmethod
    def of(cls, model: str, **settings: object) -> Self:
        """The configuration with these settings by name, whatever part each is in.

        Raises:
            UnknownName, BadRequest: there is no such setting, or a value isn't of its kind.
        """
        return build(cls, {"model": model, **settings})
