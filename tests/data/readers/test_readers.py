"""Readers of image files: which of them opens what, and those that installed packages add."""

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import invalidate_caches
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnvis_report.data.decoding.decode import picture_size
from cnnvis_report.data.image_file import ImageFile
from cnnvis_report.data.image_set import find_images, labeled
from cnnvis_report.data.pixels import Pixels, UnusablePicture
from cnnvis_report.data.preprocessing.preprocessing import NO_LEVELS, Levels
from cnnvis_report.data.preprocessing.value_range import find_levels
from cnnvis_report.data.reader import READERS, readers
from tests.picture_reading import opened_bytes, read_picture

READER = '''"""Stacks of planes: SCAN, the number of planes, and planes of 4×6 values of 16 bits."""
from pathlib import Path
import numpy as np
from cnnvis_report.plugin import Pixels, UnusablePicture, reader


def count(path):
    return path.read_bytes()[4]


@reader(title="a scan", endings=(".scan",), recognizes=lambda head: head.startswith(b"SCAN"), count=count, deep=True,
        requires=REQUIRES, install="scan-package[all]")
def scan(source, page) -> Pixels:
    """Decode a plane of a scan."""
    content = source.read_bytes() if isinstance(source, Path) else source.read()
    if content[5:] == b"":
        raise UnusablePicture("a scan without planes")
    if content[5:] == b"text":
        return "text"
    planes = np.frombuffer(content[5:], "<u2").reshape(-1, 4, 6)
    return Pixels.of_array(planes[page], note="a plane of a scan")
'''
LOADER = '''"""mean:CLASSES, networks that tell how bright an image is."""
import torch
from cnnvis_report.plugin import Model, ModelRequest, Preprocessing, loader


@loader(title="a mean", example="mean:2", matches=lambda text: text.startswith("mean:"))
def mean(request: ModelRequest) -> Model:
    """Open a mean."""
    torch.manual_seed(0)
    body = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1))
    network = torch.nn.Sequential(body, torch.nn.Flatten(), torch.nn.Linear(4, int(request.text[5:])))
    return Model(network, "mean", "drawn at random", Preprocessing((0.5,), (0.25,), resize=(12, 12)), ("dark", "light"))
'''


def install(site: Path, requires: tuple[str, ...] = ()) -> None:
    """What pip leaves of a package with a reader and a loader."""
    info = site / "scan_package-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: scan-package\nVersion: 1.0\n")
    points = "[cnnvis_report.readers]\nscan = scan_reader:scan\n[cnnvis_report.loaders]\nmean = mean_loader\n"
    (info / "entry_points.txt").write_text(points)
    (site / "scan_reader.py").write_text(READER.replace("REQUIRES", repr(requires)))
    (site / "mean_loader.py").write_text(LOADER)
    invalidate_caches()


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Install the package for this process; gives a function that takes the modules that its reader requires."""
    readers()  # those that are installed for real
    for name in ("_entries", "_modules"):
        monkeypatch.setattr(READERS, name, getattr(READERS, name).copy())
    monkeypatch.setattr(READERS, "_theirs_wait", True)
    monkeypatch.syspath_prepend(tmp_path / "site")
    yield lambda *requires: install(tmp_path / "site", requires)
    sys.modules.pop("scan_reader", None)


def scan(path: Path, planes: np.ndarray) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"SCAN" + bytes([len(planes)]) + planes.astype("<u2").tobytes())
    return path


PLANES = np.arange(48).reshape(2, 4, 6) * 1000


def test_each_image_of_a_file_is_one_of_the_set(installed: Any, tmp_path: Path) -> None:
    installed()
    scan(tmp_path / "set" / "a.scan", PLANES)
    scan(tmp_path / "set" / "b", PLANES[:1])
    found = find_images([tmp_path / "set"])
    assert [(file.name, file.page, file.deep) for file in found] == [
        ("a.scan page 1", 0, True),
        ("a.scan page 2", 1, True),
        ("b", 0, True),
    ]
    assert find_levels(found, NO_LEVELS)[0] == Levels(bits=16), "all alike, as the second plane needs 16 bits"
    (_, second, _) = labeled(found, (), levels=Levels(bits=16)).items
    np.testing.assert_array_equal(opened_bytes(second), np.rint(PLANES[1] * (255 / 65535)))
    assert picture_size(ImageFile(tmp_path / "set" / "a.scan", "a.scan")) == (4, 6)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"SCAN\x01", "^a scan without planes$", id="what-the-reader-says"),
        pytest.param(b"SCAN\x01abc", "^damaged or cut short$", id="what-the-reader-meets"),
        pytest.param(b"SCAN\x01text", "gives a str in the place of pixels", id="no-pixels"),
    ],
)
def test_a_file_that_its_reader_cannot_read_is_a_reason(
    installed: Any, tmp_path: Path, content: Any, reason: str
) -> None:
    installed()
    (tmp_path / "a.scan").write_bytes(content)
    with pytest.raises(UnusablePicture, match=reason):
        read_picture(tmp_path / "a.scan")


def test_files_are_skipped_where_a_module_is_missing(installed: Any, tmp_path: Path) -> None:
    installed("not_here")
    scan(tmp_path / "set" / "a.scan", PLANES)
    Image.new("L", (4, 4)).save(tmp_path / "set" / "b.png")
    found = find_images([tmp_path / "set"])
    (skipped,) = found.skipped
    assert [file.name for file in found] == ["b.png"]
    assert skipped.reason == "a scan, and not_here is not installed: pip install 'scan-package[all]'"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        pytest.param(np.zeros(4, np.uint16), "an array of 4", id="one-side"),
        pytest.param(np.zeros((2, 2, 5), np.uint16), "an array of 2×2×5", id="five-channels"),
        pytest.param(np.zeros((0, 2), np.uint16), "an array of 0×2", id="nothing"),
        pytest.param(np.zeros((2, 2), np.complex64), "an array of complex64", id="complex"),
        pytest.param(np.array([["a"]]), "an array of <U1", id="text"),
    ],
)
def test_arrays_that_are_no_pictures_are_refused(values: Any, reason: str) -> None:
    with pytest.raises(UnusablePicture, match=reason):
        Pixels.of_array(values)


def test_bytes_are_a_picture_as_they_are() -> None:
    values = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    pixels = Pixels.of_array(values)
    assert not pixels.deep and np.array_equal(np.asarray(pixels.rows(0, 4)), values)


def test_a_package_brings_a_loader_and_a_reader_to_the_command_line(tmp_path: Path) -> None:
    """A report of networks and images of which nothing is known but by an installed package."""
    install(tmp_path / "site")
    scan(tmp_path / "set" / "a.scan", PLANES)
    path = os.pathsep.join([str(tmp_path / "site"), str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH", "")])
    words = ["run", "mean:2", "set", "-m", "gradient", "--metrics", "none", "--inspect", "none", "-o", "report"]
    child = [sys.executable, "-m", "cnnvis_report", *words]
    done = subprocess.run(
        child, cwd=tmp_path, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": path}
    )
    assert done.returncode == 0, done.stderr
    pages = sorted(path.name for path in (tmp_path / "report" / "images").iterdir())
    assert len(pages) == 2 and all(name.startswith("a-") for name in pages)
    assert "a plane of a scan" in (tmp_path / "report" / "run.html").read_text(encoding="utf-8")
