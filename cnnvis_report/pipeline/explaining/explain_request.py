"""The maps that a call of `explain` asks for, batch by batch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cnnvis_report.data.preprocessing.preprocessing import Preprocessing
from cnnvis_report.engine.dry_run import DryRunTape
from cnnvis_report.engine.outputs.boxes import Boxes
from cnnvis_report.engine.outputs.readers import TargetFunction
from cnnvis_report.engine.outputs.regions import Regions
from cnnvis_report.engine.reference import Reference
from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import NotApplicable
from cnnvis_report.isolation.buffers import OwnState
from cnnvis_report.isolation.context import full_precision
from cnnvis_report.isolation.eager import single_precision
from cnnvis_report.methods.tasks import DryRun, Task, TaskResult, dry_run_tasks
from cnnvis_report.models.own_code.functions import target_reader
from cnnvis_report.pipeline.arguments import check_columns
from cnnvis_report.pipeline.config import RunConfig
from cnnvis_report.pipeline.explaining.explain_batch import BatchSettings, explain_batch, open_batch
from cnnvis_report.pipeline.explaining.rejected_images import in_one_line
from cnnvis_report.pipeline.repeatability.check import open_first_batch
from cnnvis_report.records.scores import ScoreKind

Maps = dict[str, Tensor]


@dataclass(frozen=True)
class ExplainRequest:
    """The arguments of a call of `explain`, checked.

    columns: [N, K] of the network's output; None for the predicted classes. skip: whether methods that aren't
    applicable are left out. target: makes scores of the network's output; None for its own.
    """

    images: Tensor
    columns: Tensor | None
    tasks: tuple[Task, ...]
    preprocessing: Preprocessing
    reference: Tensor | None
    config: RunConfig
    skip: bool
    target: TargetFunction | None = None


def explain_request(module: nn.Module, request: ExplainRequest, state: OwnState, notices: list[str]) -> Maps:
    """[N, K, …] by method; what the user is warned of is added to `notices`."""
    images, config, reference = request.images, request.config, request.reference
    size = min(config.machine.batch_size or len(images), len(images))
    with full_precision(), single_precision(module, images.dtype):
        inputs = images.to(torch.promote_types(images.dtype, torch.float32))
        subject = Subject(
            module,
            inputs[size - 1 : size],  # the last of the first batch, so that its place and neighbors show
            name=type(module).__name__,
            preprocessing=request.preprocessing,
            task=config.model.task,
            state=state,
            reader=target_reader(request.target),
        )
        classes = None if request.columns is None else _classes_of(request.columns, subject, config.model.task)
        others = Reference(lambda: inputs if reference is None else reference.to(inputs))
        call = _Call(subject, inputs, classes, size, others, config.machine.seed, request.skip, notices)
        return call.maps(request.tasks)


@dataclass(frozen=True)
class _Call:
    """One call of `explain` with the network examined.

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
        absent: list[Tensor] = []
        for rows, tape in self._batches(settings, alone):
            targets = None if self.targets is None else self.targets[rows]
            if targets is not None and isinstance(tape.anchor, Regions | Boxes):
                absent.append(tape.anchor.shares.gather(1, targets) == 0)
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
        shared = {task.name for task in dry_run.tasks if task.method.batched_targets}
        maps = {name: _joined(values, owned=name not in shared) for name, values in parts.items()}
        for name, values in maps.items():
            if bad := _not_finite(values):
                self.notices.append(f"{name}: {bad} of {values.numel()} values aren't finite.")
        if absent:
            self._leave_empty(maps, torch.cat(absent))
        return maps

    def _plan(self, tasks: Sequence[Task]) -> tuple[DryRun, Tensor]:
        """What the tasks will read, and the logits [1, classes] of the last image of the first batch."""
        first = self.subject.take_first_pass()
        last = slice(self.size - 1, self.size)
        targets = first.logits.argmax(dim=1, keepdim=True) if self.targets is None else self.targets[last]
        tape = DryRunTape(self.subject, first, capacity=self.size, seed=self.seed)
        return dry_run_tasks(tasks, tape, targets), first.logits

    def _batches(self, settings: BatchSettings, alone: Tensor) -> Iterator[tuple[slice, Tape]]:
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

    def _leave_empty(self, maps: Maps, absent: Tensor) -> None:
        """Put NaN where an image has no region or box of the class that was asked for; `absent` is [N, K]."""
        assert self.targets is not None
        pairs = absent.nonzero().tolist()
        if not pairs:
            return
        row, column = pairs[0]
        name = self.subject.target_name(int(self.targets[row, column]))
        more = f", nor of {len(pairs) - 1} other targets" if len(pairs) > 1 else ""
        what = "box" if self.subject.meaning.kind is ScoreKind.DETECTION else "region"
        self.notices.append(
            f"{self.subject.name} predicts no {what} of {name!r} in images[{row}]{more}: these maps are NaN."
        )
        for values in maps.values():
            values[absent] = torch.nan

    def _leave_out(self, task: Task, reason: str) -> None:
        if not self.skip:
            raise NotApplicable(f"{task.name} isn't applicable to {self.subject.name}: {reason}.")
        self.notices.append(f"{task.name} is left out: {reason}.")


def _joined(parts: Sequence[Tensor], *, owned: bool) -> Tensor:
    """The maps of all batches; `owned` says that nothing else reads their memory, so that one batch isn't copied."""
    return (parts[0] if owned and len(parts) == 1 else torch.cat(list(parts))).contiguous()


def _not_finite(values: Tensor) -> int:
    """How many values are infinite or not numbers; any of them shows in the sum, which takes a tenth of the time."""
    return 0 if bool(values.sum().isfinite()) else int((~values.isfinite()).sum())


def _classes_of(columns: Tensor, subject: Subject, task: str) -> Tensor:
    """[N, K] classes of the subject for targets that name columns of the output."""
    lone = subject.meaning.kind is ScoreKind.BINARY and task == "auto"
    hint = 'With task="binary", 1 is the positive class and 0 the negative one.' if lone else ""
    check_columns(columns, 1 if lone else len(subject.classes), subject.name, hint)
    return columns + 1 if lone else columns
