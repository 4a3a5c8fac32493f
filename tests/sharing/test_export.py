"""Maps as files of other programs: the stored values, and a manifest that no spreadsheet computes."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnvis_report.sharing.maps.export import CHOICES, table
from cnnvis_report.store import load_run
from tests.conftest import command

NOT_REDUCED = ["npz", "npy", "tiff"]


def manifest(folder: Path) -> list[dict[str, object]]:
    content = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert content["format"] == "cnnvis-report-maps/1" and content["quantity"] == "logit"
    return list(content["entries"])


def read(path: Path, key: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    if path.suffix == ".npz":
        return np.asarray(np.load(path)[key])
    if path.suffix == ".npy":
        return np.asarray(np.load(path))
    if path.suffix == ".csv":
        return np.loadtxt(path, delimiter=",", dtype=np.float32, ndmin=2)
    pages = []
    with Image.open(path) as picture:
        for number in range(getattr(picture, "n_frames", 1)):
            picture.seek(number)
            pages.append(np.asarray(picture))
    return np.stack(pages) if len(pages) > 1 else pages[0]


@pytest.mark.parametrize("form", ["npz", "npy", "tiff", "csv"])
def test_files_have_the_stored_values(small: Path, tmp_path: Path, form: str) -> None:
    command("export", small, "--maps", form, "-o", tmp_path / "maps")
    run = load_run(small)
    images = {image.id: image for image in run.images()}
    entries = manifest(tmp_path / "maps")
    assert len(entries) == sum(len(image.maps) for image in images.values())
    for entry in entries:
        image = images[str(entry["image"])]
        record = next(
            r for r in image.maps if (r.method, r.layer, r.target) == (entry["method"], entry["layer"], entry["target"])
        )
        stored = run.maps(image)[record.key]
        wanted = stored if form in NOT_REDUCED else run.record.method(record.method).shown(stored)
        np.testing.assert_array_equal(read(tmp_path / "maps" / str(entry["file"]), str(entry["key"])), wanted)
        assert tuple(entry["shape"]) == wanted.shape and entry["name"] == image.name  # type: ignore[arg-type]


def test_pictures_have_the_size_of_the_image_and_the_colors_of_the_pages(small: Path, tmp_path: Path) -> None:
    command("export", small, "--maps", "heatmap-png", "-o", tmp_path / "maps", "-m", "gradient")
    for entry in manifest(tmp_path / "maps"):
        with Image.open(tmp_path / "maps" / str(entry["file"])) as picture:
            assert picture.size == (16, 16) and picture.mode == "RGB"
            assert np.asarray(picture).reshape(-1, 3).std(axis=0).max() > 10, "it has colors"


def test_names_choose_methods_and_images(small: Path, tmp_path: Path) -> None:
    name = next(load_run(small).images()).name
    command("export", small, "--maps", "npy", "-o", tmp_path / "maps", "-m", "cam,random", "--images", name)
    assert {(entry["method"], entry["name"]) for entry in manifest(tmp_path / "maps")} == {
        ("cam", name),
        ("random", name),
    }


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        pytest.param(["-m", "camm"], "Did you mean 'cam'?", id="method"),
        pytest.param(["--images", "nobody.png"], "No image of this run is called 'nobody.png'", id="image"),
        pytest.param(["-o", "{run}"], "isn't empty, and nothing is overwritten", id="folder"),
        pytest.param(["--maps", "jpeg"], "'jpeg' is not one of 'npz'", id="format"),
    ],
)
def test_what_cannot_be_exported_is_said_in_a_line(small: Path, tmp_path: Path, words: list[str], reason: str) -> None:
    result = command("export", small, "-o", tmp_path / "out", *(word.format(run=small) for word in words), code=2)
    assert reason in result.output and result.output.count("\n") == 1
    assert not (tmp_path / "out").exists()


HOSTILE = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "plain", 'a "b", c', "x\ny", "\x1b[31m"]


def test_no_text_of_a_table_is_a_formula() -> None:
    rows = list(csv.reader(table([[text] for text in HOSTILE]).splitlines()))
    assert len(rows) == len(HOSTILE)
    for (cell,), text in zip(rows, HOSTILE, strict=True):
        assert not cell.lstrip().startswith(("=", "+", "-", "@", "\t", "\r", "＝"))
        assert cell.isprintable() and (cell == text or "\N{REPLACEMENT CHARACTER}" in cell or cell == f"'{text}")


def test_numbers_of_a_table_stay_numbers() -> None:
    assert table([[-1.5, 2, None, "a"]]) == "-1.5,2,,a\n"


def test_the_command_offers_all_formats() -> None:
    from cnnvis_report.cli.commands.export import CHOICES as OFFERED

    assert OFFERED == CHOICES


def test_virelay_gets_the_map_of_the_predicted_class_wherever_it_stands() -> None:
    from cnnvis_report.sharing.maps.virelay import maps_shown
    from tests.fixtures.make_run import FOLDER

    for image in load_run(FOLDER).images():
        for maps in (image.maps, image.maps[::-1]):
            shown = list(maps_shown(replace(image, maps=maps), ()))
            assert {record.method: record.target for record in shown} == dict.fromkeys(
                ("cam", "gradient", "random"), image.top[0].index
            )
        assert [record.method for record in maps_shown(image, ["cam"])] == ["cam"]
