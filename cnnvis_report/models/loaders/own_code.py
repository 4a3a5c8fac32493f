"""Networks of a user's own, by the name of a function, a class or the network itself."""

from cnnvis_report.models.checkpoints.read_checkpoint import load_into, read_for, split_key
from cnnvis_report.models.loader import ModelRequest, Way, loader
from cnnvis_report.models.model import Model
from cnnvis_report.models.own_code.factories import is_factory, make_network
from cnnvis_report.models.own_code.network_attributes import declared_model

RUNS = "that it runs on an image of its size, and gives finite scores that lead back to it"


@loader(
    title="a network of your own",
    example="package.module:function or path/to/file.py:function",
    matches=is_factory,
    order=90,
    reads=("--arg",),
    ways=(
        Way("a class or a function that makes the network", "package.module:function", RUNS),
        Way(
            "one that takes arguments",
            "path/to/file.py:Net --arg classes=10",
            "each argument by its annotation or default",
        ),
        Way(
            "a function that gives the network and a dictionary of its use",
            "path/to/file.py:function",
            "each setting; a transform on plain pictures, and that it gives the same twice",
        ),
        Way("a network that a module holds", "package.module:network", RUNS),
        Way(
            "a class of your own and a file of its weights",
            "path/to/file.py:Net --weights FILE",
            "every tensor by name and shape, behind whatever prefix",
        ),
    ),
)
def own_code(request: ModelRequest) -> Model:
    """Open a network of your own by the name of a function, a class or the network itself.

    The function may give a dictionary beside the network that says how it is used: `size`, `mean`, `transform` and
    what else `network_attributes.SETTINGS` names. The network may bring `class_names`, `mean`, `std` and `size` as
    attributes, and `task`, what the network does.
    """
    spec, weights = request.text, request.weights
    result = make_network(spec, request.arguments)
    notices = result.notices
    if weights is not None:
        state = read_for(result.network, weights)
        load_into(result.network, state, weights)
        notices = (*notices, *state.notices(split_key(weights)[0].name))
    origin = weights.name if weights else "as the factory made them"
    return declared_model(result.network, spec, origin, result.settings, notices, spec.rpartition(":")[2])
