"""Files of arrays: bounded when others wrote them, and as they were written when we did."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnvis_report.records.inspection import ImageInspection, InspectionRecord
from cnnvis_report.store.array_files.array_checks import wrong_inspection
from cnnvis_report.store.array_files.arrays import Arrays, Damaged, read_arrays, write_arrays
from cnnvis_report.store.files.digests import digest_of, holds, sealed


def test_what_is_drawn_of_the_inside_has_to_be_there() -> None:
    looked = ImageInspection("a", ("conv",), 8, "cat", (("conv", ()),), ())
    inside = InspectionRecord("standard", 1, (), (), (), (), (), (looked,), ("gradient",))
    maps: Arrays = {"maps/conv": np.zeros((1, 2, 2), np.uint8), "channels/conv": np.zeros((4, 1), np.float32)}
    summary: Arrays = {"summary/conv": np.zeros((2, 2), np.float16)}
    assert wrong_inspection(inside, "a", {**maps, **summary}) == ""
    assert wrong_inspection(inside, "a", maps) == "hasn't got 'summary/conv'"
    assert wrong_inspection(inside, "a", summary) == "hasn't got 'maps/conv'"
    assert wrong_inspection(inside, "b", {}) == "" == wrong_inspection(None, "a", summary)
    summary = {"summary/conv": np.zeros((2, 2, 2), np.float16)}
    assert "isn't found inside" in wrong_inspection(inside, "a", {**maps, **summary})
    summary = {"summary/conv": np.array([[0, np.nan]], np.float16)}
    assert wrong_inspection(inside, "a", {**maps, **summary}) == "has values that aren't finite in 'summary/conv'"


def test_arrays_of_others_are_read_with_bounded_memory(tmp_path: Path) -> None:
    def zipped(name: str, content: bytes, **more: Any) -> Path:
        with zipfile.ZipFile(tmp_path / "x.npz", "w", **more) as archive:
            archive.writestr(name, content)
        return tmp_path / "x.npz"

    def header(text: str, after: bytes = b"") -> bytes:
        padded = text.encode().ljust(118 - 1) + b"\n"
        return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded + after

    claims = "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 1000000), }"
    bad = {
        "shorter or longer": header(claims, b"1234"),
        "in the place of numbers": header("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", b"x" * 8),
        "in the place of number": header("{'descr': '<U1', 'fortran_order': False, 'shape': (1,), }", b"x" * 4),
        "no arrays that can be read": header("__import__('os').system('true')"),
        "no arrays": b"nothing",
    }
    for said, content in bad.items():
        zipped("a.npy", content)
        with pytest.raises(Damaged, match=said):
            read_arrays(tmp_path, "x.npz")
    zipped("a.txt", b"")
    with pytest.raises(Damaged, match="beside arrays"):
        read_arrays(tmp_path, "x.npz")
    with zipfile.ZipFile(tmp_path / "x.npz", "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.npy", "w") as file:
        for _ in range(600):
            file.write(bytes(1 << 20))
    assert (tmp_path / "x.npz").stat().st_size < 1 << 20
    with pytest.raises(Damaged, match="packed arrays of 629145600 bytes"):
        read_arrays(tmp_path, "x.npz")


def test_arrays_come_back_as_they_were_written(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    arrays: Arrays = {
        "a/b": rng.standard_normal((3, 4, 5)).astype(np.float32),
        "turned": np.asfortranarray(rng.standard_normal((4, 3))),
        "none": np.zeros((0, 3), np.uint8),
        "one": np.asarray(7, np.int64),
        "half": rng.standard_normal(9).astype(np.float16),
        "mask": rng.standard_normal((2, 2)) > 0,
    }
    for deflated in (False, True):
        stored = write_arrays(tmp_path / "x.npz", arrays, deflated=deflated)
        assert stored == digest_of(tmp_path / "x.npz")
        found = read_arrays(tmp_path, "x.npz", stored)
        assert found.keys() == arrays.keys()
        for name, values in arrays.items():
            assert found[name].dtype == values.dtype and np.array_equal(found[name], values)
        plain = np.load(io.BytesIO((tmp_path / "x.npz").read_bytes()))
        assert all(np.array_equal(plain[name], values) for name, values in arrays.items())


def test_a_seal_is_of_a_content_and_of_its_place() -> None:
    one = sealed({"a": 1.5, "b": ["ü", None]}, "here 1")
    assert holds(one, "here 1") and not holds(one, "here 2") and not holds(one | {"a": 1.25}, "here 1")
    assert not holds(one | {"c": 0}, "here 1") and not holds({"a": 1}, "here 1")
    assert holds(json.loads(json.dumps(one)), "here 1") and not holds(one | {"a": float("nan")}, "here 1")
