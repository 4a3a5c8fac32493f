"""Forward passes over a batch, and what all its passes cost."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor

from cnnvis_report.engine.cost import Costs, Stated
from cnnvis_report.engine.covering import Corner, cut_for, grayed, scores_by_cut
from cnnvis_report.engine.outputs.readers import Anchor
from cnnvis_report.engine.passes import FORWARD_ONLY, REDUCED
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import NotApplicable, brief
from cnnvis_report.isolation.context import grad_mode

T = TypeVar("T")
# what PyTorch says where a network has changed in place what its own way back reads: no training could follow it either
OVERWRITTEN = "modified by an inplace operation"


class ForwardPasses:
    """A batch of images whose scores, changed or covered in part, are found without a graph.

    Args:
        subject: the network.
        images: [N, C, H, W], normalized.
        capacity: the most images that go through at a time; N where None or less.
        within: the batch that this one replays; the method that it measures then bears all passes.
    """

    def __init__(
        self,
        subject: Subject,
        images: Tensor,
        *,
        capacity: int | None = None,
        within: "ForwardPasses | None" = None,
    ) -> None:
        self.subject = subject
        self.images = images.detach()
        self.capacity = 1 if subject.one_by_one else max(capacity or 0, len(images))
        self.anchor: Anchor | None = None  # of the images as they are; by it perturbed versions of them are read
        self.costs: Costs = within.costs if within else Costs(images.device)
        self._share = len(images) / len(within.images) if within else 1.0
        self._private = within is not None
        self._precision: Callable[[], AbstractContextManager[None]] = nullcontext

    @property
    def black(self) -> Tensor:
        """[C, 1, 1]: a black pixel as the network reads it."""
        return self.subject.preprocessing.black(self.images)

    def color_name(self, name: str) -> str:
        """What the color is called that a method starts from: 0 where nobody knows which numbers are black and gray."""
        return name if self.subject.preprocessing.knows_colors else "0"

    def layer_name(self, name: str = "") -> str:
        """The layer called `name`; the last features that reach the scores where it is empty."""
        return self.subject.layer(name).name

    @property
    def is_reduced(self) -> bool:
        """Whether scores are found in bfloat16."""
        return self._precision is not nullcontext

    @contextmanager
    def reduced(self) -> Iterator[None]:
        """Scores are found in bfloat16 while it is open; gradients never are."""
        self._precision = self.subject.reduced
        try:
            yield
        finally:
            self._precision = nullcontext

    def scores(self, images: Tensor, rows: Tensor | None = None) -> Tensor:
        """[M, classes]: the scores of other images [M, C, H, W], by forward passes of `capacity` images.

        Args:
            rows: [M], which image of the batch each is a version of; where it is None, they are as many as the batch
                has and in its order, or the batch has one image.

        Raises:
            NotApplicable: nobody says which image each is a version of, and the scores depend on it.
        """
        parts = torch.split(images, self.capacity)
        kind = REDUCED if self.is_reduced else FORWARD_ONLY
        anchor = self.anchor_of(len(images), rows)
        return self._scores_of(self.subject.forward, parts, len(images) / len(self.images), kind, anchor)

    def scores_from(self, row: int, values: Tensor, layer: str = "") -> Tensor:
        """[M, classes]: the scores of one of the images where a layer gives other values [M, K, h, w].

        Args:
            row: of the image in the batch.
            layer: the last features that reach the scores where it is empty.
        """
        name = self.subject.layer(layer).name
        image = self.images[row : row + 1]
        parts = torch.split(values, 1 if self.subject.one_by_one else max(self.capacity, 16))
        passes = len(values) * self.subject.work_after(name) / len(self.images)
        forward, kind = partial(self.subject.forward_from, name, image), (name, self.is_reduced)
        anchor = self.anchor_of(len(values), torch.full((len(values),), row))
        return self._scores_of(forward, parts, passes, kind, anchor)

    def covered_scores(self, corners: Sequence[Corner], patch: int) -> Tensor:
        """[P, N, classes]: the scores of the images with a gray square of `patch` pixels in each of P places.

        What a patch doesn't change is worked out once, where that is exact and saves enough.

        Args:
            corners: the first row and column of each square.
        """
        cut = cut_for(self.subject, self.images, patch, self.capacity)
        if cut is not None:
            run = partial(scores_by_cut, self.subject, cut, self.images, corners, patch)
            return self._looking(run, cut.passes(len(corners), patch), ("covered", patch, self.is_reduced))
        group = max(1, self.capacity // len(self.images))
        buffer = self.images.new_empty((group, *self.images.shape))
        scores = []
        for start in range(0, len(corners), group):
            views = grayed(self.images, corners[start : start + group], patch, buffer)
            rows = torch.arange(len(self.images)).repeat(len(views))
            scores.append(self.scores(views.flatten(0, 1), rows).view(*views.shape[:2], -1))
        return torch.cat(scores)

    def anchor_of(self, count: int, rows: Tensor | None) -> Anchor | None:
        """What so many versions of the batch's images are read by; None where nothing is.

        Args:
            rows: as for `scores`.

        Raises:
            NotApplicable: as `scores`.
        """
        if self.anchor is None:
            return None
        if rows is None and count != len(self.images) != 1:
            raise NotApplicable(
                "the method doesn't say which image each of its passes is a version of, by `rows`, and the scores of "
                f"{self.subject.name} are read by the image as it is"
            )
        if rows is None:
            rows = torch.arange(count) if count == len(self.images) else torch.zeros(count, dtype=torch.long)
        return self.anchor.rows(rows)

    def _scores_of(
        self,
        forward: Callable[..., Tensor],
        parts: Sequence[Tensor],
        passes: float,
        kind: Hashable,
        anchor: Anchor | None = None,
    ) -> Tensor:
        """The scores of all parts, in the precision that is asked for."""

        def run() -> Tensor:
            if anchor is None:
                return torch.cat([forward(part) for part in parts])
            indices = torch.split(torch.arange(sum(map(len, parts))), len(parts[0]))
            pairs = zip(parts, indices, strict=True)
            return torch.cat([forward(part, anchor=anchor.rows(rows)) for part, rows in pairs])

        return self._looking(run, passes, kind)

    def _looking(self, run: Callable[[], Tensor], passes: float, kind: Hashable) -> Tensor:
        """What forward passes give that nothing is recorded of, in the precision that is asked for."""

        def looking() -> Tensor:
            with grad_mode(), torch.no_grad(), self.subject.in_eval_mode(), self._precision():
                return run()

        return self._run_pass(None, looking, forward=passes, kind=kind)

    def note(self, **stated: Stated) -> None:
        """State something of the method that runs: a word, a number, or a tensor [N] or [N, K] with one for each."""
        self.costs.note(**stated)

    def _run_pass(
        self,
        key: Hashable,
        action: Callable[[], T],
        *,
        forward: float = 0.0,
        backward: float = 0.0,
        kind: Hashable = None,
    ) -> T:
        share = self._share
        key = None if self._private else key
        images = (forward + backward) * len(self.images)
        with self.costs.running(key, forward=forward * share, backward=backward * share, kind=kind, images=images):
            try:
                return action()
            except RuntimeError as error:
                if OVERWRITTEN not in str(error):
                    raise
                raise NotApplicable(
                    f"{self.subject.name} changes in place what autograd reads on its way back, such as a ReLU's "
                    f"result by += ({brief(error)})"
                ) from error

    def _share_pass(self, key: Hashable) -> None:
        if not self._private:
            self.costs.use(key)
