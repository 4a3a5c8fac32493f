"""One bad image costs one image: it is listed with the reason, and the others are as if it weren't there."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from cnnvis_report.engine.subject import Subject
from cnnvis_report.pipeline.explaining.rejected_images import usable
from cnnvis_report.store import load_arrays, load_run
from tests.conftest import command
from tests.networks import seeded
from tests.pipeline.picky import EXITS, MORE, NAN, RAISES, SIDE, TROUBLES, Picky, draw, picky


def run(pictures: Any, out: Any, *words: Any, code: Any = 0, network: Any = "picky", quiet: Any = True) -> Any:
    given = ("-m", "gradient,grad_cam", "--metrics", "none", "--inspect", "none", *(("-q",) if quiet else ()), *words)
    return command("run", f"{__name__}:{network}", pictures, "-o", out, *given, code=code)


def maps(out: Any) -> Any:
    """By name: all arrays of each image."""
    stored = load_run(out)
    return {image.name: load_arrays(out, image.id) for image in stored.images()}


def same(actual: Any, expected: Any, tolerance: float = 0.0) -> None:
    assert actual
    for name, arrays in actual.items():
        assert arrays.keys() == expected[name].keys()
        for key, values in arrays.items():
            np.testing.assert_allclose(values, expected[name][key], rtol=tolerance, atol=tolerance)


def skipped(out: Any) -> Any:
    return {file.name: file.reason for file in load_run(out).record.skipped}


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The maps of all pictures, none of them bad, one by one."""
    folder = tmp_path_factory.mktemp("good")
    run(draw(folder / "pictures", 16, {}), folder / "out", "--batch-size", "1")
    return maps(folder / "out")


def test_each_bad_image_is_listed_with_its_reason_and_the_others_are_as_without(good: Any, tmp_path: Path) -> None:
    out, count = tmp_path / "out", len(TROUBLES)
    pictures = draw(tmp_path / "pictures", count + 2, {index + 1: index for index in range(count)})
    printed = run(pictures, out, "--batch-size", "1").output
    assert "Traceback" not in printed
    reasons = skipped(out)
    assert list(reasons) == [f"p{index + 1:02}.png" for index in range(count)]
    for reason, (_, wanted) in zip(reasons.values(), TROUBLES, strict=True):
        assert wanted in reason
    assert list(maps(out)) == ["p00.png", f"p{count + 1}.png"]
    same(maps(out), good)


@pytest.mark.parametrize("bad", [{0: RAISES, 3: NAN, 4: EXITS, 6: RAISES}, {0: MORE}, dict.fromkeys(range(1, 7), NAN)])
def test_bad_images_at_any_places_of_a_batch_the_first_among_them(bad: Any, good: Any, tmp_path: Path) -> None:
    # with another number of scores a whole batch has it, so that one goes alone
    size = 1 if MORE in bad.values() else 4
    run(draw(tmp_path / "pictures", 7, bad), tmp_path / "out", "--batch-size", size)
    assert sorted(skipped(tmp_path / "out")) == [f"p{index:02}.png" for index in bad]
    assert len(maps(tmp_path / "out")) == 7 - len(bad)
    same(maps(tmp_path / "out"), good, 1e-5)


def test_a_second_start_says_the_same_and_does_nothing_anew(tmp_path: Path) -> None:
    pictures = draw(tmp_path / "pictures", 4, {0: RAISES, 2: NAN})
    run(pictures, tmp_path / "out")
    before = (tmp_path / "out" / "run.json").read_bytes()
    printed = run(pictures, tmp_path / "out", quiet=False).stderr
    assert (tmp_path / "out" / "run.json").read_bytes() == before
    assert "all images were explained already, except for 2 skipped files; only the pages" in printed
    assert "2 files skipped" in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("trouble", [RAISES, EXITS, NAN])
def test_nothing_but_bad_images_is_one_line(trouble: Any, tmp_path: Path) -> None:
    pictures = draw(tmp_path / "pictures", 3, dict.fromkeys(range(3), trouble))
    printed = run(pictures, tmp_path / "out", code=1).stderr.strip()
    assert len(printed.splitlines()) == 1
    assert "picky fails on 3 images, and not on noise of that size. p00.png: " in printed
    assert not (tmp_path / "out").exists()


def test_many_bad_images_cost_a_few_passes_each(tmp_path: Path) -> None:
    pictures = draw(tmp_path / "pictures", 32, dict.fromkeys(range(1, 32), RAISES))
    Picky.images = 0
    run(pictures, tmp_path / "out", "-m", "gradient", "--batch-size", 32)
    # once a level of the halving; beside them the plan's passes, of whole batches of the example
    assert Picky.images <= 32 * 6 + 32 * 10
    assert list(maps(tmp_path / "out")) == ["p00.png"]


