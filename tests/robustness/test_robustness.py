"""A few of each kind of trouble; `python -m tests.robustness` tries many."""

from pathlib import Path

import pytest

from tests.robustness.attack import Attack
from tests.robustness.attacks import ATTACKS


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name.replace(" ", "-"))
def test_a_few_of_each_kind_are_survived(attack: Attack, tmp_path: Path) -> None:
    found = list(attack.trials(attack.quick, tmp_path))
    assert found
    assert not [each for each in found if each]
