"""What a run says of its images: labels, samples, files that aren't read, and depth, on the shell and on the page."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.conftest import command

BRIGHT = ("run", "tests.factories:bright", "-m", "gradient", "--device", "cpu")


def shade(path: Path, index: int, classes: int = 10) -> None:
    """A picture whose class is known in advance: as bright as the middle of that class's share of the gray scale."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (12, 12), (int((index + 0.5) / classes * 255),) * 3).save(path)


def run_of(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "run.json").read_text())
    return content


def right(content: dict[str, Any]) -> int:
    return sum((image["label"] or {}).get("index") == image["top"][0]["index"] for image in content["images"])


def test_folders_called_by_indices_are_right(tmp_path: Path) -> None:
    for index in (2, 5, 7):
        shade(tmp_path / "data" / str(index) / "a.png", index)
    result = command(*BRIGHT, tmp_path / "data", "-o", tmp_path / "r")
    content = run_of(tmp_path / "r")
    assert right(content) == 3
    notice = "Folders called by a number are classes by their index, from 0: 2, 5, 7."
    assert notice in content["run"]["notices"] and f"note: {notice}" in result.output
    assert notice in (tmp_path / "r" / "index.html").read_text()


def test_folders_in_order_are_right(tmp_path: Path) -> None:
    for index, name in enumerate(sorted(f"kind {number}" for number in range(2, 12))):
        shade(tmp_path / "data" / name / "a.png", index)
    command(*BRIGHT, tmp_path / "data", "-o", tmp_path / "r", "--labels", "folders")
    assert right(run_of(tmp_path / "r")) == 10


def test_files_that_are_not_read_are_listed_and_counted(tmp_path: Path) -> None:
    shade(tmp_path / "data" / "a.png", 3)
    for name in ("b.jxl", "c.nrrd", "d.npz"):
        (tmp_path / "data" / name).write_bytes(b"\0" * 200)
    (tmp_path / "data" / "e.csv").write_text("x")
    result = command(*BRIGHT, tmp_path / "data", "-o", tmp_path / "r", "--strict", code=3)
    assert "Warning: b.jxl: a JPEG XL picture (.jxl), which isn't read" in result.output
    skipped = run_of(tmp_path / "r")["run"]["skipped"]
    assert [file["name"] for file in skipped] == ["b.jxl", "c.nrrd", "d.npz"]
    assert "b.jxl" in (tmp_path / "r" / "run.html").read_text()
    (tmp_path / "data" / "d.npz").unlink()
    command(*BRIGHT, tmp_path / "data", "-o", tmp_path / "r", "--strict", code=3)
    assert len(run_of(tmp_path / "r")["run"]["skipped"]) == 2, "what was listed before isn't served again"


def test_a_limit_is_a_sample_and_is_part_of_the_settings(tmp_path: Path) -> None:
    for index in range(10):
        for number in range(3):
            shade(tmp_path / "data" / f"class {index}" / f"{number}.png", index)
    command(*BRIGHT, tmp_path / "data", "-o", tmp_path / "r", "--limit", "10", "--seed", "4")
    content = run_of(tmp_path / "r")
    assert len({image["label"]["index"] for image in content["images"]}) == 10 and right(content) == 10
    assert "10 of 30 images: 1 of each of 10 classes, seed 4." in content["run"]["notices"]
    assert content["run"]["settings"]["limit_order"] == "balanced"
    command(*BRIGHT, tmp_path / "data", "-o", tmp_path / "r", "--limit", "4", "--limit-order", "first")
    assert [image["label"]["index"] for image in run_of(tmp_path / "r")["images"]] == [0, 0, 0, 1]


def deep(path: Path, value: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((12, 12), value, np.uint16)).save(path)


