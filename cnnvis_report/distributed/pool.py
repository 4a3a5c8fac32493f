"""Workers of a cluster, each with one shard at a time; a shard whose worker ends goes to another one."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cnnvis_report.distributed.cluster import Cluster
from cnnvis_report.distributed.job import Failure, Reason, ShardTask
from cnnvis_report.errors import BadRequest, CnnVisError, RunFailed, brief
from cnnvis_report.progress import Progress

MOST_ENDS = 3  # workers that may end over the same images, or before they are open
WAIT = 60.0  # seconds without news after which a word is due


@dataclass
class _Member:
    """A worker: its actor, the node that it is on where that is known, and whether it is open."""

    actor: Any
    node: str = "a node"
    is_open: bool = False


@dataclass
class _Work:
    """A shard, and how many workers have ended over it."""

    task: ShardTask
    ends: int = 0


class Pool:
    """So many workers until every shard is written.

    Args:
        share: what each takes of the cluster. job: what each opens, pickled. method: of `ShardWorker`, that gets the
            number and the ids of a shard, and `arguments`.
    """

    def __init__(
        self,
        cluster: Cluster,
        count: int,
        share: dict[str, float],
        job: bytes,
        progress: Progress,
        method: str,
        *arguments: object,
    ) -> None:
        self._ray, self._cluster, self._progress = cluster.ray, cluster, progress
        self._actor = self._ray.remote(host_class()).options(max_restarts=0, scheduling_strategy="SPREAD", **share)
        self._job = self._ray.put(job)
        self._count, self._method, self._arguments = count, method, arguments
        self._waiting: deque[_Work] = deque()
        self._pending: dict[Any, tuple[_Member, _Work | None]] = {}
        self._idle: list[_Member] = []  # they have nothing to do, unless another one gives up
        self._actors: list[Any] = []
        self._ends_unopened = 0
        self._too_small: str = ""
        self._warned = False

    def map(self, tasks: Sequence[ShardTask]) -> Iterator[tuple[ShardTask, Any]]:
        """The shards with what workers have made of them, as they come.

        Raises:
            BadRequest: a worker isn't what the command needs. RunFailed: none is left, or they end over the same shard.
        """
        self._waiting.extend(_Work(task) for task in tasks)
        try:
            for _ in range(min(self._count, len(self._waiting))):
                self._start()
            while self._pending:
                ready, _ = self._ray.wait(list(self._pending), num_returns=1, timeout=WAIT)
                if not ready:
                    self._say_that_nobody_comes()
                for reference in ready:
                    result = self._take(reference)
                    if result is not None:
                        yield result
        finally:
            for actor in self._actors:
                self._ray.kill(actor)
        if self._waiting:
            raise RunFailed(self._too_small)

    def _start(self) -> None:
        member = _Member(self._actor.remote())
        self._actors.append(member.actor)
        self._pending[member.actor.open.remote(self._job)] = (member, None)

    def _give(self, member: _Member) -> None:
        """The next shard to a worker; where there is none, it waits."""
        if not self._waiting:
            self._idle.append(member)
            return
        work = self._waiting.popleft()
        call = self._method, work.task.number, work.task.ids, *self._arguments
        self._pending[member.actor.run.remote(*call)] = (member, work)

    def _take(self, reference: Any) -> tuple[ShardTask, Any] | None:
        """What a worker has answered; its next shard is on its way before the result is looked at."""
        member, work = self._pending.pop(reference)
        try:
            answer = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            raise self._failed(member, error) from error
        except self._ray.exceptions.RayError as error:
            self._replace(member, work, error)
            return None
        if work is None:
            member.node, answer = answer
            member.is_open = answer is None
            self._ends_unopened = 0
        if isinstance(answer, Failure | str):
            self._part_with(member, work, answer)
            return None
        self._give(member)
        return None if work is None else (work.task, answer)

    def _replace(self, member: _Member, work: _Work | None, error: Exception) -> None:
        """Put another worker in the place of one that has ended."""
        self._ray.kill(member.actor)
        reason = brief(error)
        if work is None:
            self._ends_unopened += 1
            if self._ends_unopened >= MOST_ENDS:
                raise RunFailed(f"{MOST_ENDS} workers ended before they were open: {reason}.")
            self._progress.warn(f"A worker ended before it was open ({reason}). Another one takes its place.")
        else:
            work.ends += 1
            first, last = work.task.names[0], work.task.names[-1]
            if work.ends >= MOST_ENDS:
                raise RunFailed(
                    f"{MOST_ENDS} workers ended over the images from {first} to {last}: {reason}. A smaller "
                    "--batch-size takes less memory; --limit or another folder leaves images out."
                )
            self._progress.warn(
                f"A worker on {member.node} ended ({reason}). Another one explains the images from {first} to {last}."
            )
            self._waiting.appendleft(work)
        if self._idle:
            self._give(self._idle.pop())
        else:
            self._start()

    def _part_with(self, member: _Member, work: _Work | None, failure: Failure | str) -> None:
        """Go on without a worker whose device is too small.

        Raises:
            BadRequest, RunFailed: it has any other reason.
        """
        if isinstance(failure, str):
            raise BadRequest(
                f"The worker on {member.node} can't read what the command sends ({brief(RuntimeError(failure))}). "
                "Install the same cnnvis-report[ray] on every node."
            )
        if work is None or failure.reason is not Reason.MEMORY:
            raise self._raised(member, failure)
        self._ray.kill(member.actor)
        self._waiting.appendleft(work)
        self._too_small = f"The worker on {member.node}: {failure.message}"
        if self._idle:
            self._give(self._idle.pop())
        if self._pending:
            self._progress.warn(f"{self._too_small} Its images go to the other workers.")

    def _raised(self, member: _Member, failure: Failure) -> CnnVisError:
        kind = BadRequest if failure.reason is Reason.REQUEST else RunFailed
        return kind(f"The worker on {member.node}: {failure.message}")

    def _failed(self, member: _Member, error: Any) -> RunFailed:
        """What no worker should do: an error that nobody expects."""
        cause = getattr(error, "cause", None) or error
        return RunFailed(f"The worker on {member.node} failed: {type(cause).__name__}: {brief(cause)}.")

    def _say_that_nobody_comes(self) -> None:
        """Say once that no worker has come, where the cluster has no room for one."""
        if not self._warned and not any(member.is_open for member, _ in self._pending.values()):
            self._warned = True
            self._progress.warn(
                f"{self._cluster.name} has started no worker for {WAIT:.0f} seconds: it is busy, or still growing. "
                "The run waits; what is done is safe if you stop it."
            )


def host_class() -> type:
    """A class whose instances hold a worker in a process of a cluster."""

    class ShardHost:
        def open(self, job: bytes) -> tuple[str, Any]:
            """Make the worker; the address of its node, and why it is of no use, where it isn't."""
            import pickle
            import socket

            import ray

            node = ray.util.get_node_ip_address() or socket.gethostname()
            try:
                from cnnvis_report.distributed.worker import ShardWorker

                self.worker = ShardWorker(pickle.loads(job))
            except Exception as error:
                return node, f"{type(error).__name__}: {error}"
            return node, self.worker.open()

        def run(self, method: str, *arguments: Any) -> Any:
            """Let the worker do something."""
            return getattr(self.worker, method)(*arguments)

    return ShardHost
