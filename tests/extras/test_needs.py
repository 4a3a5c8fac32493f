"""A test file that needs a library says so, and is never passed over where the library should be there."""

import pytest

from tests.extras.needs import VARIABLE, needs

MISSING = "nobody_has_this.at_all"


def test_what_is_installed_goes_on() -> None:
    needs("torch", "torch.nn")


def test_what_is_missing_is_skipped_with_the_command_that_installs_it() -> None:
    with pytest.raises(pytest.skip.Exception, match=r"not installed: nobody_has_this.at_all .*cnnvis-report\[extras\]"):
        needs("torch", MISSING)


@pytest.mark.parametrize("names", ["extras", "other,extras"])
def test_what_the_environment_is_there_for_may_not_be_missing(names: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, names)
    with pytest.raises(ModuleNotFoundError, match="CNNVIS_NEEDS_EXTRA names extras"):
        needs(MISSING)


def test_another_environment_passes_it_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "other")
    with pytest.raises(pytest.skip.Exception):
        needs(MISSING)
