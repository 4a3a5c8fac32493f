"""Whether a network gives the same for the same image: on another pass, and among other images."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import blake2b

import torch
from torch import Tensor

from cnnvis_report.engine.devices import is_out_of_memory
from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import CnnVisError, brief
from cnnvis_report.isolation.context import check_shape, grad_mode
from cnnvis_report.pipeline.repeatability.random_draws import Draws, watched

# Of the range of the logits. What rounding leaves between batches of one and of three of torchvision's networks is
# 6e-7 at most in float32, 2e-4 in bfloat16.
ROUNDING = {torch.float64: 1e-9, torch.float32: 1e-4, torch.float16: 0.02, torch.bfloat16: 0.1}
MAY_BE_ROUNDING = 0.02  # in a network that works in another type within, and nobody sees which
NOISE_SEED = 27_182_818
MOST_PASSES = 16  # at one image where random numbers are drawn and passes agree
CLEARLY_MORE = 5  # times what passes differ by anyhow: then neighbors have a part in it, too


@dataclass(frozen=True)
class Repeatability:
    """What passes over one image have in common.

    again: by how much two passes over the image alone differ, of the range of its logits; 0 where only rounding does.
    among: by how much they differ from those of the image among others, where that is more; 0 elsewhere.
    refusal: why the network doesn't take several images at a time; empty where it does.
    draws: how many passes over the image agreed although random numbers were drawn in them; 0 where none were.
    logits: [2, classes], of noise and of the image; None where passes differ. example: a digest of the image.
    """

    again: float = 0.0
    among: float = 0.0
    refusal: str = ""
    draws: int = 0
    logits: Tensor | None = None
    example: str = ""

    @property
    def one_by_one(self) -> bool:
        """Whether images have to go through the network one at a time."""
        return bool(self.among or self.refusal)

    def notices(self, name: str) -> tuple[str, ...]:
        """What a user of the network called `name` has to know of it, a sentence each."""
        notices = []
        if self.again:
            notices.append(
                f"{name} doesn't repeat itself: passes over one image differ by {percent(self.again)} of the range of "
                f"its logits (dropout that stays on, noise, or a state that moves on); scores change from run to run "
                f"by about so much, and maps may by more."
            )
        if self.draws and not self.again:
            notices.append(
                f"{name} draws random numbers in its passes; {self.draws} passes over one image agreed, others may not."
            )
        if self.among:
            notices.append(
                f"The logits that {name} gives an image depend on the other images of its batch, by "
                f"{percent(self.among)} of their range (statistics over the batch?); images are explained one by one."
            )
        if self.refusal:
            notices.append(f"{name} takes one image at a time ({self.refusal}); images are explained one by one.")
        return tuple(notices)


def check_passes(subject: Subject) -> Repeatability:
    """Compare the subject's first pass with one more, or with a few where they differ."""
    if subject.first_pass is None:
        raise RuntimeError("the first pass has been taken")
    image, alone = subject.first_pass.images, subject.first_pass.logits
    neighbor, beside = _noise(image), list[Tensor]()

    def batch() -> Tensor:
        nonlocal neighbor
        neighbor, rows = _beside(subject, image, 2)
        beside.append(rows)
        return rows[1:]

    result = compare(subject, image, alone, batch)
    if result.again:
        return result
    if result.one_by_one or not beside:
        beside = [torch.cat([plain_logits(subject, part) for part in (neighbor, image)])]
    example = blake2b(image.detach().cpu().float().contiguous().numpy().tobytes(), digest_size=16)
    return replace(result, logits=beside[0][:2], example=example.hexdigest())


def open_first_batch(
    subject: Subject, images: Tensor, alone: Tensor, tape_of: Callable[[Tensor], Tape], *, streams: bool
) -> tuple[Tape | None, Repeatability]:
    """The tape of the first batch, and what its pass has in common with that over its last image alone.

    Args:
        images: [N, C, H, W]. alone: [1, classes], the logits of the last. tape_of: makes the tape.
        streams: whether methods will send batches of their own, also where there is a single image.
    """
    tapes: list[Tape] = []

    def batch() -> Tensor:
        tapes.append(tape_of(images))
        logits = check_shape(tapes[-1].logits, len(images), 0)
        if streams and len(images) == 1:
            logits = torch.cat([logits, _beside(subject, images, 1)[1]])
        return logits[-1:]

    result = compare(subject, images[-1:], alone, batch)
    return (tapes[0] if tapes else None), result


