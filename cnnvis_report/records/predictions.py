"""What a network said of labeled images, counted, as plain data."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

BINS = 10  # of the probability of the first class
LISTED_UP_TO = 1000


@dataclass(frozen=True)
class Answer:
    """What a network said of one image: the label, the class seen first, its probability, the label's own.

    image: the id where the image has a page, empty elsewhere. own: None where it wasn't kept.
    """

    image: str
    name: str
    label: str
    seen: str
    right: bool
    probability: float
    own: float | None
    rank: int | None


@dataclass(frozen=True)
class Bin:
    """Images whose first class has a probability within a tenth: how many, how many right, the mean probability."""

    images: int
    right: int
    mean: float


@dataclass(frozen=True)
class Answers:
    """Counts over all labeled images. in_top: the label is among the first five. confused: label, seen, how often.

    bins: by the probability of the first class. wrong: the errors, the surest first, at most a thousand.
    right_mean: the mean probability of the first class where it is right. unknown: images beside these, with labels of
    which the network knows none.
    """

    images: int
    right: int
    in_top: int
    confused: tuple[tuple[str, str, int], ...]
    bins: tuple[Bin, ...]
    wrong: tuple[Answer, ...]
    right_mean: float
    unknown: int = 0

    @property
    def accuracy(self) -> float:
        """The share that is right."""
        return self.right / self.images if self.images else 0.0

    @property
    def calibration_error(self) -> float:
        """How far probability and accuracy are apart, in the mean over images: Guo et al. 2017, arXiv:1706.04599."""
        return sum(abs(each.right - each.images * each.mean) for each in self.bins) / max(1, self.images)

    @property
    def wrong_mean(self) -> float:
        """The mean probability of the first class where it is wrong; 0 where it never is."""
        total = sum(each.mean * each.images for each in self.bins)
        return (total - self.right_mean * self.right) / max(1, self.images - self.right)


class Counting:
    """Counts answers one by one."""

    def __init__(self) -> None:
        self.images, self.right, self.in_top, self.unknown = 0, 0, 0, 0
        self._confused: Counter[tuple[str, str]] = Counter()
        self._bins = [[0, 0, 0.0] for _ in range(BINS)]
        self._right_sum = 0.0
        self._wrong: list[Answer] = []

    def add(self, answer: Answer) -> None:
        """Count one in."""
        self.images += 1
        self.right += answer.right
        self.in_top += answer.rank is not None and answer.rank <= 5
        self._confused[answer.label, answer.seen] += 1
        place = self._bins[min(BINS - 1, int(answer.probability * BINS))]
        place[0] += 1
        place[1] += answer.right
        place[2] += answer.probability
        self._right_sum += answer.probability * answer.right
        if not answer.right:
            self._wrong.append(answer)

    def result(self) -> Answers:
        """Everything so far."""
        surest = sorted(self._wrong, key=lambda each: (-each.probability, each.name))
        return Answers(
            images=self.images,
            right=self.right,
            in_top=self.in_top,
            confused=tuple((label, seen, count) for (label, seen), count in sorted(self._confused.items())),
            bins=tuple(Bin(int(n), int(right), total / n if n else 0.0) for n, right, total in self._bins),
            wrong=tuple(surest[:LISTED_UP_TO]),
            right_mean=self._right_sum / self.right if self.right else 0.0,
            unknown=self.unknown,
        )


def count(answers: Iterable[Answer], unknown: int = 0) -> Answers:
    """All of them, counted; beside them so many images with labels that the network doesn't know."""
    counting = Counting()
    counting.unknown = unknown
    for answer in answers:
        counting.add(answer)
    return counting.result()
