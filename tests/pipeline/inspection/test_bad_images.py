"""An image that the network fails on only when the layers are inspected costs that image there, and nothing else."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.inspection.projections import project
from cnnvis_report.pipeline import run as run_module
from cnnvis_report.pipeline.inspection import image_inspector, unit_pictures
from cnnvis_report.pipeline.stages.inspection import inspection as inspection_stage
from cnnvis_report.store import NETWORK, load_arrays, load_inspection, load_run
from tests.conftest import command
from tests.exhaustive import represented
from tests.networks import seeded
from tests.pipeline.picky import EXITS, MORE, NAN, RAISES, Picky, draw, with_trouble

BAD = (1, 4)
COUNT = 7


class LaterPicky(nn.Module):
    """A network that fails on bad images only once it is told to."""

    size, mean, std = Picky.size, Picky.mean, Picky.std
    fails = False

    def __init__(self) -> None:
        super().__init__()
        self.features, self.classifier = Picky().features, nn.Linear(8, 4)

    def forward(self, x: Any) -> Any:
        scores = self.classifier(self.features(x).mean((2, 3)))
        return with_trouble(x, scores) if self.fails else scores


def later_picky() -> Any:
    return seeded(LaterPicky(), 3)


def draw_good(folder: Any) -> Any:
    """The set without the bad images."""
    draw(folder, COUNT, {})
    for number in BAD:
        (folder / f"p{number:02}.png").unlink()
    return folder


def inspect(pictures: Any, out: Any, size: Any) -> Any:
    words = ("-m", "grad_cam", "--metrics", "none", "--inspect", "quick", "--batch-size", size, "-q")
    command("run", f"{__name__}:later_picky", pictures, "-o", out, *words)
    return load_run(out)


def without_gaps(record: Any) -> Any:
    return replace(record, not_applicable=())


def same_inspection(ours: Any, wanted: Any, exactly: Any) -> None:
    """Compare the arrays of the network and of each inspected image."""
    for id in (NETWORK, *(image.image for image in wanted.record.inspection.images)):
        actual, expected = load_inspection(ours.folder, id), load_inspection(wanted.folder, id)
        assert actual.keys() == expected.keys()
        for name, values in actual.items():
            if exactly:
                np.testing.assert_array_equal(values, expected[name], name)
            elif name.startswith("channel_stats/"):
                np.testing.assert_allclose(values, expected[name], rtol=1e-5, atol=1e-6, err_msg=name)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The run of the set without the bad images, one by one."""
    folder = tmp_path_factory.mktemp("good")
    return inspect(draw_good(folder / "pictures"), folder / "out", 1)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network fails on bad images from the inspection on."""

    def inspection(*given: Any, **named: Any) -> Any:
        monkeypatch.setattr(LaterPicky, "fails", True)
        return inspection_stage(*given, **named)

    monkeypatch.setattr(run_module, "inspection", inspection)


@pytest.mark.parametrize(
    ("trouble", "size", "reason"),
    represented(
        [
            pytest.param(RAISES, 1, "ValueError: too bright", id="raises-alone"),
            pytest.param(RAISES, 4, "ValueError: too bright", id="raises-in-a-batch"),
            pytest.param(EXITS, 7, "ends the program (SystemExit: 0)", id="exits-in-a-batch"),
            pytest.param(NAN, 1, "scores that aren't finite", id="NaN-alone"),
            pytest.param(NAN, 7, "scores that aren't finite", id="NaN-in-a-batch"),
            pytest.param(MORE, 1, "it gives 8 scores per image", id="more-scores"),
        ],
        by=("raises-alone", "exits-in-a-batch", "NaN-in-a-batch"),
    ),
)
def test_the_views_are_those_of_the_set_without_the_bad_images(
    trouble: Any, size: Any, reason: Any, good: Any, failing: Any, tmp_path: Path
) -> None:
    run = inspect(draw(tmp_path / "pictures", COUNT, dict.fromkeys(BAD, trouble)), tmp_path / "out", size)
    assert run.record.images == COUNT and not run.record.stages_not_applicable
    gaps = dict(run.record.inspection.not_applicable)
    named = [f"inspection of p{number:02}.png" for number in BAD]
    assert [view for view in gaps if view not in dict(good.record.inspection.not_applicable)] == named
    assert all(reason in gaps[name] for name in named)
    page = (run.folder / "features.html").read_text(encoding="utf-8")
    assert "No inspection of p01.png: " in page
    if size == 1:
        assert without_gaps(run.record.inspection) == without_gaps(good.record.inspection)
    assert run.record.inspection.image_count == COUNT - len(BAD)
    assert tops(run) == tops(good)
    same_inspection(run, good, exactly=size == 1)


def tops(run: Any) -> Any:
    """Which images excite each channel most, and where; the values to five digits."""
    assert run.record.inspection.top_images
    return [
        (top.layer, top.channel, [(unit.image, unit.row, unit.column, round(unit.value, 4)) for unit in top.units])
        for top in run.record.inspection.top_images
    ]


def test_nothing_but_bad_images_leaves_the_views_of_the_network_itself(failing: Any, tmp_path: Path) -> None:
    run = inspect(draw(tmp_path / "pictures", 3, dict.fromkeys(range(3), RAISES)), tmp_path / "out", 2)
    inspection = run.record.inspection
    assert inspection.image_count == 0 and not inspection.channel_stats and not inspection.top_images
    assert inspection.kernels and inspection.maximized
    assert [view for view, _ in inspection.not_applicable if view.startswith("inspection of")] == [
        f"inspection of p{number:02}.png" for number in range(3)
    ]


def test_an_image_that_fails_when_it_is_inspected_alone_costs_its_own_views(
    good: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class NotFinite(Tape):
        @property
        def logits(self) -> Any:
            return super().logits * torch.nan

    kinds = iter([NotFinite])
    monkeypatch.setattr(image_inspector, "Tape", lambda *given, **named: next(kinds, Tape)(*given, **named))
    run = inspect(draw_good(tmp_path / "pictures"), tmp_path / "out", 1)
    wanted = good.record.inspection
    assert run.record.inspection.images == wanted.images[1:]
    gap = next(reason for view, reason in run.record.inspection.not_applicable if view == "inspection of p00.png")
    assert "scores that aren't finite" in gap
    assert run.record.inspection.top_images == wanted.top_images


@pytest.mark.parametrize("trouble", ["raises", "NaN"])
def test_an_image_that_fails_on_the_way_back_is_missing_among_the_top_images(
    trouble: Any, good: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder, wanted = good.folder, good.record.inspection
    bad = wanted.top_images[0].units[1].image
    picture = torch.from_numpy(load_arrays(folder, bad)["picture"]).permute(2, 0, 1) / 255

    def fails(subject: Subject, images: Any, units: Any, **named: Any) -> Any:
        rows = [(image - picture).abs().max() < 1e-6 for image in images]
        if any(rows) and trouble == "raises":
            raise KeyError("on the way back")
        made = project(subject, images, units, **named)
        return replace(made, maps=torch.where(torch.tensor(rows)[:, None, None, None], torch.nan, made.maps))

    monkeypatch.setattr(unit_pictures, "project", fails)
    run = inspect(draw_good(tmp_path / "pictures"), tmp_path / "out", 1)
    actual = run.record.inspection
    for ours, theirs in zip(actual.top_images, wanted.top_images, strict=True):
        assert ours.units == tuple(unit for unit in theirs.units if unit.image != bad)
        assert ours.classes == theirs.classes
    arrays, expected = load_inspection(run.folder, NETWORK), load_inspection(folder, NETWORK)
    top, rule = wanted.top_images[0], wanted.projection_rules[0]
    for index, unit in enumerate(actual.top_images[0].units):
        name = f"top_images/{top.layer}/{top.channel}/"
        before = top.units.index(unit)
        for kind in ("crop", rule):
            np.testing.assert_array_equal(arrays[f"{name}{index}/{kind}"], expected[f"{name}{before}/{kind}"])
    name = next(image.name for image in good.images() if image.id == bad)
    assert [view for view, _ in actual.not_applicable].count(f"{name} among the top images") == 1
