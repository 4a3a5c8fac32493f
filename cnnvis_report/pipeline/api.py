"""The engine from Python: maps of a network's scores, as tensors."""

import warnings
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from cnnvis_report.errors import BadRequest, NotApplicable, UnknownName
from cnnvis_report.pipeline.rehearsal import Rehearsal
from cnnvis_report.pipeline.repeatability import first_tape
from cnnvis_report.pipeline.tasks import perform, rehearse, tasks_for
from cnnvis_report.preprocessing import Preprocessing
from cnnvis_report.records import Option
from cnnvis_report.records_scores import ScoreKind
from cnnvis_report.reference import Reference
from cnnvis_report.registry import Method, select
from cnnvis_report.subject import Subject
from cnnvis_report.tape import Tape


def explain(
    module: nn.Module,
    images: Tensor,
    targets: Tensor | Sequence[int],
    methods: Sequence[str] | str = ("grad_cam",),
    layer: str = "",
    *,
    on_error: str = "raise",
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    reference: Tensor | None = None,
    seed: int = 0,
    batch_size: int | None = None,
    scores: str = "auto",
    **options: Option,
) -> dict[str, Tensor]:
    """Explain class scores of images; all methods share one forward pass, and backward passes where they can.

    Args:
        module: a classifier, N×C×H×W images to N×classes scores; left exactly as it was.
        images: [N, C, H, W], normalised as the classifier expects, on its device.
        targets: class indices, [N], or [N, K] for K classes from the same forward pass.
        methods: method names, or "quick", "standard", "all"; see `cnnvis-report methods`.
        layer: the layer that class activation maps read; empty means the last features that reach the scores.
        on_error: "raise", or "skip" to leave out methods that aren't defined for the network, with a warning.
        mean, std: the constants of the normalisation, one a channel, from which black is known to the methods
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
        layer's size for layer methods, with K after N where targets are N×K. In logit units, never normalised.

    Raises:
        NotApplicable: a method isn't defined for the network, and `on_error` is "raise".
        BadRequest, UnknownName: the arguments don't fit each other or the network.
    """
    columns = _columns(images, targets)
    if reference is not None and (reference.ndim != 4 or reference.shape[1] != images.shape[1] or not len(reference)):
        raise BadRequest(f"reference is {list(reference.shape)}; M×{images.shape[1]}×H×W is needed.")
    if on_error not in ("raise", "skip"):
        raise BadRequest(f"on_error is {on_error!r}; it can be 'raise' or 'skip'.")
    zero, one = (0.0,) * images.shape[1], (1.0,) * images.shape[1]
    preprocessing = Preprocessing(tuple(mean or zero), tuple(std or one))
    step = min(batch_size or len(images), len(images))
    last = images[step - 1 : step]  # of the first batch, so that its place and its neighbors show
    subject = Subject(module, last, name=type(module).__name__, preprocessing=preprocessing, scores=scores)
    columns = _classes_of(columns, subject, scores)
    chosen = select([methods] if isinstance(methods, str) else methods)
    tasks = tasks_for(chosen, [layer] if layer else [], _shared(options, chosen))
    others = Reference(lambda: images if reference is None else reference.to(images))
    first = subject.take_first_pass()
    alone = first.logits
    plan = rehearse(tasks, Rehearsal(subject, first, capacity=step, seed=seed), columns[step - 1 : step])
    del first  # the graph of a whole pass
    if subject.default_notice and any(task.method.layered and not task.layer for task in plan.tasks):
        warnings.warn(f"{subject.default_notice}.", stacklevel=2)
    for task, reason in plan.refused:
        if on_error == "raise":
            raise NotApplicable(f"{task.name} isn't defined for {subject.name}: {reason}.")
        warnings.warn(f"{task.name} is left out: {reason}.", stacklevel=2)
    maps: dict[str, list[Tensor]] = {task.name: [] for task in plan.tasks}
    left_out: set[str] = set()

    def tape_of(part: Tensor) -> Tape:
        return Tape(
            subject,
            part,
            layers=plan.layers,
            reads=plan.reads,
            operands=plan.operands,
            capacity=step,
            reference=others,
            seed=seed,
        )

    tape, passes = first_tape(subject, images[:step], alone, tape_of, streams=plan.forward > 1)
    for notice in passes.notices(subject.name):
        warnings.warn(notice, stacklevel=2)
    if passes.one_by_one:
        subject.one_by_one, step, tape = True, 1, None
    for part, part_targets in zip(torch.split(images, step), torch.split(columns, step), strict=True):
        tape = tape or tape_of(part)
        for outcome in perform(plan.tasks, tape, part_targets):
            if outcome.error is not None:
                raise outcome.error
            if outcome.maps is not None:
                maps[outcome.task.name].append(outcome.maps)
            elif on_error == "raise":
                raise NotApplicable(f"{outcome.task.name} isn't defined for {subject.name}: {outcome.reason}.")
            else:
                warnings.warn(f"{outcome.task.name} is left out: {outcome.reason}.", stacklevel=2)
                left_out.add(outcome.task.name)
        tape = None
    whole = {name: torch.cat(found).contiguous() for name, found in maps.items() if name not in left_out}
    return whole if torch.as_tensor(targets).ndim == 2 else {name: found[:, 0] for name, found in whole.items()}


def _classes_of(columns: Tensor, subject: Subject, scores: str) -> Tensor:
    """[N, K] classes of the subject for targets that name columns of the output."""
    lone = subject.meaning.kind is ScoreKind.BINARY and scores == "auto"
    known = 1 if lone else len(subject.classes)
    if bool((columns >= known).any()):
        more = ' With scores="binary", 1 is the positive class and 0 the negative one.' if lone else ""
        raise BadRequest(f"Target {int(columns.max())} isn't a class: {subject.name} has {known}.{more}")
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


def _columns(images: Tensor, targets: Tensor | Sequence[int]) -> Tensor:
    """[N, K] class indices on the images' device."""
    if images.ndim != 4 or not images.is_floating_point() or not len(images):
        raise BadRequest(f"images are {images.dtype} {list(images.shape)}; N×C×H×W of floating point is needed.")
    columns = torch.as_tensor(targets, device=images.device)
    if columns.is_floating_point() or columns.ndim not in (1, 2) or len(columns) != len(images):
        raise BadRequest(
            f"targets are {columns.dtype} {list(columns.shape)} for {len(images)} images; "
            f"N whole numbers are needed, or N×K for K classes."
        )
    if columns.numel() and int(columns.min()) < 0:
        raise BadRequest(f"Target {int(columns.min())} isn't a class index.")
    return columns.long().view(len(images), -1)
