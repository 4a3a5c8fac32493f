"""The run folder: whole or not there, the same bytes for the same inputs, and nobody else's files touched."""

import json
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnvis_report.errors import BadRequest
from cnnvis_report.pipeline.explaining.batch_explainer import BatchExplainer
from cnnvis_report.store import array_key, load_arrays, load_run
from cnnvis_report.store.own_files import pages_of
from tests.conftest import METHODS_SHOWN, SHOWING, command
from tests.figures import full_figures
from tests.narrow import present
from tests.store.run_files import FEW, RUN, Stop, files, interrupted, without_provenance


def test_the_same_inputs_give_the_same_bytes(report: Path, drawn: Path, class_names: Path, tmp_path: Path) -> None:
    with full_figures():
        command(*RUN, drawn, "-o", tmp_path / "again", *SHOWING, "--class-names", class_names)
    first, second = without_provenance(report), without_provenance(tmp_path / "again")
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def test_run_json_is_json_and_the_arrays_are_plain_numpy(report: Path) -> None:
    content = json.loads((report / "run.json").read_text(encoding="utf-8"))
    assert content["format"] == "cnnvis-report/2" and len(content["images"]) == 6
    run = load_run(report)
    assert run.record.images == 6 and [image.id for image in run.images()] == [each["id"] for each in content["images"]]
    for image in run.images():
        with np.load(report / "arrays" / f"{image.id}.npz", allow_pickle=False) as arrays:
            assert arrays["picture"].shape == (40, 40, 3) and arrays["picture"].dtype == np.uint8
            scales = {f"{record.key}/scale" for record in image.maps}
            colors = {f"{record.key}/color" for record in image.maps if record.colors}
            assert {record.key for record in image.maps} | scales | colors | {"picture"} == set(arrays)
            assert all(arrays[record.key].shape == record.shape for record in image.maps)
            assert all(arrays[record.key].dtype == np.float16 for record in image.maps)
            assert {arrays[key].shape for key in colors} == {(40, 40, 3)}
            for key, values in run.maps(image).items():
                scale = arrays[f"{key}/scale"] if f"{key}/scale" in scales else 1
                np.testing.assert_array_equal(values, arrays[key] * scale)
        assert len(image.maps) == len(METHODS_SHOWN) * 3
        assert [target.index for target in image.targets] == [score.index for score in image.top[:3]]
        assert sum(present(score.probability) for score in image.top) == pytest.approx(1, abs=1e-5)


def test_what_a_run_says_of_itself(report: Path) -> None:
    run = load_run(report).record
    assert run.network.default_layer == "features" and run.network.classes == 5
    assert [layer.name for layer in run.network.layers][:2] == ["features.0", "features.1"]
    assert run.passes_per_image == {"forward": 1 + 3 + 5 + 49, "backward": 9 + 9 + 12 + 3}
    assert {file.reason for file in run.skipped} == {"an empty file", "damaged or cut short"}
    seconds, versions = run.provenance["seconds_by_method"], run.provenance["versions"]
    assert isinstance(seconds, Mapping) and isinstance(versions, Mapping)
    assert set(seconds) == {card.name for card in run.methods}
    assert str(versions["torch"]).startswith("2.")
    by_method = {found.method: found.evidence for found in next(load_run(report).images()).maps}
    assert (by_method["grad_cam"].forward, by_method["grad_cam"].backward) == (1, 1)
    assert (by_method["guided_grad_cam"].forward, by_method["guided_grad_cam"].backward) == (1, 2)
    assert (by_method["integrated_gradients"].forward, by_method["integrated_gradients"].backward) == (6, 4)
    assert by_method["guided_backprop"].notes == {"coverage": "2 of 2 ReLU calls"}
    assert by_method["integrated_gradients"].notes["baseline"] == "black"
    assert float(by_method["integrated_gradients"].notes["residual"]) < 0.5
    assert by_method["occlusion"].notes == {"baseline": "gray", "patch": 10, "stride": 5}


def test_nothing_tells_of_this_machine(report: Path, drawn: Path) -> None:
    hidden = {str(drawn), str(drawn.parent), str(Path.home()), str(Path.cwd())} - {"/"}
    import getpass
    import socket

    hidden |= {name for name in (socket.gethostname(), getpass.getuser()) if len(name) > 4}
    for name, content in files(report).items():
        assert not [text for text in hidden if text.encode() in content], name


