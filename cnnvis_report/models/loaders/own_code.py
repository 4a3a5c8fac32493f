"""Networks of a user's own, by the name of a function, a class or the network itself."""

from cnnvis_report.models.checkpoints import load_into, read_for, split_key
from cnnvis_report.models.factories import is_factory, make_network
from cnnvis_report.models.input_channels import input_channels
from cnnvis_report.models.loader import ModelRequest, loader
from cnnvis_report.models.model import Model
from cnnvis_report.models.network_attributes import declared


@loader(
    title="a network of your own",
    example="package.module:function or path/to/file.py:function",
    matches=is_factory,
    order=90,
)
def own_code(request: ModelRequest) -> Model:
    """Open a network of your own by the name of a function, a class or the network itself.

    The network may bring `class_names`, `mean`, `std` and `size` as attributes, and `scores`, what its scores mean.
    """
    spec, weights = request.text, request.weights
    network, notices = make_network(spec)
    if weights is not None:
        state = read_for(network, weights)
        load_into(network, state, weights)
        notices = (*notices, *state.notices(split_key(weights)[0].name))
    declaration = declared(network, spec, input_channels(network) or 3)
    return Model(
        network,
        spec.rpartition(":")[2],
        weights.name if weights else "as the factory made them",
        declaration.preprocessing,
        declaration.classes,
        notices=(*notices, *declaration.notices),
    )
