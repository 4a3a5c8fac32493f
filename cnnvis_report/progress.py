"""Progress of long work, from the first file that is read to the last page that is written."""

from collections.abc import Sequence


class Progress:
    """Is told how work goes on; this one ignores it. The terminal's is in `cli/terminal/console.py`.

    Work has items (images, files, pages). An item is told of by `done`, and before that by a `step` for each part of
    it where it takes long.
    """

    def step(self, what: str, items: float = 0.0) -> None:
        """`what` is being done; so much of the items' work is behind it."""

    def done(self, item: str, *, in_steps: bool = False) -> None:
        """One more item is done; `in_steps` if its work has been told of already."""

    def expect(self, seconds: float, per_item: float) -> None:
        """The work still takes so many seconds, and each item `per_item` of them."""

    def changed(self, parts: Sequence[str]) -> None:
        """What an earlier start has left isn't used, because these parts of the request have changed."""

    def warn(self, message: str, error: Exception | None = None) -> None:
        """Something went wrong that doesn't end the work: a skipped file, a method that failed, too little memory."""