def compare(
    subject: Subject,
    image: Tensor,
    alone: Tensor,
    batch: Callable[[], Tensor],
    *,
    size: int = 3,
    repeated: bool = False,
) -> Repeatability:
    """Compare the pass over an image alone with one over a batch, and look closer where they differ.

    Args:
        image: [1, C, H, W]. alone: [1, classes]. size: of the batch. repeated: whether `alone` is of a pass like those
            that are made here; what the first pass gave may stand behind a final softmax, what others give before it.
        batch: makes the pass; gives the logits of the image there, [N, classes] where it is there N times.
    """
    refusal, rows = "", alone
    draws = Draws()
    try:
        with watched(subject.network) as draws:
            rows = batch()
        if not draws and not _farthest(alone, rows):
            return Repeatability()
    except Exception as error:  # a network may raise anything
        if is_out_of_memory(error):  # nothing is known, and the run will see to it
            return Repeatability()
        kind = "" if isinstance(error, CnnVisError) else f"{type(error).__name__}: "
        refusal = f"{kind}{brief(error)}"[:120]
    earlier, alone, passes = alone, plain_logits(subject, image), 1
    again = difference(earlier, alone) if repeated else 0.0
    while not again and passes < (MOST_PASSES if draws else 2):
        again, passes = difference(alone, plain_logits(subject, image)), passes + 1
    among = 0.0 if refusal else _farthest(alone, rows)
    if among and not again:  # noise that strikes rarely may have spared two passes
        again = max(difference(*(row[None] for row in pair)) for pair in zip(rows, batch(), strict=True))
    if among and not again and among < MAY_BE_ROUNDING and _is_rounding(subject, image, size):
        among = 0.0
    return Repeatability(
        again, among if among > CLEARLY_MORE * again else 0.0, refusal, passes if draws and not again else 0
    )


def _farthest(alone: Tensor, rows: Tensor) -> float:
    return max(difference(alone, row[None]) for row in rows)


def difference(one: Tensor, other: Tensor) -> float:
    """By how much two rows of logits [1, classes] differ, of their range; 0 where that is mere rounding."""
    off = relative_difference(one, other)
    coarse = torch.get_autocast_dtype(one.device.type) if torch.is_autocast_enabled(one.device.type) else one.dtype
    return off if off > max(ROUNDING.get(kind, 1e-4) for kind in (one.dtype, coarse)) else 0.0


def relative_difference(one: Tensor, other: Tensor) -> float:
    """By how much two rows of logits [1, classes] differ, of their range."""
    first, second = one.detach().double(), other.detach().double()
    room = first.max() - first.min()
    room = torch.where(room == 0, first.abs().max(), room)
    off = float((first - second).abs().max() / torch.where(room == 0, 1, room))
    if math.isnan(off):
        return 0.0 if torch.equal(first.isnan(), second.isnan()) else math.inf
    return off


def _is_rounding(subject: Subject, image: Tensor, size: int) -> bool:
    """Whether neither its neighbors nor its place in the batch matter to an image, but the batch's size alone."""
    noise = _noise(image)
    others = [part.expand(max(size, 3) - 2, -1, -1, -1) for part in (noise, -noise)]
    rows = [row for other in others for row in plain_logits(subject, torch.cat([other, image, image]))[-2:]]
    return all(relative_difference(rows[0][None], row[None]) < ROUNDING[torch.float32] / 100 for row in rows[1:])


def _beside(subject: Subject, image: Tensor, times: int) -> tuple[Tensor, Tensor]:
    """A neighbor that the network takes by itself, and the logits of a batch of it and so many times the image.

    Raises:
        Exception: the network doesn't take several images.
    """
    noise = _noise(image)
    for neighbor in (noise, -noise, image.flip(3), image):
        try:
            return neighbor, plain_logits(subject, torch.cat([neighbor, *[image] * times]))
        except Exception as error:  # a network may raise anything
            if neighbor is image or is_out_of_memory(error) or _is_taken(subject, neighbor):
                raise
    raise AssertionError("the image itself ends the search")


def _is_taken(subject: Subject, image: Tensor) -> bool:
    try:
        plain_logits(subject, image)
    except Exception:
        return False
    return True


def plain_logits(subject: Subject, images: Tensor) -> Tensor:
    """[N, classes]: the logits of a pass that records nothing.

    Raises:
        ValueError: there are more or fewer rows than images.
    """
    with grad_mode(), torch.no_grad(), subject.in_eval_mode():
        return check_shape(subject.forward(images), len(images), 0)


def _noise(image: Tensor) -> Tensor:
    """The same noise for all images of one size; not of a seed that an example is likely to be made from."""
    return torch.randn(image.shape, generator=torch.Generator().manual_seed(NOISE_SEED)).to(image)


def percent(value: float) -> str:
    """A part of the range, in words."""
    return f"{value:.2g}" if value < 0.001 or math.isinf(value) else f"{value:.1%}"
