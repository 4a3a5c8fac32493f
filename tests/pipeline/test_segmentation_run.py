"""Runs on a segmentation and with a target function: records, measures, pages and what is refused."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from cnnvis_report.store import load_arrays, load_run
from tests.conftest import command
from tests.narrow import present
from tests.segmenters import Positions, halves

NETWORK = "tests.segmenters:build"
CALM = ("--metrics", "none", "--inspect", "none", "--device", "cpu")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`halves` as pictures: 2 and 3 columns of 8 are red, the rest is green."""
    folder = tmp_path_factory.mktemp("halves")
    for row, image in enumerate(halves()):
        values = (image.clamp(0, 1) * 255).byte().permute(1, 2, 0).numpy()
        Image.fromarray(values).save(folder / f"{row}.png")
    return folder


@pytest.fixture(scope="module", name="segmented")
def fixture_segmented(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("run") / "r"
    words = (
        "-m",
        "gradient,cam,random",
        "-c",
        "top:3,never",
        "--metrics",
        "full",
        "--inspect",
        "none",
        "--device",
        "cpu",
    )
    return command("run", NETWORK, pictures, "-o", folder, *words), folder


def test_the_plan_says_what_was_found_and_what_is_explained(segmented: Any) -> None:
    said = segmented[0].output
    assert "task: segmentation, as the output is maps of scores" in said
    assert "explained: the mean logit of a class over the region that is predicted as it" in said
    assert "not applicable: cam (the scores are means over regions" in said


def test_classes_are_ordered_by_their_regions_and_absent_ones_are_named(segmented: Any) -> None:
    first, _ = load_run(segmented[1]).images()
    assert [(score.name, score.area, score.probability) for score in first.top] == [
        ("green", 0.75, None),
        ("red", 0.25, None),
    ]
    assert [score.name for score in first.targets] == ["green", "red"] and first.correct is None
    assert [(gap.method, gap.reason, gap.target) for gap in first.not_applicable] == [
        ("", "never is predicted nowhere", 2)
    ]
    arrays = load_arrays(segmented[1], first.id)
    assert (arrays["segmentation"] == np.array([[0] * 2 + [1] * 6] * 8)).all()


def test_metrics_hide_pixels_and_read_the_region_of_the_whole_image(segmented: Any) -> None:
    # the red columns move on; the region of the image as it is, by hand, stays where they were
    from cnnvis_report.engine.subject import Subject
    from cnnvis_report.pipeline.planning.metrics_budget import BUDGETS
    from cnnvis_report.pipeline.stages.evaluation import MapMetricsStage

    network, images = Positions().double().eval(), halves()
    stage = MapMetricsStage(Subject(network, images[:1]), BUDGETS["quick"], frozenset(), {}, 4, 0)
    logits = stage.sample([], images[0], 0).logits
    moved = images[:1].roll(2, dims=3)
    expected = network(moved)["out"][0, 0, :, :2].mean()
    torch.testing.assert_close(logits(torch.cat([images[:1], moved]))[1, 0], expected)
    measured = present(next(iter(load_run(segmented[1]).images())).metrics)
    names = set(measured.maps[0].values)
    assert names and not [name for name in names if "probability" in name]


def test_pages_show_the_segmentation_and_know_no_accuracy(segmented: Any) -> None:
    folder = segmented[1]
    assert not (folder / "performance.html").exists()
    (page, *_) = sorted((folder / "images").glob("*.html"))
    text = page.read_text(encoding="utf-8")
    assert "Predicted segmentation" in text and "75.0% of the picture" in text
    (source,) = re.findall(r'src="([^"]*/prediction\.webp)"', text)
    assert (page.parent / source).is_file()
    for path in (page, folder / "index.html"):
        for word in ("Probabilit", "Accuracy", "Top-1", "onfidence first", "calibration"):
            assert word not in path.read_text(encoding="utf-8"), (path.name, word)


def test_a_target_function_is_explained_by_its_name(pictures: Path, tmp_path: Path) -> None:
    words = ("--target", "tests.segmenters:red_share", "-o", tmp_path / "r", "-m", "gradient", "--keep", "full")
    done = command("run", NETWORK, pictures, *words, *CALM)
    assert "task: regression, as a target function makes them" in done.output
    assert "explained: what red_share gives" in done.output
    (first, _) = load_run(tmp_path / "r").images()
    assert [score.name for score in first.targets] == ["red_share"]
    assert first.targets[0].logit < 0, "a negative value is explained up, too"
    values = load_arrays(tmp_path / "r", first.id)[first.maps[0].key]
    expected = -Positions().head.weight[0, :, 0, 0].detach().numpy()[:, None, None] / 64
    np.testing.assert_allclose(values, np.broadcast_to(expected, values.shape), rtol=1e-5)


REFUSED = {
    "no such function": (
        ("--target", "tests.segmenters:red_shar"),
        "has no function 'red_shar'. Did you mean 'red_share'?",
    ),
    "no function": (("--target", "red_share"), "'red_share' names no function; give package.module:function"),
    "a class": (("--target", "tests.segmenters:UNet"), "tests.segmenters:UNet is a class; give a function"),
    "it fails": (("--target", "tests.segmenters:broken"), "broken fails: KeyError: 'logits', in tests/segmenters.py:"),
    "both": (
        ("--target", "tests.segmenters:red_share", "--task", "segmentation"),
        "--task segmentation: the target red_share makes the scores. Leave one of the two out.",
    ),
    "select": (("--select", "misclassified"), "--select misclassified: build gives a segmentation, and no label says"),
    "another task": (("--task", "classification"), "build returns a dict with out, not class scores"),
}


@pytest.mark.parametrize("wrong", REFUSED)
def test_what_cannot_be_is_one_line(wrong: str, pictures: Path, tmp_path: Path) -> None:
    words, says = REFUSED[wrong]
    done = command("run", NETWORK, pictures, "-o", tmp_path / "r", "-m", "gradient", *words, *CALM, code=2)
    assert says in done.stderr and done.stderr.count("\n") == 1, done.stderr
