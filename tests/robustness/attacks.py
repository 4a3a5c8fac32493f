"""All kinds of trouble that are tried."""

from tests.robustness import folders
from tests.robustness.attack import Attack

ATTACKS: tuple[Attack, ...] = (folders.ATTACK,)
