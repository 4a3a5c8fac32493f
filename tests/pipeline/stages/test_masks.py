"""Masks of one's own: on which images localization is measured, and masks that belong to nothing."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnvis_report.evaluation.localization import peak_share, tolerance_of, within
from cnnvis_report.pipeline.planning.metrics_budget import BUDGETS
from cnnvis_report.store import load_arrays, load_run
from tests.conftest import command
from tests.narrow import present

LOCATED = {"pointing_game", "relevance_mass_accuracy", "relevance_rank_accuracy", "best_iou"}
TINY = ("run", "tests.factories:tiny")


@pytest.fixture
def masked(tmp_path: Path) -> Any:
    """Two pictures with masks called like them; the second one's in shades of 0 and 1."""
    from PIL import Image

    from cnnvis_report.synthetic.shapes import draw

    for number in range(2):
        made = draw(number, 0, 40)
        for place, picture in (("images/a", made.picture), ("masks/a", made.mask)):
            (tmp_path / place).mkdir(parents=True, exist_ok=True)
            picture.save(tmp_path / place / f"{number}.png")
    second = np.asarray(Image.open(tmp_path / "masks/a/1.png").convert("L"))
    Image.fromarray((second > 127).astype(np.uint8)).save(tmp_path / "masks/a/1.png")
    return tmp_path


def test_masks_of_ones_own_say_where_maps_should_point(masked: Any) -> None:
    words = (*TINY, masked / "images", "-o", masked / "r", "-m", "grad_cam,random", "--metrics", "quick", "-q")
    command(*words, "--masks", masked / "masks")
    for image in load_run(masked / "r").images():
        assert 0.02 < present(image.mask_fraction) < 0.6
        localization, metrics = present(image.localization), present(image.metrics)
        assert localization.agreement == () and not LOCATED & set(metrics.maps[0].values)
        assert all(set(scored.values) == LOCATED for scored in localization.maps)
        random = {name: len(values) for name, values in localization.random.items()}
        assert random == dict.fromkeys(LOCATED, BUDGETS["quick"].random_maps)


def test_every_image_with_a_mask_is_located_for_its_labels_class(tmp_path: Path) -> None:
    """Also where methods are named and nothing else is measured."""
    command("make-dataset", "shapes", "-o", tmp_path / "d", "-n", "10")
    words = ("-o", tmp_path / "r", "-m", "gradient,random", "--classes", "top:5", "-q", "--keep", "full")
    data = (tmp_path / "d" / "images", "--masks", tmp_path / "d" / "masks")
    command(*TINY, *data, *words)
    run = load_run(tmp_path / "r")
    evaluation, evidence = present(run.record.evaluation), present(run.record.evidence)
    assert evaluation.images == 0 and evidence.images == 0
    measures = evidence.methods[0].measures
    assert set(measures) == LOCATED and {value.value.images for value in measures.values()} == {10}
    assert {info.name for info in evaluation.metrics} == LOCATED
    images = list(run.images())
    assert any(image.targets[0].index != present(image.label).index for image in images), "errors are the case in point"
    for image in images:
        assert image.metrics is None
        label, localization = present(image.label).index, present(image.localization)
        assert {scored.target for scored in localization.maps} == {label}
        arrays, (gradient, _) = load_arrays(tmp_path / "r", image.id), localization.maps
        shown = arrays[f"gradient/{label}"].sum(axis=0)
        area = within(arrays["mask"], tolerance_of(arrays["mask"]))
        assert gradient.values["pointing_game"] == peak_share(shown, area)
    overview = (tmp_path / "r" / "index.html").read_text(encoding="utf-8")
    assert "Which methods point at the object?" in overview and "n = 10 images" in overview
    assert "Localization alone was measured" in overview
    command(*TINY, *data, *words[:1], tmp_path / "none", *words[2:], "--metrics", "none")
    none = load_run(tmp_path / "none")
    assert none.record.evaluation is None and all(image.localization is None for image in none.images())


@pytest.mark.parametrize(
    ("what", "says"),
    [("nowhere", "there is no such folder"), ("images/..", "none of its"), ("r2", "none of its 0 masks")],
)
def test_masks_that_belong_to_nothing(masked: Any, what: Any, says: Any) -> None:
    (masked / "r2").mkdir()
    result = command(*TINY, masked / "images", "-o", masked / "r", "--masks", masked / what, code=2)
    assert says in result.output and "Traceback" not in result.output and not (masked / "r").exists()


def test_a_mask_of_another_size_skips_its_image_and_says_so(masked: Any) -> None:
    from PIL import Image

    Image.new("L", (30, 20), 255).save(masked / "masks/a/0.png")
    words = (*TINY, masked / "images", "-o", masked / "r", "-m", "grad_cam", "-q", "--masks", masked / "masks")
    assert "its mask is 20×30, and the image 40×40" in command(*words).output
    assert [each.name for each in load_run(masked / "r").record.skipped] == ["a/0.png"]
