"""What methods, loaders and readers of somebody else may import: all of it stays where it is, whatever moves behind it.

A method is a function with `@method`, as docs/extending.md shows. It is used by `-m package.module:function`, or
by its name where an installed package has an entry point for the module or the function:

    [project.entry-points."cnnvis_report.methods"]
    contrast = "my_package.contrast"

A loader opens a kind of MODEL, a reader a kind of image file; both are found by entry points of the groups
`cnnvis_report.loaders` and `cnnvis_report.readers`.

Names:
    method: the decorator, with everything that pages, stages and tests have to know of a method.
    Family, Kind, Reduction, Sign, Randomness: what its arguments may be.
    Between: bounds of an option that is a number.
    Tape: what a method is given: images, layers, gradients and scores of one batch, shared with all other methods.
    NotApplicable: to be raised where the method isn't defined for a network, with the reason.
    BadRequest: to be raised where its options can't be met.
    loader: the decorator of a function that opens a ModelRequest as a Model, with its Preprocessing.
    reader: the decorator of a function that decodes an image of a file as Pixels.
    UnusablePicture: to be raised where an image can't be read, with the reason.
    MethodInfo: what the report knows of a method. Option: a text, a number or a truth value.
"""

from cnnvis_report.data.pixels import Pixels, UnusablePicture
from cnnvis_report.data.preprocessing import Preprocessing
from cnnvis_report.data.reader import reader
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import BadRequest, NotApplicable
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
    "MethodInfo",
    "Model",
    "ModelRequest",
    "NotApplicable",
    "Option",
    "Pixels",
    "Preprocessing",
    "Randomness",
    "Reduction",
    "Sign",
    "Tape",
    "UnusablePicture",
    "loader",
    "method",
    "reader",
]
