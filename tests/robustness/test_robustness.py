"""A few of each kind of trouble; `poe exhaustive` tries some more, and `python -m tests.robustness` many."""

from pathlib import Path

import pytest

from tests.robustness.attack import Attack
from tests.robustness.attacks import ATTACKS


def rows() -> list[object]:
    """Each kind with the few that every run tries, and with those that come after them."""
    names = {attack: attack.name.replace(" ", "-") for attack in ATTACKS}
    few = [pytest.param(attack, range(attack.few), id=name) for attack, name in names.items()]
    more = [
        pytest.param(attack, range(attack.few, attack.quick), id=f"{name}-more", marks=pytest.mark.exhaustive)
        for attack, name in names.items()
        if attack.quick > attack.few
    ]
    return [*few, *more]


@pytest.mark.parametrize(("attack", "numbers"), rows())
def test_a_few_of_each_kind_are_survived(attack: Attack, numbers: range, tmp_path: Path) -> None:
    found = list(attack.trials(numbers, tmp_path))
    assert len(found) == len(numbers)
    assert not [each for each in found if each]
