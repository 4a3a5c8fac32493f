"""All kinds of trouble that are tried."""

from tests.robustness import folders
from tests.robustness.attack import Attack
from tests.robustness.bad_images import BAD_IMAGES
from tests.robustness.disk_faults import REFUSED
from tests.robustness.file_events import AT_RANDOM_TIMES, KILLED
from tests.robustness.interrupted import INTERRUPTED
from tests.robustness.threads import THREADS

ATTACKS: tuple[Attack, ...] = (
    folders.ATTACK,
    *KILLED,
    AT_RANDOM_TIMES,
    REFUSED,
    BAD_IMAGES,
    THREADS,
    INTERRUPTED,
)
