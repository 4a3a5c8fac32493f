"""A page of the report while the run goes on."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from cnnvis_report.progress import Progress

if TYPE_CHECKING:
    from cnnvis_report.pipeline.setup import Setup
    from cnnvis_report.report.unfinished import UnfinishedReport


class WithPage(Progress):
    """Hands progress on, and has the page written when there is news."""

    def __init__(self, listener: Progress, page: "UnfinishedReport") -> None:
        self._listener, self._page = listener, page
        self.expect, self.changed, self.warn = listener.expect, listener.changed, listener.warn  # type: ignore[method-assign]
        self._failed = False

    def step(self, what: str, items: float = 0.0) -> None:
        """Hand it on, and look whether the page is due."""
        self._listener.step(what, items)
        self._update()

    def done(self, item: str, *, in_steps: bool = False) -> None:
        """The same of an item."""
        self._listener.done(item, in_steps=in_steps)
        self._update()

    def _update(self) -> None:
        if self._failed:
            return
        try:
            self._page.update()
        except OSError as error:  # the run itself will say what is wrong with the disk
            self._failed = True
            self._listener.warn(f"The page of the run so far can't be written: {error}.")


@contextmanager
def page_meanwhile(setup: "Setup", listener: Progress, images: int) -> Iterator[Progress]:
    """Keep a page of the run so far in the folder of the report; where the run stops, the page says so."""
    from cnnvis_report.report.unfinished import UnfinishedReport

    methods = [task.method.info for task in setup.maps.tasks]
    report = setup.config.report
    title = report.title or f"What {setup.network.subject.name} looks at"
    page = UnfinishedReport(report.output, title, images, methods)
    try:
        yield WithPage(listener, page)
    except BaseException as error:
        with suppress(OSError):
            page.stop("because it was interrupted" if isinstance(error, KeyboardInterrupt) else "with an error")
        raise
