"""The image whose classes are compared."""

from pathlib import Path

import pytest

from cnnvis_report.records.images import ImageRecord
from cnnvis_report.store import load_arrays, load_run
from tests.pages.class_difference.differences import Both, Maps


@pytest.fixture(scope="session")
def image(report: Path) -> ImageRecord:
    return next(iter(load_run(report).images()))


@pytest.fixture
def both(image: ImageRecord) -> Both:
    """The classes A and B that are compared unless a test says otherwise."""
    return image.targets[1], image.targets[0]


@pytest.fixture(scope="session")
def maps(report: Path, image: ImageRecord) -> Maps:
    """By method with a tile and class, from the run folder: what the page shows, before any packing."""
    arrays, run = load_arrays(report, image.id), load_run(report).record
    shown: Maps = {}
    evidence = load_run(report).evidence
    folded = {verdict.method for verdict in evidence.methods if verdict.same_as} if evidence else set()
    for record in image.maps:
        if record.method not in folded:
            shown.setdefault(record.method, {})[record.target] = run.method(record.method).shown(arrays[record.key])
    return shown
