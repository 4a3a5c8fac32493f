"""Images that were made for units and classes: which, and beside which images of the set."""

import pytest
import torch

from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.store import load_arrays, load_run
from tests.conftest import command
from tests.networks import Tiny, seeded


def test_preferred_inputs_of_what_was_named(drawn, tmp_path):
    named = (
        "--maximize",
        "circle+ring",
        "--maximize",
        "features.3:1+2",
        "--maximize",
        "features.0:1:3,4",
        "--unit",
        "features.1:5",
    )
    command("inspect", "tests.factories:tiny", drawn, "-o", tmp_path / "r", "-q", *named)
    run = load_run(tmp_path / "r")
    inside = run.record.inspection
    network = Subject(seeded(Tiny(5)), torch.zeros(1, 3, 40, 40))
    pictures = {image.id: load_arrays(tmp_path / "r", image.id)["picture"] for image in run.images()}
    x = torch.stack([torch.from_numpy(each).permute(2, 0, 1) / 255 for each in pictures.values()])
    tape = Tape(network, (x - 0.5) / 0.25)
    values = [
        tape.logits[:, [0, 2]].mean(1),
        tape.layer("features.3")[:, [1, 2]].mean((1, 2, 3)),
        tape.layer("features.0")[:, 1, 3, 4],
        tape.layer("features.1")[:, 5].mean((1, 2)),
    ]
    titles = ["circle and ring", "channels 1 and 2 of features.3", "channel 1 of features.0 at row 3, column 4"]
    assert [each.title for each in inside.maximized] == [*titles, "channel 5 of features.1"]
    for each, found in zip(inside.maximized, values, strict=True):
        assert each.top_activation == pytest.approx(float(found.max()), abs=1e-4)
        assert each.top_image == list(pictures)[int(found.argmax())] and each.activation > each.top_activation
    assert {(top.layer, top.channel) for top in inside.top_images} >= {("features.1", 5)}
    units = dict(inside.images[0].units)
    assert [unit.channel for unit in units["features.1"]] == [5]


def test_preferred_inputs_may_start_from_an_image_in_the_classical_form(drawn, tmp_path):
    wanted = ("--maximize", "circle", "--parametrization", "pixels", "--init", "image")
    command("inspect", "tests.factories:tiny", drawn, "-o", tmp_path / "r", "-q", *wanted)
    (found,) = load_run(tmp_path / "r").record.inspection.maximized
    assert found.curve[0] == pytest.approx(found.top_activation, abs=0.5) and found.activation > found.top_activation


def test_without_images_there_are_filters_and_preferred_inputs(tmp_path):
    command("inspect", "tests.factories:tiny", "-o", tmp_path / "r", "-q", "--maximize", "ring")
    run = load_run(tmp_path / "r")
    inside = run.record.inspection
    assert run.record.images == 0 and len(inside.kernels) == 2 and not inside.images and not inside.channel_stats
    assert [(each.title, each.top_activation) for each in inside.maximized] == [("ring", None)]
    page = (tmp_path / "r" / "features.html").read_text(encoding="utf-8")
    assert "No top images: no images were given." in page and "8×8" in page
