"""All kinds of trouble that are tried."""

from tests.robustness.attack import Attack
from tests.robustness.bad_images import BAD_IMAGES
from tests.robustness.interrupted import INTERRUPTED
from tests.robustness.threads import THREADS

ATTACKS: tuple[Attack, ...] = (BAD_IMAGES, THREADS, INTERRUPTED)
