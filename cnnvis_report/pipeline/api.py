"""`explain`: maps of a network's class scores, as tensors."""

import warnings
from collections.abc import Collection, Mapping, Sequence

from torch import Tensor, nn

from cnnvis_report.engine.outputs.readers import TargetFunction
from cnnvis_report.errors import UnknownName
from cnnvis_report.isolation.restore import with_state_restored
from cnnvis_report.methods.registry import Method
from cnnvis_report.methods.selection import select
from cnnvis_report.methods.tasks import tasks_for
from cnnvis_report.pipeline import arguments
from cnnvis_report.pipeline.explaining.explain_request import ExplainRequest, Maps, explain_request
from cnnvis_report.records.methods import AS_DEFINED, Option


def explain(
    module: nn.Module,
    images: Tensor,
    targets: arguments.Targets = None,
    methods: Collection[str] | str = ("grad_cam",),
    layer: arguments.Layer = "",
    *,
    on_error: str = "raise",
    mean: arguments.Constants = None,
    std: arguments.Constants = None,
    reference: Tensor | None = None,
    seed: int = 0,
    batch_size: int | None = None,
    task: str = "auto",
    target: TargetFunction | None = None,
    effort: str = AS_DEFINED,
    **options: Option,
) -> Maps:
    """Explain class scores of images; all methods share one forward pass, and backward passes where they can.

    Args:
        module: a network, N×C×H×W images to N×classes scores, or to maps of them; left exactly as it was.
        images: [N, C, H, W], normalized as the network expects, on its device.
        targets: class indices, [N], or [N, K] for K classes from the same forward pass; one for all images; None for
            the predicted class of each image; of a segmentation, the class with the largest region.
        methods: method names, or "quick", "standard", "all"; see `cnnvis-report methods`.
        layer: the layer that class activation maps read, by name or as the network's module; empty means the last
            features that reach the scores.
        on_error: "raise", or "skip" to leave out methods that aren't applicable to the network, with a warning.
        mean, std: the constants of the normalization, one per channel, from which black is known to the methods
            that start from a black image. Where they are not given, black is 0.
        reference: [M, C, H, W], for methods that compare with other images or are fitted to some; the images
            themselves where it isn't given.
        seed: random seed of the methods that draw noise.
        batch_size: at most so many images at a time; all at once where None.
        task: what the network does: "classification", "multilabel", "binary", "regression", "segmentation" or
            "detection". Scores that come out of a final softmax or sigmoid are explained before it; of a "regression",
            as they are. A
            network with a single score has target 0, which is that score; with "binary", targets are 1 for the
            positive class, the score, and 0 for the negative one, the score's negation. Of a "segmentation", the mean
            score of a class over the region that is predicted as it is explained; the maps are NaN, with a warning,
            where an image has no such region. Of a "detection", the score of the best box of a class, in the same way.
        target: a function of the network's output that gives what is to be explained: [N] scores, [N, K], of which
            `targets` chooses, or a dict of names to [N]. With two parameters it is called with the output and with
            that of the same images as they are, which differ where a method changes an image.
        effort: how many passes methods may take, "low", "medium", "high", or "max" for methods as they are defined.
        options: options of methods, such as `steps=64`; each goes to every chosen method that has it.

    Returns:
        Method name to maps, on the images' device: N×C×H×W for pixel methods, N×H×W for area methods, N×h×w at the
        layer's size for layer methods, with K after N where targets are N×K. In logit units, never normalized.

    Raises:
        NotApplicable: a method isn't applicable to the network, and `on_error` is "raise".
        BadRequest, UnknownName: the arguments don't fit each other or the network.
    """
    arguments.check_network(module)
    arguments.check_on_error(on_error)
    batch = arguments.check_images(images)
    arguments.check_reference(reference, batch)
    arguments.check_target(target)
    config = arguments.config_of(
        methods=methods, mean=mean, std=std, seed=seed, batch_size=batch_size, task=task, effort=effort
    )
    name = arguments.layer_name(layer, module)
    chosen = select(config.explain.methods)
    request = ExplainRequest(
        images=batch,
        columns=arguments.columns_of(targets, batch),
        tasks=tasks_for(chosen, [name] if name else [], _shared_options(options, chosen), config.explain.effort),
        preprocessing=arguments.preprocessing_of(config.preprocessing, batch.shape[1]),
        reference=reference,
        config=config,
        target=target,
        skip=on_error == "skip",
    )
    notices: list[str] = []
    try:
        maps = with_state_restored(module, batch.device, lambda state: explain_request(module, request, state, notices))
    finally:
        for notice in notices:
            warnings.warn(notice, stacklevel=2)
    return maps if arguments.has_columns(targets) else {name: values[:, 0] for name, values in maps.items()}


def _shared_options(options: Mapping[str, Option], chosen: Sequence[Method]) -> dict[str, dict[str, Option]]:
    """Each option for every chosen method that has it."""
    known = [name for method in chosen for name in method.info.options]
    for name in options:
        if name not in known:
            raise UnknownName("option of the chosen methods", name, known)
    return {
        method.name: {name: value for name, value in options.items() if name in method.info.options}
        for method in chosen
    }
