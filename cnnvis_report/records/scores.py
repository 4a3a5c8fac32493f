"""What the scores of a network mean, as plain words that the report keeps."""

from enum import StrEnum

BOXES = 3  # of a class that a detection tells apart, the best first


class ScoreKind(StrEnum):
    """How scores become answers."""

    SOFTMAX = "softmax"  # one class per image: probabilities that sum to 1
    SIGMOID = "sigmoid"  # several labels per image, each with a probability of its own
    BINARY = "binary"  # a single score: the positive class or the negative one
    VALUE = "value"  # numbers that are no probabilities of anything, as of a regression
    DETECTION = "detection"  # of each class, the scores of its best boxes
    SEGMENTATION = "segmentation"  # of each class, the mean of its scores over the region predicted as that class

    @property
    def judged(self) -> bool:
        """Whether an image has an answer with a probability, which can be right or wrong."""
        return self not in (ScoreKind.VALUE, ScoreKind.SEGMENTATION, ScoreKind.DETECTION)

    @property
    def may_be_absent(self) -> bool:
        """Whether an image may have nothing that a class could be explained of: no region, or no box."""
        return self in (ScoreKind.SEGMENTATION, ScoreKind.DETECTION)

    @property
    def nothing(self) -> str:
        """What is said of an image for which nothing is predicted."""
        return "no box" if self is ScoreKind.DETECTION else "no label above 50%"

    @property
    def has_classes(self) -> bool:
        """Whether scores are those of classes, which a label can name."""
        return self is not ScoreKind.VALUE

    @property
    def task(self) -> str:
        """What --task calls it."""
        return next(task for task, kind in TASKS.items() if kind is self)

    @property
    def exclusive(self) -> bool:
        """Whether an image has one class."""
        return self in (ScoreKind.SOFTMAX, ScoreKind.BINARY)


class Quantity(StrEnum):
    """What the numbers are that are explained."""

    LOGIT = "logit"
    LOG_PROBABILITY = "log-probability"
    PROBABILITY = "probability"
    VALUE = "value"


TASKS = {
    "classification": ScoreKind.SOFTMAX,
    "multilabel": ScoreKind.SIGMOID,
    "binary": ScoreKind.BINARY,
    "regression": ScoreKind.VALUE,
    "segmentation": ScoreKind.SEGMENTATION,
    "detection": ScoreKind.DETECTION,
}


def box_name(name: str, rank: int) -> str:
    """What a box of a class is called: the best one, rank 0, like the class."""
    return f"{name} (box {rank + 1})" if rank else name


def kind_named(name: str) -> ScoreKind | None:
    """The kind by its task or its own name; None where nothing is called so."""
    kinds = {**TASKS, **{kind.value: kind for kind in ScoreKind}}
    return kinds.get(name)
