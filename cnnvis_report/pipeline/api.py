"""`explain`: maps of a network's class scores, as tensors."""

import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

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
from cnnvis_report.methods.tasks import DryRun, Task, TaskResult, dry_run_tasks, tasks_for
from cnnvis_report.pipeline import arguments
from cnnvis_report.pipeline.explain_batch import BatchSettings, explain_batch, open_batch
from cnnvis_report.pipeline.rejected_images import in_one_line
from cnnvis_report.pipeline.repeatability.check import open_first_batch
from cnnvis_report.records.methods import Option
from cnnvis_report.records.scores import ScoreKind

Maps = dict[str, Tensor]


def explain(
    module: nn.Module,
    images: Tensor,
    targets: arguments.Targets,
    methods: Collection[str] | str = ("grad_cam",),
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
) -> Maps:
    """Explain class scores of images; all methods share one forward pass, and backward passes where they can.

    Args:
        module: a classifier, N×C×H×W images to N×classes scores; left exactly as it was.
        images: [N, C, H, W], normalized as the classifier expects, on its device.
        targets: class indices, [N], or [N, K] for K classes from the same forward pass; one for all images; None for
            the predicted class of each image.
        methods: method names, or "quick", "standard", "all"; see `cnnvis-report methods`.
        layer: the layer that class activation maps read, by name or as the network's module; empty means the last
            features that reach the scores.
        on_error: "raise", or "skip" to leave out methods that aren't applicable to the network, with a warning.
        mean, std: the constants of the normalization, one a channel, from which black is known to the methods
            that start from a black image. Where they are not given, black is 0.
        reference: [M, C, H, W], for methods that compare with other images or are fitted to some; the images
            themselves where it isn't given.
        seed: random seed of the methods that draw noise.
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
        NotApplicable: a method isn't applicable to the network, and `on_error` is "raise".
        BadRequest, UnknownName: the arguments don't fit each other or the network.
    """
    arguments.check_network(module)
    batch = arguments.check_images(images)
    columns = arguments.columns_of(targets, batch)
    arguments.check_reference(reference, batch)
    arguments.check_choices(on_error, batch_size, seed)
    preprocessing = arguments.preprocessing_of(mean, std, batch.shape[1])
    name = arguments.layer_name(layer, module)
    chosen = select(arguments.method_names(methods))
    tasks = tasks_for(chosen, [name] if name else [], _shared_options(options, chosen))
    size = min(batch_size or len(batch), len(batch))

    def make_maps(state: OwnState) -> Maps:
        with full_precision(), single_precision(module, batch.dtype):
            inputs = batch.to(torch.promote_types(batch.dtype, torch.float32))
            example = inputs[size - 1 : size]  # the last of the first batch, so that its place and neighbors show
            subject = Subject(
                module, example, name=type(module).__name__, preprocessing=preprocessing, scores=scores, state=state
            )
            classes = None if columns is None else _classes_of(columns, subject, scores)
            others = Reference(lambda: inputs if reference is None else reference.to(inputs))
            call = _Call(subject, inputs, classes, size, others, seed, on_error == "skip", notices)
            return call.maps(tasks)

    notices: list[str] = []
    try:
        maps = with_state_restored(module, batch.device, make_maps)
    finally:
        for notice in notices:
            warnings.warn(notice, stacklevel=2)
    return maps if arguments.has_columns(targets) else {name: values[:, 0] for name, values in maps.items()}


@dataclass(frozen=True)
class _Call:
    """One call of `explain`, its arguments checked.

    targets: [N, K] classes of the subject; None for the predicted ones. size: images at a time.
    skip: whether methods that aren't applicable are left out. notices: what the user is warned of is added to it.
    """

    subject: Subject
    images: Tensor
    targets: Tensor | None
    size: int
    reference: Reference
    seed: int
    skip: bool
    notices: list[str]

    def maps(self, tasks: Sequence[Task]) -> Maps:
        """[N, K, …] by method; one that isn't applicable is left out, or raises, as `skip` says."""
        dry_run, alone = self._plan(tasks)
        notice = self.subject.default_notice
        if notice and any(task.method.takes_layer and not task.layer for task in dry_run.tasks):
            self.notices.append(f"{notice}.")
        parts: dict[str, list[Tensor]] = {task.name: [] for task in dry_run.tasks}
        for task, reason in dry_run.not_applicable:
            self._leave_out(task, reason)

        def keep(results: Sequence[TaskResult]) -> None:
            (result,) = results
            if result.error is not None:
                raise result.error
            if result.maps is None:
                self._leave_out(result.task, result.reason)
                parts.pop(result.task.name, None)
            elif result.task.name in parts:
                parts[result.task.name].append(result.maps)

        settings = BatchSettings(dry_run, self.size, self.reference, self.seed)
        for rows, tape in self._batches(settings, alone):
            targets = None if self.targets is None else self.targets[rows]
            explain_batch(
                self.subject,
                self.images[rows],
                dry_run.tasks,
                targets,
                settings,
                tape=tape,
                to_cpu=False,
                on_result=keep,
            )
        maps = {name: torch.cat(values).contiguous() for name, values in parts.items()}
        for name, values in maps.items():
            if bad := int((~values.isfinite()).sum()):
                self.notices.append(f"{name}: {bad} of {values.numel()} values aren't finite.")
        return maps

    def _plan(self, tasks: Sequence[Task]) -> tuple[DryRun, Tensor]:
        """What the tasks will read, and the logits [1, classes] of the last image of the first batch."""
        first = self.subject.take_first_pass()
        last = slice(self.size - 1, self.size)
        targets = first.logits.argmax(dim=1, keepdim=True) if self.targets is None else self.targets[last]
        tape = DryRunTape(self.subject, first, capacity=self.size, seed=self.seed)
        return dry_run_tasks(tasks, tape, targets), first.logits

    def _batches(self, settings: BatchSettings, alone: Tensor) -> Iterator[tuple[slice, Tape | None]]:
        """The rows of each batch with its forward pass; of the first, it is compared with that of an image alone."""
        assert settings.dry_run is not None
        tape, passes = open_first_batch(
            self.subject,
            self.images[: self.size],
            alone,
            lambda images: open_batch(self.subject, images, settings),
            streams=settings.dry_run.forward > 1,
        )
        self.notices.extend(passes.notices(self.subject.name))
        size = self.size
        if passes.one_by_one:
            self.subject.one_by_one, size, tape = True, 1, None
        for start in range(0, len(self.images), size):
            rows = slice(start, start + size)
            if tape is None:
                with in_one_line(self.subject, self.images[rows]):
                    tape = open_batch(self.subject, self.images[rows], settings)
            yield rows, tape
            tape = None

    def _leave_out(self, task: Task, reason: str) -> None:
        if not self.skip:
            raise NotApplicable(f"{task.name} isn't applicable to {self.subject.name}: {reason}.")
        self.notices.append(f"{task.name} is left out: {reason}.")


def _classes_of(columns: Tensor, subject: Subject, scores: str) -> Tensor:
    """[N, K] classes of the subject for targets that name columns of the output."""
    lone = subject.meaning.kind is ScoreKind.BINARY and scores == "auto"
    hint = 'With scores="binary", 1 is the positive class and 0 the negative one.' if lone else ""
    arguments.check_columns(columns, 1 if lone else len(subject.classes), subject.name, hint)
    return columns + 1 if lone else columns


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
