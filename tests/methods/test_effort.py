"""Options of methods by effort: what each of them says, and what the user's own options do to it."""

import pytest
from torch import Tensor

from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import BadRequest, UnknownName
from cnnvis_report.extensions.registry import Registry
from cnnvis_report.methods.options import Between, OptionsByEffort
from cnnvis_report.methods.registry import Method, method, methods
from cnnvis_report.methods.tasks import tasks_for
from cnnvis_report.records.methods import AS_DEFINED, EFFORTS, Kind, Sign

LEVELS: OptionsByEffort = {"low": {"n": 2}, "high": {"n": 50, "stride": 2}}


def announced(effort: OptionsByEffort) -> Method:
    registry = Registry[Method]("method")

    @method(
        title="Sampling",
        family="gradients",
        source="none",
        sign=Sign.SIGNED,
        kind=Kind.AREA,
        bounds={"n": Between(1, 100), "stride": Between(1, 9), "level": Between(0, 1)},
        effort=effort,
        registry=registry,
    )
    def sampling(tape: Tape, targets: Tensor, *, n: int = 90, stride: int = 1, level: float = 0.5) -> Tensor:
        """Sample."""
        raise NotImplementedError

    return registry.entries()[sampling.__name__]


@pytest.mark.parametrize(
    ("effort", "n", "stride"),
    [("low", 2, 2), ("medium", 50, 2), ("high", 50, 2), ("max", 90, 1)],
    ids=EFFORTS,
)
def test_what_an_effort_leaves_unsaid_is_as_at_the_next_higher_one(effort: str, n: int, stride: int) -> None:
    assert announced(LEVELS).options_at(effort, {}) == {"n": n, "stride": stride, "level": 0.5}


@pytest.mark.parametrize("effort", EFFORTS)
def test_an_option_that_the_user_sets_wins_at_every_effort(effort: str) -> None:
    options = announced(LEVELS).options_at(effort, {"n": "7", "level": 0.25})
    assert (options["n"], options["level"]) == (7, 0.25)
    (task,) = tasks_for([announced(LEVELS)], [], {"sampling": {"n": 90}}, effort)
    assert dict(task.options)["n"] == 90


@pytest.mark.parametrize(
    ("effort", "error", "message"),
    [
        ({"max": {"n": 5}}, BadRequest, "at effort 'max'; give low, medium, high."),
        ({"lower": {"n": 5}}, BadRequest, "at effort 'lower'"),
        ({"low": {"steps": 5}}, UnknownName, "No option of sampling is called 'steps'"),
        ({"low": {"n": 101}}, BadRequest, "it takes a number from 1 to 100."),
        ({"low": {"n": 2.5}}, BadRequest, "it takes a whole number"),
    ],
    ids=["defaults", "unknown_effort", "unknown_option", "beyond_bounds", "other_type"],
)
def test_what_no_method_can_announce(effort: OptionsByEffort, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        announced(effort)


@pytest.mark.parametrize("entry", methods(), ids=lambda entry: entry.name)
def test_methods_are_as_defined_at_the_highest_effort(entry: Method) -> None:
    assert entry.options_at(AS_DEFINED, {}) == entry.info.options
