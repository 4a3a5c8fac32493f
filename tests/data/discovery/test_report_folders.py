"""A report among the images, or images within a report: its own pictures are never taken for images."""

from pathlib import Path
from typing import Any

import pytest

from cnnvis_report.data.image_set import find_images
from tests.conftest import command

TINY = ("run", "tests.factories:tiny")
QUICK = ("--device", "cpu", "-m", "gradient", "--inspect", "none", "--metrics", "none", "-q")


@pytest.fixture
def pictures(drawn: Path, tmp_path: Path) -> Any:
    """A folder with two class folders, and the report on it in the same folder."""
    folder = tmp_path / "pictures"
    for name in ("circle", "square"):
        (folder / name).mkdir(parents=True)
    for number, path in enumerate(sorted(drawn.rglob("*.png"))[:4]):
        (folder / ("circle", "square")[number % 2] / path.name).write_bytes(path.read_bytes())
    command(*TINY, folder, "-o", folder / "report", *QUICK)
    return folder


def test_the_next_run_finds_the_same_images(pictures: Any) -> None:
    before = [each.name for each in find_images([pictures])]
    assert len(before) == 4
    found = find_images([pictures])
    # nor is its folder one that stands for a class
    assert found.subfolders == ("circle", "square")
    assert "Folders of reports aren't searched for images: report." in found.notices
    assert not found.skipped
    command(*TINY, pictures, "-o", pictures / "report", *QUICK)
    command(*TINY, pictures / ".." / "pictures", "-o", pictures / "other", *QUICK)
    assert [each.name for each in find_images([pictures])] == before


@pytest.mark.parametrize("where", ["report", "report/stills", "circle/../report/stills", "link", "link.txt"])
def test_a_report_given_as_images_has_none(where: Any, pictures: Any) -> None:
    (pictures / "link").symlink_to(pictures / "report" / "stills")
    stills = sorted((pictures / "report" / "stills").rglob("*.webp"))
    (pictures / "link.txt").write_text("\n".join(str(each) for each in stills))
    result = command(*TINY, pictures / where, "-o", pictures / "report", *QUICK, code=2)
    assert "report" in result.output
    assert all(each.is_file() for each in stills)


def test_images_beside_the_pages_are_images(pictures: Any) -> None:
    own = pictures / "report" / "mine"
    own.mkdir()
    source = next((pictures / "circle").iterdir())
    (own / "stills.png").write_bytes(source.read_bytes())
    assert [each.name for each in find_images([own])] == ["stills.png"]