@pytest.fixture(scope="module")
def whole(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small run that nothing has stopped."""
    folder = tmp_path_factory.mktemp("whole") / "r"
    command(*RUN, drawn, "-o", folder, *FEW)
    return folder


@pytest.mark.parametrize("after", [1, 3])
def test_a_run_that_was_stopped_goes_on_and_ends_in_the_same_bytes(
    after: int, whole: Path, drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        interrupted(patch, after)
        with pytest.raises(Stop):
            command(*RUN, drawn, "-o", tmp_path / "parts", *FEW)
    pages = list((tmp_path / "parts").rglob("*.html"))
    assert [path.name for path in pages] in ([], ["index.html"]), "no page but that of the run so far"
    assert all("This report isn't complete" in path.read_text("utf-8") for path in pages)
    assert len(list((tmp_path / "parts" / "arrays").iterdir())) == after
    with (tmp_path / "parts" / "journal.jsonl").open("a") as journal:
        journal.write('[{"id": "cut sho')  # as a power cut leaves it
    with pytest.raises(BadRequest, match="hasn't finished"):
        load_run(tmp_path / "parts")
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "parts" / "arrays").iterdir()}
    command(*RUN, drawn, "-o", tmp_path / "parts", *FEW)
    assert all(path.stat().st_mtime_ns == time for path, time in times.items()), "what was done stays"
    assert without_provenance(whole) == without_provenance(tmp_path / "parts")


def test_a_run_that_fails_before_its_first_image_leaves_nothing(
    drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(monkeypatch, 0)
    with pytest.raises(Stop):
        command(*RUN, drawn, "-o", tmp_path / "new", *FEW)
    assert not (tmp_path / "new").exists()
    (tmp_path / "empty").mkdir()
    with pytest.raises(Stop):
        command(*RUN, drawn, "-o", tmp_path / "empty", *FEW)
    assert not any((tmp_path / "empty").iterdir())


def test_pages_that_fail_leave_the_old_ones(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(whole, tmp_path / "r")
    before = files(tmp_path / "r")
    monkeypatch.setattr("cnnvis_report.report.site.renderer.write_pictures", lambda *_: 1 / 0)
    said = command("render", tmp_path / "r", code=2)
    assert "ZeroDivisionError" in said.stderr and "Traceback" not in said.stderr
    assert "Traceback" in command("render", tmp_path / "r", "--verbose", code=2).stderr
    assert files(tmp_path / "r") == before


def test_a_complete_run_is_not_computed_again(
    whole: Path, drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(whole, tmp_path / "r")
    before = files(tmp_path / "r")
    monkeypatch.setattr(BatchExplainer, "_open", lambda *_: 1 / 0)
    said = command(*RUN, drawn, "-o", tmp_path / "r", *FEW)
    assert "all images were explained already" in said.stderr and files(tmp_path / "r") == before


def test_another_run_replaces_an_old_one_and_leaves_strangers_alone(whole: Path, drawn: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(whole, tmp_path / "r")
    (folder / "notes.txt").write_text("mine")
    (folder / "images" / "mine.html").write_text("mine")
    old = [image.id for image in load_run(folder).images()]
    command(*RUN, drawn / "circle", "-o", folder, *FEW)
    now = files(folder)
    assert now["notes.txt"] == now["images/mine.html"] == b"mine"
    assert load_run(folder).record.images == 2
    assert not {name for name in now for image in old if image in name}
    command("render", folder, "--single-file")
    assert set(files(folder)) == {
        "index.html", "run.json", "pages.json", "notes.txt", "images/mine.html",
        *(f"arrays/{image.id}.npz" for image in load_run(folder).images()),
    }  # fmt: skip


def test_a_folder_that_holds_something_else_is_left_alone(drawn: Path, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("mine")
    said = command(*RUN, drawn, "-o", tmp_path, *FEW, code=2)
    assert "holds files that are not of a report" in said.stderr and files(tmp_path) == {"index.html": b"mine"}
    (tmp_path / "run.json").write_text('{"images": []}')
    command(*RUN, drawn, "-o", tmp_path, *FEW, code=2)
    said = command(*RUN, drawn, "-o", tmp_path / "index.html", *FEW, code=2)
    assert "is a file" in said.stderr


def test_a_list_of_pages_cannot_lead_out_of_the_folder(drawn: Path, tmp_path: Path) -> None:
    folder = tmp_path / "r"
    command(*RUN, drawn, "-o", folder, *FEW)
    (tmp_path / "mine.txt").write_text("mine")
    (folder / "pages.json").write_text(json.dumps(["../mine.txt", str(tmp_path / "mine.txt"), *pages_of(folder)]))
    command("render", folder)
    command(*RUN, drawn / "circle", "-o", folder, *FEW)
    assert (tmp_path / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize("damage", ["", "{", '{"format": "other/9"}', None])
def test_damaged_manifests_are_refused_in_one_line(damage: Any, report: Path, tmp_path: Path) -> None:
    folder = tmp_path / "r"
    folder.mkdir()
    text = (report / "run.json").read_text(encoding="utf-8")
    (folder / "run.json").write_text(text.replace('"top"', '"tip"') if damage is None else damage, encoding="utf-8")
    said = command("render", folder, code=2)
    assert said.stderr.count("\n") == 1 and said.stderr.startswith("Error: ")


def test_array_keys_are_plain_names() -> None:
    assert array_key("grad_cam", "layer4.1", 281) == "grad_cam/layer4.1/281"
    assert array_key("saliency", "", 3) == "saliency/3"
    assert array_key("grad_cam", "../../etc/passwd", 3) == "grad_cam/.._.._etc_passwd/3"


def test_files_of_arrays_have_no_clock_in_them(report: Path) -> None:
    path = next((report / "arrays").iterdir())
    with zipfile.ZipFile(path) as archive:
        assert {info.date_time[0] for info in archive.infolist()} == {1980}
    picture = load_arrays(report, path.stem)["picture"]
    assert picture.any()