def test_twelve_bits_in_sixteen_are_read_as_twelve(tmp_path: Path) -> None:
    for index in (1, 9):
        deep(tmp_path / "data" / f"class {index}" / "a.png", int((index + 0.5) / 10 * 4095))
    words = (*BRIGHT, tmp_path / "data", "-o", tmp_path / "r")
    result = command(*words)
    content = run_of(tmp_path / "r")
    assert right(content) == 2
    assert "more than 8 bits: as 12 bits; mean" in content["run"]["network"]["preprocessing"]
    assert "256 steps" not in result.output
    assert any("read as 12 bits" in notice for notice in content["run"]["notices"])
    assert "note: 2 pictures have more than 8 bits, and none a value above 4095" in result.output
    assert {image["reading"] for image in content["images"]} == {"values from 0 (black) to 4095 (white), 12 bits"}
    page = next((tmp_path / "r" / "images").glob("*.html")).read_text()
    assert "12×12; values from 0 (black) to 4095 (white), 12 bits." in " ".join(page.split())
    before = content["run"]["fingerprint"]
    command(*words, "--range", "0,65535")
    content = run_of(tmp_path / "r")
    assert right(content) == 0 and content["run"]["fingerprint"] != before, "another range, another run"
    assert content["run"]["settings"]["range"] == "0,65535"
    command(*words, "--range", "0,8190")
    assert [image["top"][0]["index"] for image in run_of(tmp_path / "r")["images"]] == [0, 4]


def test_a_picture_that_is_deeper_than_the_others_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cnnvis_report.data.preprocessing import value_range

    monkeypatch.setattr(value_range, "LOOKED_AT", 1)
    deep(tmp_path / "data" / "a.png", 4000)
    deep(tmp_path / "data" / "b.png", 60000)
    result = command(*BRIGHT, tmp_path / "data", "-o", tmp_path / "r")
    notice = "b.png: 100.0% of its values lie above 4095 and are cut; it has up to 60000."
    assert f"Warning: {notice}" in result.output and notice in run_of(tmp_path / "r")["run"]["notices"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--range", "7,2"], "--range '7,2': give LOW,HIGH"),
        (["--range", "7"], "--range '7': give LOW,HIGH"),
        (["--class-names", "gap.txt"], "none for 2"),
    ],
)
def test_wrong_requests_are_one_line(
    tmp_path: Path, words: list[str], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shade(tmp_path / "a.png", 1)
    Path("gap.txt").write_text("0 a\n1 b\n3 c\n")
    result = command(*BRIGHT, "a.png", "-o", "r", *words, code=2)
    assert says in result.output and result.output.count("\n") == 1


def test_two_classes_of_one_name_can_be_told_apart(tmp_path: Path) -> None:
    names = ["crane", "a", "b", "crane", *"cdefgh"]
    (tmp_path / "names.txt").write_text("\n".join(names))
    shade(tmp_path / "crane (3)" / "a.png", 3)
    words = (*BRIGHT, tmp_path / "crane (3)", "-o", tmp_path / "r", "--class-names", tmp_path / "names.txt")
    command(*words, "-c", "crane (3),crane (0)")
    (image,) = run_of(tmp_path / "r")["images"]
    assert [target["name"] for target in image["targets"]] == ["crane (3)", "crane (0)"] and image["label"][
        "index"
    ] == 3


def test_many_broken_files_are_counted_and_listed(tmp_path: Path) -> None:
    Image.new("RGB", (40, 40)).save(tmp_path / "a.png")
    for number in range(13):
        (tmp_path / f"broken {number}.png").write_text("no picture")
    result = command("run", "tests.factories:tiny", tmp_path, "-o", tmp_path / "r", "-m", "grad_cam", "-q")
    warned = [line for line in result.stderr.splitlines() if line.startswith("Warning: ")]
    assert len(warned) == 11 and all(line.endswith("Skipped.") for line in warned[:10])
    assert warned[10] == "Warning: 3 more images are skipped; the report lists them all."
    assert len(run_of(tmp_path / "r")["run"]["skipped"]) == 13


def test_an_image_that_the_network_does_not_take_is_skipped(tmp_path: Path) -> None:
    for name, height in (("a", 12), ("b", 13), ("c", 14)):
        (tmp_path / "data" / str(height % 2)).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (12, height), (90, 120, 30)).save(tmp_path / "data" / str(height % 2) / f"{name}.png")
    words = ("run", "tests.factories:even_sided", tmp_path / "data", "-m", "gradient", "--device", "cpu", "--size")
    result = command(*words, "original", "-o", tmp_path / "r")
    content = run_of(tmp_path / "r")
    assert [image["name"] for image in content["images"]] == ["0/a.png", "0/c.png"]
    (skipped,) = content["run"]["skipped"]
    assert skipped["name"] == "1/b.png" and "(ValueError: an odd height)" in skipped["reason"]
    assert "1/b.png: even_sided doesn't take" in result.output
    command(*words, "original", "-o", tmp_path / "wrong", "--select", "misclassified")
    assert [image["name"] for image in run_of(tmp_path / "wrong")["images"]] == ["0/a.png", "0/c.png"]
