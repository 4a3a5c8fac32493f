"""A real network on real photographs, where somebody has put them beside the project."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnvis_report.data.decoding.decode import open_picture
from cnnvis_report.data.preprocessing.geometry import whole_picture
from cnnvis_report.data.preprocessing.prepare import prepare
from cnnvis_report.data.preprocessing.preprocessing import Levels
from cnnvis_report.models.load import load_model
from cnnvis_report.store import load_arrays, load_run
from tests.conftest import command
from tests.data.deep_files import network_input, saved

# what the photographs show, in words that the class names of the network have
SHOWN = {
    "bear.jpg": "bear",
    "cat_conan.jpg": "cat",
    "coffee_cup.jpg": "espresso",
    "doberman.png": "Doberman",
    "elephant.jpg": "elephant",
    "goldfish.jpg": "goldfish",
    "hot_dog.jpg": "hotdog",
    "samoyed_dog.jpg": "Samoyed",
    "snake.png": "snake",
    "zebra_vqa.jpg": "zebra",
    "car.png": "minivan",
}


def network(real: Path) -> Any:
    return ("squeezenet1_1", "--weights", real / "squeezenet1_1.safetensors")


@pytest.fixture(scope="module")
def photographs(real: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("real") / "r"
    command(
        "run", *network(real)[:1], real / "photos", *network(real)[1:], "-o", folder, "-m", "cam,guided_backprop", "-q"
    )
    return folder


def test_photographs_are_recognized(photographs: Any) -> None:
    run = load_run(photographs)
    first = {image.name: image.top[0].name for image in run.images()}
    assert len(first) == 23 and not run.record.skipped
    assert {name: first[name] for name in SHOWN if SHOWN[name] not in first[name]} == {}


def test_labels_of_a_list(real: Path, tmp_path: Path) -> None:
    with (real / "labelled.csv").open() as file:
        rows = list(csv.DictReader(file))
    listed = tmp_path / "list.txt"
    listed.write_text("".join(f"{real / row['file']}\t{row['label']}\n" for row in rows))
    command("run", *network(real)[:1], listed, *network(real)[1:], "-o", tmp_path / "r", "-m", "cam", "-q")
    images = list(load_run(tmp_path / "r").images())
    assert len(images) == 40
    assert sum(bool(image.correct) for image in images) == 30, "as its makers say"


def test_two_objects_are_told_apart(real: Path, tmp_path: Path) -> None:
    picture = real / "photos" / "two_objects_dog_cat.png"
    words = ("-o", tmp_path / "r", "-m", "grad_cam,guided_grad_cam,occlusion", "--classes", "243,tiger cat", "-q")
    command("run", *network(real)[:1], picture, *network(real)[1:], *words)
    image = next(load_run(tmp_path / "r").images())
    arrays = load_arrays(tmp_path / "r", image.id)
    dog, cat = image.targets[0].index, image.targets[1].index
    for method in ("grad_cam/features/{}", "occlusion/{}"):
        centers = []
        for target in (dog, cat):
            values = np.maximum(arrays[method.format(target)], 0)
            rows = values.sum(1) / values.sum()
            centers.append(float((rows * np.arange(len(rows))).sum() / len(rows)))
        assert centers[0] < 0.4 < centers[1], f"{method}: the dog's head is above, the cat below"


def test_photographs_of_16_bits_give_what_double_precision_gives(real: Path, tmp_path: Path) -> None:
    """Photographs shrunk without rounding; their upper bytes alone give other logits."""
    import torch
    from PIL import Image

    loaded = load_model(network(real)[0], network(real)[2])
    nearest, bytes_ = [], []
    for name in SHOWN:
        whole = np.asarray(Image.open(real / "photos" / name).convert("RGB"), float)
        height, width = (side // 2 * 2 for side in whole.shape[:2])
        halves = whole[:height, :width].reshape(height // 2, 2, width // 2, 2, 3).mean(axis=(1, 3))
        values = np.rint(halves * 257).astype(np.uint16)
        picture = open_picture(saved(tmp_path, values), levels=Levels(bits=16))
        exact = torch.from_numpy(network_input(values / 65535, loaded.preprocessing)).float()
        rounded = prepare(whole_picture(picture), loaded.preprocessing).values
        inputs = torch.stack([prepare(picture, loaded.preprocessing).values, exact, rounded])
        with torch.no_grad():
            logits = loaded.network.eval()(inputs)
        nearest.append(float((logits[0] - logits[1]).abs().max()))
        bytes_.append(float((logits[0] - logits[2]).abs().max()))
    assert max(nearest) < 1e-4 < 0.05 < min(bytes_)


def test_cam_points_at_objects_with_masks(real: Path, tmp_path: Path) -> None:
    """Known of this network: the peak of CAM lies inside the mask on 84 % of the 44 whose first class is right."""
    from PIL import Image

    from cnnvis_report.data.preprocessing.geometry import fit
    from cnnvis_report.evaluation.localization import peak_share
    from cnnvis_report.models.load import load_model

    records = [each for each in json.loads((real / "masks" / "index.json").read_text()) if each["top1_matches"]]
    listed = tmp_path / "list.txt"
    listed.write_text("".join(f"{real / 'masks' / each['image']}\n" for each in records))
    words = ("-o", tmp_path / "r", "-m", "cam", "--classes", "top:1", "-q")
    command("run", *network(real)[:1], listed, *network(real)[1:], *words)
    preprocessing = load_model("squeezenet1_1", real / "squeezenet1_1.safetensors").preprocessing
    by_name = {image.name: image for image in load_run(tmp_path / "r").images()}
    inside = []
    for each in records:
        image = by_name[each["image"].rpartition("/")[2]]
        with Image.open(real / "masks" / each["mask"]) as mask:
            fitted = np.asarray(fit(mask.convert("L"), preprocessing, Image.Resampling.NEAREST)) > 0
        values = load_arrays(tmp_path / "r", image.id)[image.maps[0].key]
        inside.append(peak_share(values, fitted))
    assert len(inside) == 44
    assert np.mean(inside) == pytest.approx(0.84, abs=0.03)
