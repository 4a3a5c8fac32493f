"""What a run takes at each effort, and which effort fits into a time, by a clock that goes on only in passes."""

from pathlib import Path

import pytest

from cnnvis_report.cli.terminal.run_lines import plan_lines, too_short
from cnnvis_report.errors import BadRequest
from cnnvis_report.live.create import create_report
from cnnvis_report.pipeline import run as running
from cnnvis_report.pipeline.config import RunConfig
from cnnvis_report.pipeline.explaining.targets import ClassChoice, automatic_choice
from cnnvis_report.pipeline.planning import efforts
from cnnvis_report.pipeline.planning.efforts import PlannedRun, highest_within, plan_efforts
from cnnvis_report.pipeline.setup import set_up
from cnnvis_report.progress import Progress
from cnnvis_report.records.methods import EFFORTS
from cnnvis_report.records.scores import ScoreKind
from cnnvis_report.store import load_run
from tests.conftest import command
from tests.pipeline.clock import Clock, timed

MODEL = "tests.pipeline.clock:timed"


def planned(drawn: Path, folder: Path, **settings: object) -> PlannedRun:
    plain = {"metrics": "none", "inspect": "none", "batch_size": 2, "device": "cpu", "methods": ("occlusion",)}
    setup = set_up(RunConfig.of(MODEL, images=(drawn,), **{**plain, **settings}))
    return plan_efforts(setup, folder, lambda maps, images, classes: 0.125 * len(maps) * images)


def test_each_effort_takes_what_its_passes_take(clock: Clock, drawn: Path, tmp_path: Path) -> None:
    clock.backward = 2.0
    run = planned(drawn, tmp_path, methods=("gradient", "grad_cam"), labels="folders")
    passes = {effort: 1 + 2 * (3 if effort in ("high", "max") else 2) for effort in EFFORTS}
    assert list(run.seconds) == list(EFFORTS) and run.effort == "medium"
    assert run.seconds == pytest.approx({effort: run.plan.images * (count + 0.25) for effort, count in passes.items()})
    assert run.plan.whole == run.seconds["medium"]


def test_the_parts_of_a_plan_are_its_whole(clock: Clock, drawn: Path, tmp_path: Path) -> None:
    clock.backward = 2.0
    settings = {"methods": ("standard",), "metrics": "auto", "inspect": "auto"}
    plan = planned(drawn, tmp_path, **settings).plan
    assert set(plan.parts) >= {"metrics", "tests of maps", "inspection", "pages", "occlusion"}
    assert sum(plan.parts.values()) + plan.images * plan.time.forward == pytest.approx(plan.whole)
    names, shares = list(plan.largest_shares), list(plan.largest_shares.values())
    assert 1 <= len(names) <= 3 and shares == sorted(shares, reverse=True) and min(shares) >= 0.1
    assert plan.parts[names[0]] == max(plan.parts.values())


@pytest.mark.parametrize(
    ("time", "effort"), [(9, ""), (10, "low"), (99, "low"), (100, "medium"), (599, "high"), (600, "max")], ids=str
)
def test_the_highest_effort_that_fits(time: float, effort: str) -> None:
    assert highest_within(dict(zip(EFFORTS, (10, 100, 500, 600), strict=True)), time) == effort


def test_a_time_chooses_the_effort_and_is_gone_from_the_settings(clock: Clock, drawn: Path, tmp_path: Path) -> None:
    clock.backward = 2.0
    methods = {"methods": ("gradient",)}
    seconds = planned(drawn, tmp_path, **methods).seconds
    assert seconds["medium"] < seconds["high"]
    run = planned(drawn, tmp_path, time=(seconds["medium"] + seconds["high"]) / 2, **methods)
    assert run.effort == "medium" and run.setup.config.explain.time is None
    assert planned(drawn, tmp_path, time="1h", **methods).effort == "max"


def test_a_time_that_nothing_fits_into_is_refused_with_what_to_do(clock: Clock, drawn: Path, tmp_path: Path) -> None:
    settings = {"methods": ("standard",), "metrics": "auto", "inspect": "auto"}
    run = planned(drawn, tmp_path, time="2s", **settings)
    assert not run.fits and run.effort == "low"
    message = too_short(run).replace("\u202f", " ")
    assert message.startswith("--time 2.0 s: even low effort takes about ") and "occlusion" in message
    for way in ("--limit", "--methods quick", "--metrics none", "--inspect none"):
        assert way in message


