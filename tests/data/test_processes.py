"""Other processes do what this one would, in order, and end with it."""

import os
import time
from contextlib import closing, suppress

import pytest

from cnnvis_report.data.processes import worked
from cnnvis_report.errors import BadRequest, RunFailed
from cnnvis_report.store.array_files.arrays import Damaged
from tests.data.piecework import dying, failing, printing, square, unsendable, waiting


def is_running(process: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(process, 0)
        return True
    return False


def test_results_come_in_order_from_other_processes() -> None:
    results = list(worked(square, range(20), processes=2))
    assert [number for number, _ in results] == [number * number for number in range(20)]
    processes = {process for _, process in results}
    assert 1 <= len(processes) <= 2 and os.getpid() not in processes


def test_one_process_is_this_one() -> None:
    assert {process for _, process in worked(square, range(3), processes=1, threads=2)} == {os.getpid()}


def test_what_is_printed_is_no_answer() -> None:
    assert list(worked(printing, range(3), processes=2)) == [0, 1, 2]


def test_an_error_is_raised_here_as_it_was_there() -> None:
    results = worked(failing, range(4), processes=2)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(Damaged, match="is missing") as error:
        next(results)
    assert isinstance(error.value, BadRequest) and error.value.name == "arrays/cat.npz"


def test_an_error_that_cannot_travel_is_told_in_its_words() -> None:
    with pytest.raises(RuntimeError, match="Local: no other process knows this error"):
        list(worked(unsendable, range(4), processes=2))


def test_a_process_that_was_killed_is_one_line() -> None:
    with pytest.raises(RunFailed, match=r"ended with signal 9: memory may have run out\. Give fewer with --processes"):
        list(worked(dying, range(4), processes=2))


def test_leaving_off_ends_the_processes() -> None:
    start = time.monotonic()
    with closing(worked(waiting, range(2), processes=2)) as results:
        processes = {next(results)}
    assert time.monotonic() - start < 30
    assert not any(map(is_running, processes))
