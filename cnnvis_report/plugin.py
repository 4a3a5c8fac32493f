"""What methods and loaders of somebody else's may import: all of it stays where it is, whatever moves behind it."""

from cnnvis_report.data.preprocessing import Preprocessing
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import BadRequest, NotApplicable
from cnnvis_report.methods.options import Between
from cnnvis_report.methods.registry import method
from cnnvis_report.models.loader import ModelRequest, loader
from cnnvis_report.models.model import Model
from cnnvis_report.records.run import Kind, Reduction, Sign

__all__ = [
    "BadRequest",
    "Between",
    "Kind",
    "Model",
    "ModelRequest",
    "NotApplicable",
    "Preprocessing",
    "Reduction",
    "Sign",
    "Tape",
    "loader",
    "method",
]
