"""Runs of networks with one output: a binary classifier's, and a regression's."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnvis_report.records.scores import ScoreKind
from cnnvis_report.report.payload import image_data
from cnnvis_report.report.pictures.encode import QUALITIES
from cnnvis_report.store import load_arrays, load_run
from tests.conftest import command
from tests.data.several_labels import (
    PICTURES,
    SCALE,
    SIDE,
    UNKNOWN,
    page,
    shares,
)


def images_of(folder: Path) -> Any:
    return {Path(each["name"]).stem: each for each in json.loads((folder / "run.json").read_text("utf-8"))["images"]}


@pytest.fixture(scope="module")
def two(pictures: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Red pictures and others, in folders called like the classes, and one in a folder that is none."""
    folder = tmp_path_factory.mktemp("two")
    for name, place in {"a": "yes", "c": "yes", "d": "no", "f": "no", "g": "perhaps"}.items():
        (folder / place).mkdir(exist_ok=True)
        (folder / place / f"{name}.png").write_bytes((pictures / f"{name}.png").read_bytes())
    (folder / "names.txt").write_text("no\nyes\n")
    return folder


def test_a_binary_run_is_right_or_wrong_at_a_half(two: Any, tmp_path: Path) -> None:
    names = ("--class-names", two / "names.txt", "--labels", "folders")
    command(
        "run",
        "tests.data.several_labels:reddish",
        two,
        "-o",
        tmp_path / "r",
        *names,
        "-m",
        "gradient",
        "--device",
        "cpu",
    )
    record, images = load_run(tmp_path / "r").record, images_of(tmp_path / "r")
    assert (record.network.kind, record.network.classes) == (ScoreKind.BINARY, 2)
    for name, image in images.items():
        p = shares(name)[0]
        assert {each["name"]: each["probability"] for each in image["top"]} == pytest.approx(
            {"yes": p, "no": 1 - p}, abs=1e-5
        )
        assert image["top"][0]["name"] == ("yes" if p > 0.5 else "no")
    found = {Path(each.name).stem: each.correct for each in load_run(tmp_path / "r").images()}
    assert found == {"a": True, "c": False, "d": False, "f": True, "g": None}
    overview = page(tmp_path / "r" / "index.html")
    assert "50%" in overview and UNKNOWN in overview
    done = command(
        *(
            "run",
            "tests.data.several_labels:reddish",
            two,
            "-o",
            tmp_path / "w",
            *names,
            "-m",
            "gradient",
            "--select",
            "misclassified",
        )
    )
    assert set(images_of(tmp_path / "w")) == {"c", "d"}
    assert (
        "2 of 4 labeled images classified correctly, 1 with a label that the network doesn't know; 2 to be"
        in done.output
    )
    assert "task: binary, as there is a single score" in done.output
    assert "above a half means 'yes'" in done.output


def test_the_map_of_the_negative_class_is_the_negation(two: Any, tmp_path: Path) -> None:
    command(
        "run",
        "tests.data.several_labels:reddish",
        two,
        "-o",
        tmp_path / "r",
        "-m",
        "gradient,saliency",
        "--device",
        "cpu",
        "--classes",
        "top:2",
        "--keep",
        "full",
    )
    run = load_run(tmp_path / "r")
    for image in run.images():
        arrays = load_arrays(run.folder, image.id)
        maps = {(each.method, each.target): arrays[each.key] for each in image.maps}
        slope = np.zeros((3, SIDE, SIDE), np.float32)
        slope[0] = SCALE / SIDE**2
        np.testing.assert_allclose(maps["gradient", 1], slope, rtol=1e-5, atol=1e-9)
        np.testing.assert_allclose(maps["gradient", 0], -slope, rtol=1e-5, atol=1e-9)


def test_a_map_of_zeros_leaves_a_shared_scale_to_the_others(two: Any, tmp_path: Path) -> None:
    """What speaks for the positive class alone is 0 for the negative one where negative parts are cut."""
    command("run", "tests.data.several_labels:reddish", two, "-o", tmp_path / "r", "-m", "grad_cam", "--device", "cpu")
    run = load_run(tmp_path / "r")
    image = next(iter(run.images()))
    maps = image_data(run.record, image, load_arrays(run.folder, image.id), QUALITIES[0])["maps"]["grad_cam"]["conv"]
    assert maps["0"]["ends"] == [0.0, 0.0] and 0 < maps["1"]["ends"][0] < 1


def test_pages_of_values_know_no_probability(two: Any, tmp_path: Path) -> None:
    options = ("-m", "gradient,occlusion", "-O", "occlusion.patch=8", "--metrics", "full", "--device", "cpu")
    done = command(
        "run", "tests.data.several_labels:amount", two, "-o", tmp_path / "r", "--labels", "folders", *options
    )
    assert "task: regression, as the network's attribute task = 'regression' says" in done.output
    for name, image in images_of(tmp_path / "r").items():
        (score,) = image["top"]
        assert score["probability"] is None
        assert score["logit"] == pytest.approx(SCALE * (PICTURES[name][0][0] / 255 - 0.5), abs=1e-4)
    for path in (tmp_path / "r" / "index.html", *(tmp_path / "r" / "images").glob("*.html")):
        text = page(path).replace("values, not probabilities", "")
        for word in ("robabilit", "Predicted", "Top-1", "onfidence", "logit", "None"):
            assert word not in text, (path.name, word)
        judgments = re.sub(r'<section class="card after evidence-of-methods".*?</section>', "", text, flags=re.DOTALL)
        assert not {"✗", "✓"} & set(judgments), path.name
    assert not (tmp_path / "r" / "performance.html").exists()
    for words, says in (
        (
            ("--select", "misclassified"),
            "--select misclassified: amount gives values, and no label says what is right or wrong",
        ),
        (
            ("-c", "label"),
            "--classes label: amount gives values, and no label is one of them. Name outputs, such as 'am",
        ),
        (("--task", "classification"), "--task classification: amount gives a single score per image"),
    ):
        done = command(
            "run", "tests.data.several_labels:amount", two, "-o", tmp_path / "x", "-m", "gradient", *words, code=2
        )
        assert says in done.output
