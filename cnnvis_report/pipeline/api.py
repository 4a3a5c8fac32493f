"""The engine from Python: maps of a network's scores, as tensors."""

import warnings
from collections.abc import Mapping, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from cnnvis_report.engine.dry_run import DryRunTape
from cnnvis_report.engine.reference import Reference
from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import NotApplicable, UnknownName
from cnnvis_report.isolation.buffers import OwnState
from cnnvis_report.isolation.context import full_precision
from cnnvis_report.isolation.eager import single_precision
from cnnvis_report.isolation.restore import with_state_restored
from cnnvis_report.methods.registry import Method, select
from cnnvis_report.methods.tasks import DryRun, Task, dry_run_tasks, run_tasks, tasks_for
from cnnvis_report.pipeline import arguments
from cnnvis_report.pipeline.rejected_images import in_one_line
from cnnvis_report.pipeline.repeatability.check import first_tape
from cnnvis_report.records.run import Option
from cnnvis_report.records.scores import ScoreKind


def explain(
    module: nn.Module,
    images: Tensor,
    targets: arguments.Targets,
    methods: Sequence[str] | str = ("grad_cam",),
    layer: arguments.Layer = "",
    *,
    on_error: str = "raise",
    mean: arguments.Constants = None,
    std: arguments.Constants = None,
    reference: Tensor | None = None,
    seed: int = 0,
    batch_size: int | None = None,
    scores: str = "auto",
    **options: Option,
) -> dict[str, Tensor]:
    """Explain class scores of images; all methods share one forward pass, and backward passes where they can.

    Args:
        module: a classifier, N×C×H×W images to N×classes scores; left exactly as it was.
        images: [N, C, H, W], normalized as the classifier expects, on its device.
        targets: class indices, [N], or [N, K] for K classes from the same forward pass; one for all images; None for
            the class that each image is seen as.
        methods: method names, or "quick", "standard", "all"; see `cnnvis-report methods`.
        layer: the layer that class activation maps read, by name or as the network's module; empty means the last
            features that reach the scores.
        on_error: "raise", or "skip" to leave out methods that aren't defined for the network, with a warning.
        mean, std: the constants of the normalization, one a channel, from which black is known to the methods
            that start from a black image. Where they are not given, black is 0.
        reference: [M, C, H, W], for methods that compare with other images or are fitted to some; the images
            themselves where it isn't given.
        seed: of the methods that draw noise.
        batch_size: at most so many images at a time; all at once where None.
        scores: what the scores mean: "softmax", "sigmoid", "binary" or "value". Where they come out of a final softmax
            or sigmoid, the logits before it are explained; "value" explains the output as it is. A network with a
            single score has target 0, which is that score; with "binary", targets are 1 for the positive class, the
            score, and 0 for the negative one, the score's negation.
        options: options of methods, such as `steps=64`; each goes to every chosen method that has it.

    Returns:
        Method name to maps, on the images' device: N×C×H×W for pixel methods, N×H×W for area methods, N×h×w at the
        layer's size for layer methods, with K after N where targets are N×K. In logit units, never normalized.

    Raises:
        NotApplicable: a method isn't defined for the network, and `on_error` is "raise".
        BadRequest, UnknownName: the arguments don't fit each other or the network.
    """
    arguments.check_network(module)
    given = arguments.check_images(images)
    asked = arguments.columns_of(targets, given)
    arguments.check_reference(reference, given)
    arguments.check_choices(on_error, batch_size, seed)
    preprocessing = arguments.preprocessing_of(mean, std, given.shape[1])
    name = arguments.layer_name(layer, module)
    chosen = select(arguments.method_names(methods))
    tasks = tasks_for(chosen, [name] if name else [], _shared(options, chosen))

    def explained(state: OwnState) -> dict[str, Tensor]:
        def leave_out(task: Task, reason: str) -> None:
            if on_error == "raise":
                raise NotApplicable(f"{task.name} isn't defined for {subject.name}: {reason}.")
            warnings.warn(f"{task.name} is left out: {reason}.", stacklevel=5)
            maps.pop(task.name, None)

        with full_precision(), single_precision(module, given.dtype):
            images = given.to(torch.promote_types(given.dtype, torch.float32))
            step = min(batch_size or len(images), len(images))
            last = images[step - 1 : step]  # of the first batch, so that its place and its neighbors show
            subject = Subject(
                module, last, name=type(module).__name__, preprocessing=preprocessing, scores=scores, state=state
            )
            columns = None if asked is None else _classes_of(asked, subject, scores)
            others = Reference(lambda: images if reference is None else reference.to(images))
            first = subject.take_first_pass()
            alone = first.logits
            example = _seen(alone) if columns is None else columns[step - 1 : step]
            plan = dry_run_tasks(tasks, DryRunTape(subject, first, capacity=step, seed=seed), example)
            del first  # the graph of a whole pass
            if subject.default_notice and any(task.method.takes_layer and not task.layer for task in plan.tasks):
                warnings.warn(f"{subject.default_notice}.", stacklevel=4)
            maps: dict[str, list[Tensor]] = {task.name: [] for task in plan.tasks}
            for task, reason in plan.refused:
                leave_out(task, reason)
            make = partial(_tape, subject, plan=plan, capacity=step, others=others, seed=seed)
            tape, passes = first_tape(subject, images[:step], alone, make, streams=plan.forward > 1)
            for notice in passes.notices(subject.name):
                warnings.warn(notice, stacklevel=4)
            if passes.one_by_one:
                subject.one_by_one, step, tape = True, 1, None
            for place in range(0, len(images), step):
                if tape is None:
                    with in_one_line(subject, images[place : place + step]):
                        tape = make(images[place : place + step])
                wanted = _seen(tape.logits) if columns is None else columns[place : place + step]
                for outcome in run_tasks(plan.tasks, tape, wanted):
                    if outcome.error is not None:
                        raise outcome.error
                    if outcome.maps is None:
                        leave_out(outcome.task, outcome.reason)
                    elif outcome.task.name in maps:
                        maps[outcome.task.name].append(outcome.maps)
                tape = None
        whole = {name: torch.cat(parts).contiguous() for name, parts in maps.items()}
        for name, found in whole.items():
            if bad := int((~found.isfinite()).sum()):
                warnings.warn(f"{name}: {bad} of {found.numel()} values aren't finite.", stacklevel=4)
        return whole

    whole = with_state_restored(module, given.device, explained)
    return whole if arguments.has_columns(targets) else {name: found[:, 0] for name, found in whole.items()}


