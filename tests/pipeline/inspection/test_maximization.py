"""Images that were made for units and classes: which, and beside which images of the set."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.inspection.activation_maximization import maximize_activations
from cnnvis_report.pipeline.inspection import maximization
from cnnvis_report.store import StoredRun, load_arrays, load_run
from tests.conftest import command
from tests.networks import Tiny, seeded
from tests.pipeline.records import inspection_of


def test_maximized_images_of_what_was_named(drawn: Path, tmp_path: Path) -> None:
    named = (
        *("--maximize", "circle+ring", "--maximize", "features.3:1+2"),
        *("--maximize", "features.0:1:3,4", "--unit", "features.1:5"),
    )
    command("inspect", "tests.factories:tiny", drawn, "-o", tmp_path / "r", "-q", *named)
    run = load_run(tmp_path / "r")
    inside = inspection_of(run)
    network = Subject(seeded(Tiny(5)), torch.zeros(1, 3, 40, 40))
    pictures = {image.id: load_arrays(tmp_path / "r", image.id)["picture"] for image in run.images()}
    x = torch.stack([torch.from_numpy(picture).permute(2, 0, 1) / 255 for picture in pictures.values()])
    tape = Tape(network, (x - 0.5) / 0.25)
    values = [
        tape.logits[:, [0, 2]].mean(1),
        tape.layer("features.3")[:, [1, 2]].mean((1, 2, 3)),
        tape.layer("features.0")[:, 1, 3, 4],
        tape.layer("features.1")[:, 5].mean((1, 2)),
    ]
    titles = ["circle and ring", "channels 1 and 2 of features.3", "channel 1 of features.0 at row 3, column 4"]
    assert [image.title for image in inside.maximized] == [*titles, "channel 5 of features.1"]
    for image, activations in zip(inside.maximized, values, strict=True):
        assert image.top_activation == pytest.approx(float(activations.max()), abs=1e-4)
        assert image.top_image == list(pictures)[int(activations.argmax())]
        assert image.top_activation is not None
        assert image.activation > image.top_activation and image.converged
    assert {(top.layer, top.channel) for top in inside.top_images} >= {("features.1", 5)}
    units = dict(inside.images[0].units)
    assert [unit.channel for unit in units["features.1"]] == [5]


CIRCLE = ("inspect", "tests.factories:tiny", "-q", "--maximize", "circle")


@pytest.fixture(scope="module")
def circle(tmp_path_factory: pytest.TempPathFactory, drawn: Path) -> StoredRun:
    """A run that has made an image for the class circle."""
    folder = tmp_path_factory.mktemp("circle") / "run"
    command(*CIRCLE, drawn, "-o", folder)
    return load_run(folder)


@pytest.mark.parametrize("gap", [0.0, 1.0])
def test_an_optimization_that_an_image_of_the_set_matches_has_not_converged(
    gap: float, circle: StoredRun, drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said where that image excites the unit as much, or more."""
    (sound,) = inspection_of(circle).maximized
    assert sound.converged

    def failing(*args: Any, **options: Any) -> Any:
        return [replace(image, reached=best - gap) for image in maximize_activations(*args, **options)]

    with monkeypatch.context() as patch:
        network = Subject(seeded(Tiny(5)), torch.zeros(1, 3, 40, 40))
        pictures = [circle.maps(image)["picture"] for image in circle.images()]
        x = torch.stack([torch.from_numpy(picture).permute(2, 0, 1) / 255 for picture in pictures])
        best = float(Tape(network, (x - 0.5) / 0.25).logits[:, 0].max())
        patch.setattr(maximization, "maximize_activations", failing)
        command(*CIRCLE, drawn, "-o", tmp_path / "r")
    (failed,) = inspection_of(load_run(tmp_path / "r")).maximized
    assert not failed.converged and failed.top_activation == sound.top_activation
    assert "not converged" in (tmp_path / "r" / "features.html").read_text(encoding="utf-8")
    assert "not converged" not in (circle.folder / "features.html").read_text(encoding="utf-8")


def test_an_optimization_of_pixels_may_start_from_an_image(drawn: Path, tmp_path: Path) -> None:
    wanted = ("--maximize", "circle", "--parametrization", "pixels", "--init", "image")
    command("inspect", "tests.factories:tiny", drawn, "-o", tmp_path / "r", "-q", *wanted)
    (maximized,) = inspection_of(load_run(tmp_path / "r")).maximized
    assert maximized.top_activation is not None and maximized.activation > maximized.top_activation
    assert maximized.curve[0] == pytest.approx(maximized.top_activation, abs=0.5)


def test_without_images_there_are_filters_and_maximized_images(tmp_path: Path) -> None:
    command("inspect", "tests.factories:tiny", "-o", tmp_path / "r", "-q", "--maximize", "ring")
    run = load_run(tmp_path / "r")
    inside = inspection_of(run)
    assert run.record.images == 0 and len(inside.kernels) == 2 and not inside.images and not inside.channel_stats
    assert [(image.title, image.top_activation) for image in inside.maximized] == [("ring", None)]
    page = (tmp_path / "r" / "features.html").read_text(encoding="utf-8")
    assert "No top images: no images were given." in page and "8×8" in page
