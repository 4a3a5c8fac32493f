"""Whether an image can tell good maps from bad ones at all: how far its score lies above that of a baseline."""

import torch
from torch import Tensor

from cnnvis_report.evaluation.metric import MapsOfImage

PROBABILITY, LOG_ODDS = "probability", "log_odds"
LEAST_RANGE = {PROBABILITY: 0.05, LOG_ODDS: 1.0}  # below, an image can't tell maps apart
LEAST_SHARE = 0.01  # the same for values of a regression, of the larger one's magnitude


def ends_apart(image: float, picture: float, score: str, *, has_probabilities: bool) -> bool:
    """Whether an image's score lies far enough above that of a baseline for what lies between them to tell anything."""
    if has_probabilities:
        return image - picture >= LEAST_RANGE[score]
    return image - picture > LEAST_SHARE * max(abs(image), abs(picture))


def too_close(picture: str) -> str:
    """Why an image can't tell good maps from bad ones.

    Args:
        picture: what its score doesn't lie above, in words.
    """
    return f"{picture[:1].upper()}{picture[1:]} scores nearly as high as the image, or higher"


@torch.no_grad()
def range_to(sample: MapsOfImage, picture: Tensor, words: str, score: str) -> tuple[float | None, str]:
    """How far the image's score lies above that of a picture [C, H, W], and why that tells nothing, for two passes.

    Args:
        words: what the picture is. score: PROBABILITY or LOG_ODDS.

    Returns:
        None where a score isn't finite; and an empty text where it tells something.
    """
    parts = torch.split(torch.stack([sample.image, picture]), sample.capacity)
    logits = torch.cat([sample.logits(part) for part in parts])
    if score == PROBABILITY:
        scores = sample.meaning.probabilities(logits)[:, sample.target]
    else:
        scores = sample.meaning.log_odds(logits, sample.target)
    if not bool(scores.isfinite().all()):
        return None, too_close(words)
    image, other = scores.double().tolist()
    apart = ends_apart(image, other, score, has_probabilities=sample.meaning.has_probabilities)
    return image - other, "" if apart else too_close(words)
