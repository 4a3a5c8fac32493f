"""HDF5 in ViRelAy's layout, read as its database specification says."""

import json
import shutil
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from cnnvis_report.store import load_run
from tests.conftest import command
from tests.extras.needs import needs
from tests.fixtures.make_run import FOLDER

needs("h5py")

h5py = import_module("h5py")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("virelay")
    command("export", shutil.copytree(FOLDER, folder / "run"), "--maps", "virelay", "-o", folder / "maps")
    return folder / "maps"


def test_samples_are_pictures_with_labels(exported: Path) -> None:
    with h5py.File(exported / "samples.input.h5") as file:
        assert file["data"].shape == (2, 3, 16, 16) and file["data"].dtype == np.float32
        assert file["data"][:].min() >= 0 and file["data"][:].max() <= 1
        labels = [image.known[0] for image in load_run(FOLDER).images()]
        assert file["label"][:].tolist() == labels and file["label"].dtype == np.uint16


@pytest.mark.parametrize(("method", "channels"), [("cam", 1), ("gradient", 3), ("random", 1)])
def test_attributions_are_those_of_the_predicted_class(exported: Path, method: str, channels: int) -> None:
    run = load_run(FOLDER)
    with h5py.File(exported / f"{method}.attribution.h5") as file:
        assert file["attribution"].shape == (2, channels, 16, 16)
        for index, image in enumerate(run.images()):
            assert file["index"][index] == index and file["label"][index] == image.top[0].index
            record = next(r for r in image.maps if (r.method, r.target) == (method, image.top[0].index))
            stored = run.maps(image)[record.key]
            if stored.shape[-2:] == (16, 16):
                np.testing.assert_array_equal(file["attribution"][index].reshape(stored.shape), stored)
            assert int(file["prediction"][index].argmax()) == image.top[0].index


def test_a_project_names_its_files(exported: Path) -> None:
    project = json.loads((exported / "cam.yaml").read_text(encoding="utf-8"))["project"]
    for name in (project["label_map"], project["dataset"]["path"], *project["attributions"]["sources"]):
        assert (exported / name).is_file()
    labels = json.loads((exported / project["label_map"]).read_text(encoding="utf-8"))
    assert {"index", "name", "word_net_id"} == set(labels[0])


def test_images_of_several_sizes_are_groups(tmp_path: Path) -> None:
    from cnnvis_report.sharing.maps.virelay import Hdf5

    file = Hdf5(tmp_path / "x.h5", together=False)
    for index, side in enumerate((4, 6, 5)):
        file.add({"index": np.asarray(index, np.uint32), "attribution": np.full((1, side, side), index, np.float32)})
    file.close()
    with h5py.File(tmp_path / "x.h5") as written:
        assert [value[0, 0, 0] for value in written["attribution"].values()] == [0, 1, 2]
        assert written["index"][:].tolist() == [0, 1, 2]
