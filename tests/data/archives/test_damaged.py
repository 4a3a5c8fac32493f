"""Damaged archives and arrays: one line, or a reason for an image; never anything else, and never much time."""

import gzip
import io
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cnnvis_report.errors import BadRequest
from tests.data.archives.archive_files import pictures, read, reasons, write_tar, write_zip

STACK = np.arange(3 * 5 * 6, dtype=np.uint8).reshape(3, 5, 6)


def npz(path: Path) -> Path:
    np.savez_compressed(path, images=STACK, labels=np.array([1, 0, 1]))
    return path


def npy(path: Path) -> Path:
    np.save(path, STACK)
    return path


def idx(path: Path) -> Path:
    path.write_bytes(gzip.compress(b"\0\0\x08\3\0\0\0\3\0\0\0\5\0\0\0\6" + STACK.tobytes()))
    return path


WRITERS: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "zip": ("a.zip", lambda path: write_zip(path, pictures() | {"all.csv": b"file,label\ncat/1.png,dog\n"})),
    "tar": ("a.tar", lambda path: write_tar(path, pictures() | {"cat/1.cls": b"1"})),
    "tar.gz": ("a.tar.gz", lambda path: write_tar(path, pictures(), "w:gz")),
    "npz": ("a.npz", npz),
    "npy": ("a.npy", npy),
    "idx": ("a-images-idx3-ubyte.gz", idx),
}
EDITS = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8)


@pytest.mark.parametrize("kind", WRITERS)
@settings(derandomize=True, max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(edits=[(0.9921875, 1)], cut=1.0, header=False)  # a zip whose directory lies where it would begin before 0
@example(edits=[(0.4609375, 0)], cut=1.0, header=False)  # a member without its header
@given(edits=EDITS, cut=st.floats(0, 1) | st.just(1.0), header=st.booleans())
def test_damage_is_never_a_traceback(
    tmp_path: Path, kind: str, edits: list[tuple[float, int]], cut: float, header: bool
) -> None:
    name, write = WRITERS[kind]
    content = bytearray(write(tmp_path / name).read_bytes())
    if kind == "tar.gz" and header:  # within what is compressed
        content = bytearray(gzip.decompress(content))
    for at, value in edits:
        span = min(len(content), 700) if header else len(content)
        content[int(at * span)] = value
    content = content[: max(8, int(len(content) * cut))]
    (tmp_path / name).write_bytes(gzip.compress(content) if kind == "tar.gz" and header else bytes(content))
    start = time.process_time()
    try:
        reasons(read(tmp_path / name))
    except BadRequest as error:
        assert "\n" not in str(error)
    assert time.process_time() - start < 5


def test_a_stream_that_ends_at_once_is_one_line(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with gzip.GzipFile(fileobj=stream, mode="wb"):
        pass
    (tmp_path / "a.tar.gz").write_bytes(stream.getvalue())
    with pytest.raises(BadRequest, match="not a tar archive, or a damaged one"):
        read(tmp_path / "a.tar.gz")