class Touchy(Picky):
    """Fails on an image with a mark whose lower right is covered, be it by black or by something blurred."""

    def forward(self, x: Any) -> Any:
        if ((x[:, :, 1, 1].sum(1) > 2.99) & (x[:, :, 8:, 8:].flatten(1).std(1) < 0.2)).any():
            raise ValueError("something is over it")
        return super().forward(x)


def touchy() -> Any:
    return seeded(Touchy(), 3)


def test_a_method_that_fails_on_one_image_leaves_the_maps_of_the_others(tmp_path: Path) -> None:
    pictures = draw(tmp_path / "pictures", 4, {})
    marked = np.asarray(Image.open(pictures / "p02.png")).copy()
    marked[1, 1] = 255
    Image.fromarray(marked).save(pictures / "p02.png")
    words = ("-m", "gradient,occlusion", "--option", "occlusion.patch=8", "--option", "occlusion.stride=8")
    run(pictures, tmp_path / "out", *words, "--batch-size", 4, "--metrics", "quick", network="touchy")
    images = {image.name: image for image in load_run(tmp_path / "out").images()}
    assert not skipped(tmp_path / "out")
    for name, image in images.items():
        assert [gap.method for gap in image.not_applicable] == (["occlusion"] if name == "p02.png" else [])
        assert {map_record.method for map_record in image.maps} == {"gradient"} | (
            {"occlusion"} - {gap.method for gap in image.not_applicable}
        )
    assert "something is over it" in images["p02.png"].not_applicable[0].reason
    assert images["p01.png"].metrics is not None
    assert images["p02.png"].metrics is None


def test_the_set_with_which_methods_compare_and_the_look_inside_go_without_bad_images(tmp_path: Path) -> None:
    pictures = draw(tmp_path / "pictures", 5, {1: RAISES, 3: NAN})
    words = ("-m", "gradient,expected_gradients", "--inspect", "standard", "--metrics", "quick", "--batch-size", 4)
    run(pictures, tmp_path / "out", *words)
    record = load_run(tmp_path / "out").record
    assert len(record.skipped) == 2
    assert record.inspection is not None
    assert record.inspection.image_count == 3
    assert record.evaluation is not None
    assert record.evaluation.randomization
    assert all(not image.not_applicable for image in load_run(tmp_path / "out").images())


def test_a_look_at_all_images_leaves_bad_ones_to_be_listed(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    for label, bad in (("class 0", {0: RAISES}), ("class 1", {1: NAN})):
        draw(pictures / label, 3, bad)
    run(pictures, tmp_path / "out", "--select", "misclassified", "--batch-size", 4)
    assert sorted(skipped(tmp_path / "out")) == ["class 0/p00.png", "class 1/p01.png"]
    predictions = load_run(tmp_path / "out").record.predictions
    assert predictions is not None and predictions.images == 4


def test_what_the_network_takes_of_a_sample() -> None:
    images = torch.rand(6, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    subject = Subject(picky(), images[:1])
    assert usable(subject, images, 4) is not None
    images[[1, 4], :, 0, 0] = torch.tensor([0.0, 1.0, RAISES / 255])
    images[5, :, 0, 0] = torch.tensor([0.0, 1.0, NAN / 255])
    assert torch.equal(usable(subject, images, 4), images[[0, 2, 3]])


@pytest.mark.parametrize("index", [0, 1, 2])
def test_an_image_that_spoils_the_scores_of_its_batch_costs_itself_alone(index: int, tmp_path: Path) -> None:
    """Infinity in the rows of all images of a batch, as where a network divides by what the batch holds."""
    spoiling = next(number for number, (made, _) in enumerate(TROUBLES) if "inf" in made.__code__.co_names)
    run(draw(tmp_path / "p", 3, {index: spoiling}), tmp_path / "r", "--batch-size", "3")
    assert list(skipped(tmp_path / "r")) == [f"p{index:02}.png"] and len(maps(tmp_path / "r")) == 2


@pytest.mark.parametrize("bad", [{0: MORE, 1: RAISES}, {0: RAISES, 1: MORE}, {0: MORE, 2: NAN}, {0: EXITS, 2: MORE}])
def test_two_that_agree_say_how_many_scores_there_are(bad: Any, tmp_path: Path) -> None:
    """Whatever comes first, and whatever fails between them."""
    run(draw(tmp_path / "p", 5, bad), tmp_path / "r", "--batch-size", "1")
    assert sorted(skipped(tmp_path / "r")) == [f"p{index:02}.png" for index in sorted(bad)]
    assert len(maps(tmp_path / "r")) == 3
