"""What methods and loaders of somebody else may import: all of it stays where it is, whatever moves behind it.

A method is a function with `@method`, as docs/extending.md shows. It is used by `-m package.module:function`, or
by its name where an installed package has an entry point for the module or the function:

    [project.entry-points."cnnvis_report.methods"]
    contrast = "my_package.contrast"

Metrics and loaders of models are announced alike, with `@metric` and `@loader`, and their entry points are those of the
groups `cnnvis_report.metrics` and `cnnvis_report.loaders`.

Names:
    method: the decorator, with everything that pages, stages and tests have to know of a method.
    Family, Kind, Reduction, Sign, Randomness: what its arguments may be.
    Between: bounds of an option that is a number.
    Tape: what a method is given: images, layers, gradients and scores of one batch, shared with all other methods.
    NotApplicable: to be raised where the method isn't defined for a network, with the reason.
    BadRequest: to be raised where its options can't be met.
    MethodInfo: what the report knows of a method. Option: a text, a number or a truth value.
    metric: the decorator of a metric of maps.
    MapsOfImage: what a metric is given: the maps of one image, the image, its mask and the network's scores.
    Scores: what a metric gives.
    loader: the decorator of a loader, which makes a Model of a ModelRequest. Preprocessing: what the model reads.
"""

from cnnvis_report.data.preprocessing import Preprocessing
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import BadRequest, NotApplicable
from cnnvis_report.evaluation.metric import MapsOfImage, Scores, metric
from cnnvis_report.methods.options import Between
from cnnvis_report.methods.registry import method
from cnnvis_report.models.loader import ModelRequest, loader
from cnnvis_report.models.model import Model
from cnnvis_report.records.methods import Family, Kind, MethodInfo, Option, Randomness, Reduction, Sign

__all__ = [
    "BadRequest",
    "Between",
    "Family",
    "Kind",
    "MapsOfImage",
    "MethodInfo",
    "Model",
    "ModelRequest",
    "NotApplicable",
    "Option",
    "Preprocessing",
    "Randomness",
    "Reduction",
    "Scores",
    "Sign",
    "Tape",
    "loader",
    "method",
    "metric",
]
