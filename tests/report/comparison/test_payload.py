"""The data of a comparison's image page: runs in the place of classes."""

from pathlib import Path

import numpy as np

from cnnvis_report.report.comparison.maps import scaled_maps
from cnnvis_report.report.comparison.payload import image_data
from cnnvis_report.report.pictures.encode import QUALITIES
from tests.report.comparison.planted import compared
from tests.report.pictures.decoding import bytes_of


def test_every_run_has_the_maps_that_were_compared(tmp_path: Path) -> None:
    report = compared(tmp_path, count=3)
    image, records = next(iter(report.records()))
    arrays = [run.maps(record) for run, record in zip(report.runs, records, strict=True)]
    data = image_data(report, image, records, arrays, QUALITIES[0])
    assert data["scaled"] and [target["name"] for target in data["targets"]] == report.names
    assert list(data["maps"]) == ["cam", "gradient"]
    wanted = scaled_maps(report.comparison.method("cam"), image.keys["cam"], arrays)
    maps = data["maps"]["cam"][""]
    assert list(maps) == ["0", "1", "2"] and [maps[run].get("first") for run in maps] == [None, "0", "0"]
    for entry, values in zip(maps.values(), wanted, strict=True):
        assert values is not None and entry["shape"] == [4, 4] and entry["ends"] == [1.0, 1.0]
        decoded = np.frombuffer(bytes_of(entry["data"]), "<f4").reshape(4, 4)
        np.testing.assert_array_equal(decoded, values)
        assert entry["peak"] == list(np.unravel_index(values.argmax(), values.shape))
    assert {(method["sign"], method["kind"]) for method in data["methods"].values()} == {
        ("positive", "layer"),
        ("signed", "pixel"),
    }
    assert data["mask"] and data["size"] == [16, 16]
