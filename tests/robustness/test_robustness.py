"""A few of each kind of trouble; `poe exhaustive` tries some more, and `python -m tests.robustness` many."""

from pathlib import Path

import pytest

from tests.robustness.attack import Attack
from tests.robustness.attacks import ATTACKS


def rows() -> list[object]:
    """Each kind with the few that every run tries, and with more where there are more."""
    names = {attack: attack.name.replace(" ", "-") for attack in ATTACKS}
    few = [pytest.param(attack, attack.few, id=name) for attack, name in names.items()]
    more = [
        pytest.param(attack, attack.quick, id=f"{name}-more", marks=pytest.mark.exhaustive)
        for attack, name in names.items()
        if attack.quick > attack.few
    ]
    return [*few, *more]


@pytest.mark.parametrize(("attack", "count"), rows())
def test_a_few_of_each_kind_are_survived(attack: Attack, count: int, tmp_path: Path) -> None:
    found = list(attack.trials(count, tmp_path))
    assert found
    assert not [each for each in found if each]
