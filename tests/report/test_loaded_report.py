"""A report's folder as an object: its images by name, its maps by method, its measures, and what a notebook shows."""

import re
import shutil
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest

from cnnvis_report import load_report
from cnnvis_report.errors import UnknownName
from tests.figures import full_figures
from tests.narrow import present


def test_images_by_name_id_and_number(report: Path) -> None:
    loaded = load_report(report)
    records = list(loaded.images())
    assert [image.record for image in loaded] == records and len(loaded) == len(records)
    for image in (loaded[records[1].name], loaded[records[1].id], loaded[1], loaded[1 - len(records)]):
        assert image.record == records[1]
    with pytest.raises(UnknownName, match="No image is called 'nobody'"):
        loaded["nobody"]
    with pytest.raises(IndexError, match=f"image {len(records)} of {len(records)}"):
        loaded[len(records)]


def test_maps_are_those_of_the_folder(report: Path) -> None:
    image = load_report(report)[0]
    stored = load_report(report).maps(image.record)
    assert np.array_equal(image.picture, stored["picture"])
    first, *others = image.record.targets
    assert set(image.maps) == {entry.method for entry in image.record.maps}, "one layer, so no method needs it"
    for entry in image.record.maps:
        assert np.array_equal(image.map(entry.method, entry.target), stored[entry.key])
        if entry.target == first.index:
            assert np.array_equal(image.maps[entry.method], stored[entry.key])
    for score in others:
        assert np.array_equal(image.map("grad_cam", score.name), image.map("grad_cam", score.index))
    with pytest.raises(UnknownName, match="Did you mean 'grad_cam'"):
        image.map("grad_camm")
    with pytest.raises(UnknownName, match="No explained class is called 'nothing'"):
        image.map("grad_cam", "nothing")


def test_measures_are_those_of_the_evidence(report: Path) -> None:
    loaded = load_report(report)
    evidence = present(loaded.evidence)
    assert loaded.metrics and set(loaded.metrics) == {entry.method for entry in evidence.methods if entry.measures}
    for entry in evidence.methods:
        for name, measure in entry.measures.items():
            assert loaded.metrics[entry.method][name] == measure.value.mean


def test_a_notebook_shows_findings_and_figure_without_a_request(
    report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(report, tmp_path / "my report")
    loaded = load_report("my report")
    html = loaded._repr_html_()
    assert not re.search(r"<script|https?:|src=\"(?!data:)", html)
    picture = present(re.search(r'src="data:image/png;base64,([^"]+)"', html))[1]
    assert b64decode(picture) == loaded.figure()._repr_png_()
    with full_figures():
        assert loaded.figure()._repr_png_() == (report / "figure.png").read_bytes()
    assert 'href="my report/index.html"' in html and str(tmp_path) not in html
    for text in loaded.findings:
        assert text.partition(" ")[0].partition("<")[0] in html
    monkeypatch.chdir(tmp_path / "my report" / "arrays")
    outside = load_report(tmp_path / "my report")._repr_html_()
    assert 'href="my report/index.html"' in outside, "no folder of this machine is named"
