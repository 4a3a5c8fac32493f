"""The page of a run that goes on gets what progress is told, and never ends the run."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cnnvis_report.cli.unfinished import WithPage, page_meanwhile
from cnnvis_report.errors import RunFailed
from cnnvis_report.pipeline.config import RunConfig
from cnnvis_report.progress import Progress
from cnnvis_report.report import unfinished


class Listener(Progress):
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def step(self, what: str, items: float = 0.0) -> None:
        self.calls.append(("step", what, items))

    def done(self, item: str, *, in_steps: bool = False) -> None:
        self.calls.append(("done", item, in_steps))

    def expect(self, seconds: float, per_item: float) -> None:
        self.calls.append(("expect", seconds, per_item))

    def changed(self, parts: Any) -> None:
        self.calls.append(("changed", parts))

    def warn(self, message: str, error: Exception | None = None) -> None:
        self.calls.append(("warn", message, error))


class Page:
    """Stands in for the page."""

    def __init__(self, *_arguments: object) -> None:
        self.updates, self.stopped = 0, ""
        self.error: Exception | None = None

    def update(self) -> None:
        self.updates += 1
        if self.error is not None:
            raise self.error

    def stop(self, reason: str) -> None:
        self.stopped = reason


def test_all_that_progress_is_told_goes_on() -> None:
    listener, page = Listener(), Page()
    progress = WithPage(listener, page)  # type: ignore[arg-type] # stands in for one
    progress.step("gradient", 0.5)
    progress.done("cat.png", in_steps=True)
    progress.expect(3.0, 1.0)
    progress.changed(["seed"])
    progress.warn("careful", None)
    assert listener.calls == [
        ("step", "gradient", 0.5),
        ("done", "cat.png", True),
        ("expect", 3.0, 1.0),
        ("changed", ["seed"]),
        ("warn", "careful", None),
    ]
    assert page.updates == 2


def test_a_page_that_cannot_be_written_is_one_warning() -> None:
    listener, page = Listener(), Page()
    page.error = OSError(28, "No space left on device", "index.html")
    progress = WithPage(listener, page)  # type: ignore[arg-type] # stands in for one
    progress.done("cat.png")
    progress.done("dog.png")
    warnings = [call for call in listener.calls if call[0] == "warn"]
    assert len(warnings) == 1 and "No space left" in warnings[0][1] and page.updates == 1


@pytest.mark.parametrize(
    ("error", "reason"),
    [(KeyboardInterrupt(), "because it was interrupted"), (RunFailed("no memory"), "with an error"), (None, "")],
    ids=["interrupted", "failed", "complete"],
)
def test_a_run_that_stops_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException | None, reason: str
) -> None:
    page = Page()
    monkeypatch.setattr(unfinished, "UnfinishedReport", lambda *_arguments: page)
    setup: Any = SimpleNamespace(
        config=RunConfig.of("tiny", output=tmp_path),
        maps=SimpleNamespace(tasks=[]),
        network=SimpleNamespace(subject=SimpleNamespace(name="tiny")),
    )
    if error is None:
        with page_meanwhile(setup, Progress(), 3):
            pass
    else:
        with pytest.raises(type(error)), page_meanwhile(setup, Progress(), 3):
            raise error
    assert page.stopped == reason