def test_a_run_that_is_new_has_no_more_time_than_was_said(clock: Clock, drawn: Path, tmp_path: Path) -> None:
    low = planned(drawn, tmp_path / "r").seconds["low"]
    assert planned(drawn, tmp_path / "r", time=low * 1.01).fits
    assert not planned(drawn, tmp_path / "r", time=low * 0.9).fits


@pytest.mark.parametrize("effort", ["low", "medium"])
def test_a_time_and_an_effort_are_one_too_many(effort: str, drawn: Path) -> None:
    """The default effort, too, where somebody has named it."""
    with pytest.raises(BadRequest, match=f"^--time chooses the effort, and --effort {effort} names one: give either.$"):
        RunConfig.of(MODEL, images=(drawn,), time="10m", effort=effort)
    with pytest.raises(BadRequest, match=f"^time chooses the effort, and effort {effort} names one: give either.$"):
        create_report(timed(), "nowhere", time="10m", effort=effort)
    assert RunConfig.of(MODEL, images=(drawn,), time=None, effort=effort).explain.effort == effort


def test_a_run_that_was_begun_goes_on_with_its_effort_where_noise_may_have_chosen_another(
    clock: Clock, drawn: Path, tmp_path: Path
) -> None:
    clock.backward = 2.0
    methods = {"methods": ("gradient",)}
    run = planned(drawn, tmp_path / "r", **methods)
    running.run(run.setup, run.plan, tmp_path / "r", Progress())
    high = run.seconds["high"]
    for time, effort in [(high * 1.1, "medium"), (high * efforts.NOISE * 1.1, "max")]:
        assert planned(drawn, tmp_path / "r", time=time, **methods).effort == effort
        assert planned(drawn, tmp_path / "other", time=time, **methods).effort == "max"


def test_efforts_that_plan_the_same_passes_stand_together(clock: Clock, drawn: Path, tmp_path: Path) -> None:
    clock.backward = 2.0

    def said(**settings: object) -> list[str]:
        return [line.strip() for line in plan_lines(planned(drawn, tmp_path, **settings))]

    same = "max is high here: as defined, these methods take no more passes"
    lines = said(methods=("gradient",), labels="folders")  # two classes, and three from high on
    assert same in lines and any("(high and max " in line and line.endswith(", low the same)") for line in lines)
    lines = said(methods=("gradient",), labels="folders", effort="max")
    assert same in lines and any("(low and medium " in line and line.endswith(", high the same)") for line in lines)
    lines = said(methods=("kernel_shap",), labels="folders")  # 64, 128, 384 and 500 draws
    assert same not in lines and any("effort medium: " in line and " and " not in line for line in lines)


@pytest.mark.parametrize("effort", ["low", "medium"])
def test_automatic_classes_are_the_predicted_and_the_labeled_one(effort: str) -> None:
    assert automatic_choice(effort, ScoreKind.SOFTMAX) == ClassChoice(top=1, label=True)
    assert automatic_choice(effort, ScoreKind.VALUE) == ClassChoice(top=1), "no label is one of its outputs"
    assert automatic_choice("high", ScoreKind.SOFTMAX) == ClassChoice(top=3)


def test_commands_say_the_effort_and_pages_state_it(drawn: Path, tmp_path: Path) -> None:
    words = ("run", "tests.factories:tiny", drawn, "-o", tmp_path / "r", "-m", "smoothgrad", "-O", "smoothgrad.n=2")
    error = command(*words, "--time", "0.000001", code=2).stderr
    assert error.count("\n") == 1 and "even low effort takes about" in error and not (tmp_path / "r").exists()
    lines = command(*words, "--time", "10h", "--limit", "1").stderr.replace("\u202f", " ")
    assert "effort max fits into 10 h 0 min: " in lines
    record = load_run(tmp_path / "r").record
    assert record.settings["effort"] == "max" and record.method("smoothgrad").options["n"] == 2
    assert "time" not in record.settings and "--effort max" in str(record.provenance["command"])
    assert "effort: max" in (tmp_path / "r" / "index.html").read_text(encoding="utf-8")


def test_the_arrays_of_a_run_are_as_large_as_what_is_kept_of_its_maps(
    clock: Clock, drawn: Path, tmp_path: Path
) -> None:
    methods = {"methods": ("gradient", "saliency"), "classes": "top:1"}
    reduced, full = (planned(drawn, tmp_path, keep=keep, **methods).plan for keep in ("reduced", "full"))
    sides, picture = 40 * 40, 3 * 40 * 40
    assert full.bytes == full.images * (2 * 3 * 4 * sides + picture)
    assert reduced.bytes == reduced.images * (
        (2 + sum(info.color for info, _ in reduced.maps) * 3 + 2) * sides + picture
    )
