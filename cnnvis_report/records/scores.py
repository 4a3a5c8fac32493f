"""What the scores of a network mean, as plain words that the report keeps."""

from enum import StrEnum


class ScoreKind(StrEnum):
    """How scores become answers."""

    SOFTMAX = "softmax"  # one class an image: probabilities that sum to 1
    SIGMOID = "sigmoid"  # several labels an image, each with a probability of its own
    BINARY = "binary"  # a single score: the positive class or the negative one
    VALUE = "value"  # numbers that are no probabilities of anything, as of a regression

    @property
    def judged(self) -> bool:
        """Whether an answer can be right or wrong."""
        return self is not ScoreKind.VALUE

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

    @property
    def plural(self) -> str:
        """Such as "log-probabilities"."""
        return f"{self.value[:-1]}ies" if self.value.endswith("y") else f"{self.value}s"


SCORES = ("auto", *(kind.value for kind in ScoreKind))