def _seen(logits: Tensor) -> Tensor:
    """[N, 1]: the class that each image is seen as."""
    return logits.argmax(dim=1, keepdim=True)


def _tape(subject: Subject, images: Tensor, *, plan: DryRun, capacity: int, others: Reference, seed: int) -> Tape:
    return Tape(
        subject,
        images,
        layers=plan.layers,
        reads=plan.reads,
        layer_inputs=plan.layer_inputs,
        capacity=capacity,
        reference=others,
        seed=seed,
    )


def _classes_of(columns: Tensor, subject: Subject, scores: str) -> Tensor:
    """[N, K] classes of the subject for targets that name columns of the output."""
    lone = subject.meaning.kind is ScoreKind.BINARY and scores == "auto"
    hint = 'With scores="binary", 1 is the positive class and 0 the negative one.' if lone else ""
    arguments.check_columns(columns, 1 if lone else len(subject.classes), subject.name, hint)
    return columns + 1 if lone else columns


def _shared(options: Mapping[str, Option], chosen: Sequence[Method]) -> dict[str, dict[str, Option]]:
    """Each option for every chosen method that has it."""
    known = [name for method in chosen for name in method.card.options]
    for name in options:
        if name not in known:
            raise UnknownName("option of the chosen methods", name, known)
    return {
        method.name: {name: value for name, value in options.items() if name in method.card.options}
        for method in chosen
    }
