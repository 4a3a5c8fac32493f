"""Ray in this process: actors answer when they are asked, and end when a script of the test says so."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any


class RayError(Exception):
    """What Ray raises where an actor has ended."""


class RayTaskError(RayError):
    """What it raises where an actor's method has raised `cause`."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


Answer = Callable[[int, str, tuple[Any, ...]], Any]  # the actor's number, the method, its arguments


class FakeRay:
    """As much of the module as a pool uses.

    Args:
        answer: what an actor answers; what it raises is raised where the answer is fetched.
    """

    exceptions = SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError)

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.started = 0
        self.killed: list[int] = []
        self.options: dict[str, Any] = {}

    def remote(self, kind: type) -> Any:
        def options(**given: Any) -> Any:
            self.options = given
            return SimpleNamespace(remote=self._start)

        return SimpleNamespace(options=options)

    def put(self, value: Any) -> Any:
        return value

    def wait(self, references: Sequence[Any], *, num_returns: int, timeout: float) -> tuple[list[Any], list[Any]]:
        return list(references[:num_returns]), list(references[num_returns:])

    def get(self, reference: "Reference") -> Any:
        return self._answer(*reference.call)

    def kill(self, actor: Any) -> None:
        self.killed.append(actor.number)

    def _start(self) -> Any:
        number = self.started
        self.started += 1

        opens = SimpleNamespace(remote=lambda job: Reference((number, "open", (job,))))
        run = SimpleNamespace(remote=lambda name, *arguments: Reference((number, name, arguments)))
        return SimpleNamespace(number=number, open=opens, run=run)


class Reference:
    """What an actor will answer."""

    def __init__(self, call: tuple[int, str, tuple[Any, ...]]) -> None:
        self.call = call
