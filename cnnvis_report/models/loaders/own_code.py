"""Networks of a user's own, by the name of a function, a class or the network itself."""

from cnnvis_report.models.checkpoints import load_into, read_for, split_key
from cnnvis_report.models.factories import is_factory, make_network
from cnnvis_report.models.loader import ModelRequest, loader
from cnnvis_report.models.model import Model
from cnnvis_report.models.network_attributes import declared


@loader(
    title="a network of your own",
    example="package.module:function or path/to/file.py:function",
    matches=is_factory,
    order=90,
    reads=("--arg",),
)
def own_code(request: ModelRequest) -> Model:
    """Open a network of your own by the name of a function, a class or the network itself.

    The function may give a dictionary beside the network that says how it is used: `size`, `mean`, `transform` and
    what else `network_attributes.SETTINGS` names. The network may bring `class_names`, `mean`, `std` and `size` as
    attributes, and `scores`, what its scores mean.
    """
    spec, weights = request.text, request.weights
    result = make_network(spec, request.arguments)
    notices = result.notices
    if weights is not None:
        state = read_for(result.network, weights)
        load_into(result.network, state, weights)
        notices = (*notices, *state.notices(split_key(weights)[0].name))
    use = declared(result.network, spec, result.settings)
    return Model(
        result.network,
        spec.rpartition(":")[2],
        weights.name if weights else "as the factory made them",
        use.preprocessing,
        use.classes,
        notices=(*notices, *use.notices),
        layer=use.layer,
        scores=use.scores,
    )
