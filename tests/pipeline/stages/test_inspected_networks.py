"""What is inspected and said of networks that are small, flat, half dead, or asked for units that are not there."""

from pathlib import Path
from typing import Any

import pytest

from cnnvis_report.errors import BadRequest
from cnnvis_report.pipeline.config import ExplainConfig
from cnnvis_report.pipeline.inspection.budget import BUDGETS, BY_EFFORT, InspectionBudget, choose_inspection
from cnnvis_report.store import load_inspection, load_run
from tests.conftest import command
from tests.networks import Tiny, seeded
from tests.pipeline.records import inspection_of

RUN = ("-m", "grad_cam", "--inspect", "standard", "-q")


@pytest.mark.parametrize(
    ("name", "effort", "methods", "budget"),
    [
        ("auto", "high", "standard", BUDGETS["standard"]),
        ("auto", "low", "standard", BY_EFFORT["low"]),
        ("auto", "max", "grad_cam", None),
        ("full", "low", "grad_cam", BUDGETS["full"]),
        ("none", "max", "all", None),
    ],
    ids=["auto-of-a-set", "auto-at-low-effort", "auto-of-named", "full-of-named", "none-of-all"],
)
def test_sets_of_methods_are_inspected_and_named_ones_on_request(
    name: str, effort: str, methods: str, budget: InspectionBudget | None
) -> None:
    assert choose_inspection(name, ExplainConfig(methods=(methods,), effort=effort)) is budget


def test_an_unknown_amount_of_inspection_is_refused() -> None:
    with pytest.raises(BadRequest, match="--inspect 'some': it can be"):
        choose_inspection("some", ExplainConfig())


def test_the_set_of_one_image_says_what_it_lacks(drawn: Path, tmp_path: Path) -> None:
    command("run", "tests.factories:tiny", drawn / "circle" / "plain.png", "-o", tmp_path / "r", *RUN)
    inside = inspection_of(load_run(tmp_path / "r"))
    assert inside.image_count == 1 and not inside.top_images and inside.images[0].units
    assert "the set has one image" in (tmp_path / "r" / "features.html").read_text(encoding="utf-8")


def test_an_inspection_without_images_says_nothing_of_images_and_maps(tmp_path: Path) -> None:
    said = command("inspect", "tests.factories:tiny", "--maximize", "circle", "-o", tmp_path / "r").stdout
    assert "image" not in said
    page = (tmp_path / "r" / "run.html").read_text(encoding="utf-8")
    for word in (
        "Skipped files",
        "<dt>labels",
        "<dt>classes",
        "<dt>effort",
        "<dt>precision",
        "<dt>Explained",
        "passes",
    ):
        assert word not in page, word
    assert "cnnvis-report inspect tests.factories:tiny --maximize circle<" in page


def test_a_network_without_maps_says_so(drawn: Path, tmp_path: Path) -> None:
    command("run", "tests.factories:flat", drawn, "-o", tmp_path / "r", "-m", "gradient", "--inspect", "standard", "-q")
    inside = inspection_of(load_run(tmp_path / "r"))
    assert inside.kernels == () and inside.channel_stats == () and inside.maximized
    assert "class score maps" in {view for view, _ in inside.not_applicable}


def test_networks_that_deconvnets_do_not_speak_of_show_plain_projections(drawn: Path, tmp_path: Path) -> None:
    command("run", "tests.factories:smooth", drawn, "--size", "40", "-o", tmp_path / "r", *RUN)
    inside = inspection_of(load_run(tmp_path / "r"))
    assert inside.projection_rules == ("gradient",) and inside.top_images and inside.images[0].units
    page = (tmp_path / "r" / "features.html").read_text(encoding="utf-8")
    assert "No deconvnet projections" in page and "SiLU" in page


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (("--unit", "features.9:1"), "No layer is called 'features.9'"),
        (("--unit", "features.0:6"), "has no channel 6: it has 6"),
        (("--unit", "features.0:1:40,2"), "row"),
        (("--unit", "features.0"), "LAYER:CHANNEL"),
        (("--unit", "fc:1"), "has no spatial size"),
        (("--maximize", "triangel"), "Did you mean 'triangle'?"),
        (("--maximize", "features.0:1+77"), "has no channel 77"),
    ],
)
def test_units_that_do_not_exist_give_one_clear_line(drawn: Path, tmp_path: Path, wanted: Any, says: Any) -> None:
    result = command("inspect", "tests.factories:tiny", drawn, "-o", tmp_path / "r", *wanted, code=2)
    assert says in result.stderr and len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "r").exists()


def test_dead_channels_are_named(drawn: Path, tmp_path: Path) -> None:
    command("run", "tests.factories:half_dead", drawn, "-o", tmp_path / "r", *RUN)
    health = {stats.layer: stats for stats in inspection_of(load_run(tmp_path / "r")).channel_stats}
    assert health["features.1"].examples[0] == (1, 4) and health["features.1"].dead == 2
    assert health["features.1"].examples[2] == (5,), "a channel that equals another"
    page = (tmp_path / "r" / "features.html").read_text(encoding="utf-8")
    assert '<small title="Which channels">1, 4</small>' in page
    assert "features.1: 2 of 6 channels are dead: never above zero on these images." in page


def test_all_views_show_every_class(drawn: Path, tmp_path: Path) -> None:
    picture = drawn / "circle" / "plain.png"
    words = ("-m", "grad_cam", "--inspect", "full", "--unit", "features.3:2", "-q")
    command("run", "tests.factories:tiny", picture, "-o", tmp_path / "r", *words)
    run = load_run(tmp_path / "r")
    (looked,) = inspection_of(run).images
    scores = next(iter(run.images())).top
    assert [shown.index for shown in looked.classes] == [score.index for score in scores], (
        "all five, the first at the head"
    )
    maps = load_inspection(tmp_path / "r", looked.image)
    for class_record in looked.classes:
        bias = seeded(Tiny(5)).fc.bias[class_record.index].item()
        assert maps[f"classes/{class_record.index}"].mean() == pytest.approx(class_record.logit - bias, abs=1e-4)
    assert [inversion.layer for inversion in looked.inverted] == ["features.1", "features"]
    assert all(inversion.error < 0.2 for inversion in looked.inverted)
