"""What somebody else's methods, metrics, loaders, readers and collections may import: it stays, whatever moves.

Each is a function under a decorator, as docs/extending.md shows. A method is used by `-m package.module:function`, or
by its name where an installed package has an entry point for the module or the function; the groups are
`cnnvis_report.methods`, `.metrics`, `.loaders`, `.readers` and `.collections`:

    [project.entry-points."cnnvis_report.methods"]
    contrast = "my_package.contrast"

Names:
    method: the decorator, with everything that pages, stages and tests have to know of a method.
    Family, Kind, Reduction, Sign, Randomness, Equality, Where: what its arguments may be.
    Between: bounds of an option that is a number.
    Tape: what a method is given: images, layers, gradients and scores of one batch, shared with all other methods.
    NotApplicable: to be raised where the method isn't defined for a network, with the reason.
    BadRequest: to be raised where its options can't be met.
    MethodInfo: what the report knows of a method. Option: a text, a number or a truth value.
    metric: the decorator of a metric. MapsOfImage: what it judges. Scores: what it gives.
    loader: the decorator of what opens a kind of MODEL. ModelRequest: what was asked for. Model, Preprocessing: the
    network as it was loaded, and how images are made its input. Original: what it was converted from. Way: a row of a
    table of what can be opened.
    reader: the decorator of what reads a kind of image file. Source: a path or an open file. Pixels: an image, decoded.
    UnusablePicture: to be raised where no image can be made of a file.
    collection: the decorator of what opens a kind of IMAGES that holds many. Selection: what of it was asked for.
    FoundImages: what it gives: of ImageFile each, with an Entry where it is no file, an Annotation where its objects
    are known. ImageWay: a row of a table of what can be opened.
"""

from cnnvis_report.data.collection import ImageWay, Selection, collection
from cnnvis_report.data.entry import Entry
from cnnvis_report.data.image_file import FoundImages, ImageFile
from cnnvis_report.data.masks.annotation import Annotation
from cnnvis_report.data.pixels import Pixels, UnusablePicture
from cnnvis_report.data.preprocessing.preprocessing import Preprocessing
from cnnvis_report.data.reader import Source, reader
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import BadRequest, NotApplicable
from cnnvis_report.evaluation.metric import MapsOfImage, Scores, metric
from cnnvis_report.methods.options import Between
from cnnvis_report.methods.registry import method
from cnnvis_report.models.loader import ModelRequest, Way, loader
from cnnvis_report.models.model import Model, Original
from cnnvis_report.records.methods import (
    Equality,
    Family,
    Kind,
    MethodInfo,
    Option,
    Randomness,
    Reduction,
    Sign,
    Where,
)

__all__ = [
    "Annotation",
    "BadRequest",
    "Between",
    "Entry",
    "Equality",
    "Family",
    "FoundImages",
    "ImageFile",
    "ImageWay",
    "Kind",
    "MapsOfImage",
    "MethodInfo",
    "Model",
    "ModelRequest",
    "NotApplicable",
    "Option",
    "Original",
    "Pixels",
    "Preprocessing",
    "Randomness",
    "Reduction",
    "Scores",
    "Selection",
    "Sign",
    "Source",
    "Tape",
    "UnusablePicture",
    "Way",
    "Where",
    "collection",
    "loader",
    "method",
    "metric",
    "reader",
]
