"""All kinds of trouble that are tried."""

from tests.robustness import (
    comparisons,
    damaged_tables,
    folders,
    mutated_pictures,
    odd_checkpoints,
    odd_values,
    two_writers,
)
from tests.robustness.attack import Attack
from tests.robustness.bad_images import BAD_IMAGES
from tests.robustness.deleted_folder import DELETED
from tests.robustness.disk_faults import REFUSED
from tests.robustness.file_events import AT_RANDOM_TIMES, KILLED
from tests.robustness.interrupted import INTERRUPTED
from tests.robustness.threads import THREADS

ATTACKS: tuple[Attack, ...] = (
    folders.ATTACK,
    comparisons.ATTACK,
    two_writers.ATTACK,
    *KILLED,
    AT_RANDOM_TIMES,
    REFUSED,
    DELETED,
    mutated_pictures.ATTACK,
    odd_checkpoints.ATTACK,
    odd_values.ATTACK,
    damaged_tables.ATTACK,
    BAD_IMAGES,
    THREADS,
    INTERRUPTED,
)
