"""Methods with their options over one tape: first in a dry run, so that passes are planned, then for real."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from cnnvis_report.engine.cost import MethodCost
from cnnvis_report.engine.devices import is_out_of_memory
from cnnvis_report.engine.dry_run import DryRunTape
from cnnvis_report.engine.tape import Reads, Tape
from cnnvis_report.errors import BadRequest, CnnVisError, NotApplicable, UnknownName
from cnnvis_report.isolation.context import full_precision
from cnnvis_report.isolation.process_state import running_user_code
from cnnvis_report.methods.registry import Method
from cnnvis_report.records.methods import AS_DEFINED, Kind, Option


@dataclass(frozen=True)
class Task:
    """A method with its options, at one layer where it reads one."""

    method: Method
    options: tuple[tuple[str, Option], ...]

    @property
    def name(self) -> str:
        """The method's name."""
        return self.method.name

    @property
    def layer(self) -> str:
        """The layer asked for; empty means the default, or that the method reads none."""
        return str(dict(self.options).get("layer", ""))

    def run(self, tape: Tape, targets: Tensor) -> Tensor:
        """[N, K, …]: the maps of all targets [N, K]."""
        options = dict(self.options)
        with torch.no_grad():  # arithmetic on maps isn't part of any network
            if self.method.batched_targets:
                maps: Tensor = self.method.function(tape, targets, **options)
            else:
                columns = [self.method.function(tape, column, **options) for column in targets.unbind(dim=1)]
                maps = torch.stack(columns, dim=1)
        rest = 3 if self.method.info.kind is Kind.PIXEL else 2
        if maps.ndim != 2 + rest or maps.shape[:2] != targets.shape:
            shape = "×".join(map(str, maps.shape))
            sides = "N×K×C×H×W" if rest == 3 else "N×K×h×w"
            raise BadRequest(
                f"{self.name} gives maps of {shape}; a method of kind {self.method.info.kind} gives {sides}."
            )
        return maps


@dataclass(frozen=True)
class TaskResult:
    """What became of a task on one batch: maps [N, K, …], or the reason why there are none.

    error: what went wrong, where the method itself didn't say that it isn't applicable.
    """

    task: Task
    account: MethodCost
    maps: Tensor | None
    reason: str = ""
    error: Exception | None = None

    def moved(self) -> "TaskResult":
        """The same with single-precision maps on their way to the CPU; `Costs.wait` says when they are there."""
        if self.maps is None:
            return self
        maps = self.maps.float().contiguous().to("cpu", non_blocking=True)
        return replace(self, maps=maps)


@dataclass(frozen=True)
class DryRun:
    """What a set of tasks will do.

    tasks: those that are applicable to the network; not_applicable: the others, with the reason.
    reads, layers, layer_inputs: what a tape has to know beforehand. forward, backward: passes per image, all classes.
    shapes, costs: of the map of one image and class, and forward and backward passes that weren't there yet, task by
        task.
    """

    tasks: tuple[Task, ...]
    not_applicable: tuple[tuple[Task, str], ...]
    reads: Reads
    layers: tuple[str, ...]
    layer_inputs: bool
    forward: float
    backward: float
    shapes: tuple[tuple[int, ...], ...]
    costs: tuple[tuple[float, float], ...]


def tasks_for(
    methods: Sequence[Method],
    layers: Sequence[str],
    options: Mapping[str, Mapping[str, Option]],
    effort: str = AS_DEFINED,
) -> tuple[Task, ...]:
    """A task for each method, and for each layer where a method reads one.

    Args:
        options: method name to option to value; they win over those of the effort.
        effort: how many passes methods may take, "low", "medium", "high" or "max".

    Raises:
        UnknownName, BadRequest: options that a method doesn't have or can't take.
    """
    names = [method.name for method in methods]
    for name in options:
        if name not in names:
            raise UnknownName("method of this run", name, names)
    tasks = []
    for method in methods:
        chosen = method.options_at(effort, options.get(method.name, {}))
        for layer in layers or [""] if method.takes_layer else [""]:
            if method.takes_layer and layer:
                chosen = {**chosen, "layer": layer}
            tasks.append(Task(method, tuple(chosen.items())))
    return tuple(tasks)


@full_precision()
def dry_run_tasks(tasks: Sequence[Task], dry_tape: DryRunTape, targets: Tensor) -> DryRun:
    """Go through the tasks without a pass; targets are [1, K].

    Raises:
        UnknownName, BadRequest: a request that no network could meet.
    """
    going, not_applicable, shapes, costs = [], [], [], []
    before = dry_tape.passes()
    for task in tasks:
        with dry_tape.costs.measure():
            try:
                maps = task.run(dry_tape, targets)
                shape = tuple(maps.shape[2:])
            except NotApplicable as error:
                not_applicable.append((task, str(error)))
                continue
            except CnnVisError:
                raise
            except Exception:  # zeros may be too much for it; if numbers are too, the run will say so
                shape = ()
        going.append(task)
        shapes.append(shape)
        forward, backward = dry_tape.passes()
        costs.append((forward - before[0], backward - before[1]))
        before = forward, backward
    reads = {rule: frozenset(what) for rule, what in dry_tape.reads.items()}
    forward, backward = dry_tape.passes()
    return DryRun(
        tasks=tuple(going),
        not_applicable=tuple(not_applicable),
        reads=reads,
        layers=tuple(dry_tape.layers),
        layer_inputs=dry_tape.layer_inputs,
        forward=forward,
        backward=backward,
        shapes=tuple(shapes),
        costs=tuple(costs),
    )


def run_tasks(
    tasks: Sequence[Task], tape: Tape, targets: Tensor, reduced: Collection[Task] = ()
) -> Iterator[TaskResult]:
    """The tasks one by one on a tape; one that isn't applicable, or that fails, gives its reason in place of maps.

    Args:
        targets: [N, K]. reduced: those tasks whose forward passes are made in bfloat16.

    Raises:
        RuntimeError, MemoryError: out of memory, which has nothing to do with the method.
    """
    for task in tasks:
        with tape.costs.measure() as account:
            if task in reduced:
                tape.note(precision="bfloat16")
            try:
                with tape.reduced() if task in reduced else nullcontext(), running_user_code(tape.subject.name):
                    result = TaskResult(task, account, task.run(tape, targets))
            except NotApplicable as error:
                result = TaskResult(task, account, None, str(error))
            except Exception as error:  # somebody's method may raise anything, and the others still count
                if is_out_of_memory(error):
                    raise
                result = TaskResult(task, account, None, f"{type(error).__name__}: {error}", error)
        yield result
