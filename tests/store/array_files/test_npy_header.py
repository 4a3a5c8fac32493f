"""Heads of arrays are read by one thread at a time, and of versions that hold numbers."""

import io
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from cnnvis_report.store.array_files import npz
from cnnvis_report.store.array_files.npz import read_header


def head(array: np.ndarray) -> io.BytesIO:
    stream = io.BytesIO()
    np.save(stream, array)
    stream.seek(0)
    return stream


def test_a_head_says_what_numpy_wrote() -> None:
    assert read_header(head(np.zeros((2, 3), order="F"))) == ((2, 3), True, np.dtype(np.float64))


def test_threads_wait_for_one_another(monkeypatch: pytest.MonkeyPatch) -> None:
    inside: list[int] = []
    together: list[int] = []
    parse = npz.READ_HEADER[1, 0]

    def parsed(file: io.BytesIO, max_header_size: int) -> npz.Header:
        inside.append(1)
        together.append(len(inside))
        time.sleep(1e-4)  # lets the others go on
        try:
            return parse(file, max_header_size=max_header_size)
        finally:
            inside.pop()

    monkeypatch.setitem(npz.READ_HEADER, (1, 0), parsed)
    with ThreadPoolExecutor(8) as pool:
        assert len(list(pool.map(lambda number: read_header(head(np.zeros(number))), range(400)))) == 400
    assert together == [1] * 400


def test_a_version_that_numbers_do_not_need_is_refused() -> None:
    with pytest.raises(ValueError, match=r"an array of version 3\.0"):
        read_header(io.BytesIO(b"\x93NUMPY\x03\x00" + b"\0" * 100))
