"""Networks that end the program, hold themselves or change what belongs to everybody: a line, or as if nothing was."""

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from cnnvis_report import explain
from cnnvis_report.errors import BadRequest, EndsProgram
from cnnvis_report.models.load import load_model
from cnnvis_report.pipeline.identity.network import identify_network
from cnnvis_report.store import load_run
from tests import odd_networks as odd
from tests.conftest import command

HERE = "tests/odd_networks.py"
SAID = {
    "Exits": (1, "Exits: {}:# (forward) ends the program (SystemExit: 0)"),
    "RaisesWhatEnds": (1, "RaisesWhatEnds: {}:# (forward) ends the program (Ends: of it)"),
    "RaisesMute": (2, "(Mute: Mute). It fails in {}:# (forward)"),
    "Equal": (2, "can't be hashed, as its class Equal defines __eq__ alone"),
    "HoldsAlike": (2, "has modules that equal each other by an __eq__ of their own"),
    "HoldsItself": (2, "holds itself: its inner.me is tests.odd_networks:HoldsItself again"),
    "Endless": (2, "named_modules gives more than 100,000 modules"),
    "NoTraining": (1, "{}:# (train): RuntimeError: no training here."),
    "ExitsInEval": (1, "{}:# (eval) ends the program (SystemExit: 4)"),
    "ends": (1, "tests.odd_networks:ends: {}:# (ends) ends the program (Ends: of it)"),
    "leaves": (1, "{}:# (__getattr__) ends the program (SystemExit: 3)"),
}


@pytest.mark.parametrize("name", SAID)
def test_what_somebody_s_code_does_wrong_is_one_line_with_its_place(name: Any) -> None:
    code, words = SAID[name]
    result = command("layers", f"tests.odd_networks:{name}", code=code)
    pattern = re.escape(words.format(HERE)).replace(r"\#", r"\d+")
    assert re.search(pattern, result.stderr) and result.stdout == ""
    assert result.stderr.startswith("Error: ") and result.stderr.count("\n") == 1 and "Traceback" not in result.stderr


def test_the_traceback_is_there_for_the_asking(tmp_path: Path) -> None:
    result = command("run", "tests.odd_networks:NoTraining", "pictures", "-o", tmp_path / "r", "--verbose", code=1)
    assert "odd_networks.py" in result.stderr.partition("Traceback")[2]


def test_a_bug_of_this_program_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnvis_report.cli.terminal.network_tables.table", lambda rows: 1 / 0 and rows)
    with pytest.raises(ZeroDivisionError):
        command("layers", "tests.odd_networks:Odd")


@pytest.mark.parametrize("name", ["GivesNothing", "NoState", "ExtraState"])
def test_what_methods_of_its_own_give_does_not_matter(name: Any) -> None:
    assert "5×32×32" not in command("layers", f"tests.odd_networks:{name}").stdout
    assert load_model(f"tests.odd_networks:{name}").network.training is False


def test_extra_state_is_part_of_what_a_network_is() -> None:
    one, other = odd.ExtraState(), odd.ExtraState()
    assert identify_network(one, "").settings == identify_network(other, "").settings
    type(other).version, before = 4, odd.ExtraState.version
    try:
        assert identify_network(one, "").settings == identify_network(other, "").settings
        changed = identify_network(other, "").settings
    finally:
        type(other).version = before
    assert changed != identify_network(other, "").settings


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (32, 32, 3), np.uint8)).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def test_what_a_network_prints_and_warns_of_is_no_flood_and_not_the_result(photo: Any, tmp_path: Path) -> None:
    result = command(
        "run", "tests.odd_networks:Talks", photo, "-o", tmp_path / "r", "-m", "grad_cam", "--device", "cpu"
    )
    assert result.stdout == f"Wrote {tmp_path / 'r' / 'index.html'}\n"
    assert result.stderr.count("talking") == 20 and result.stderr.count("UserWarning") == 1
    assert "what the network prints from here on is left out" in result.stderr


def state() -> tuple[object, ...]:
    """What belongs to the whole process, but for where modules are looked for."""
    torch_wide = torch.get_default_dtype(), torch.empty(0).device, torch.is_grad_enabled()
    return (Path.cwd(), *torch_wide, torch.is_anomaly_enabled(), sys.stdout, sys.getrecursionlimit())


def test_what_a_factory_changes_for_everybody_is_put_back_and_said() -> None:
    before, searched = state(), set(sys.path)
    model = load_model("tests.odd_networks:ChangesWhenMade")
    assert state() == before and searched <= set(sys.path)
    (notice,) = [notice for notice in model.notices if "put back" in notice]
    for words in ("the working folder", "default dtype", "default device", "anomaly detection", "standard output"):
        assert words in notice


def test_what_a_pass_changes_for_everybody_is_put_back(
    photo: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = state()
    command("run", "tests.odd_networks:ChangesInPasses", photo, "-o", "r", "-m", "grad_cam", "--device", "cpu")
    assert state()[:5] == before[:5]
    assert load_run(tmp_path / "r").record.images == 1
    plain = explain(odd.Odd(), torch.ones(1, 3, 32, 32), [0])
    torch.testing.assert_close(explain(odd.ChangesInPasses(), torch.ones(1, 3, 32, 32), [0]), plain)


def test_python_gets_an_error_of_this_program_where_a_network_exits() -> None:
    with pytest.raises(EndsProgram, match="ends the program"):
        explain(odd.Exits(), torch.ones(1, 3, 32, 32), [0])
    with pytest.raises(BadRequest, match="holds itself"):
        explain(odd.HoldsItself(), torch.ones(1, 3, 32, 32), [0])
    with pytest.warns(UserWarning, match=r"takes one image at a time .*ends the program.*one by one"):
        maps = explain(odd.ExitsAmongOthers(), torch.ones(2, 3, 32, 32), [0, 1])
    assert maps["grad_cam"].shape[0] == 2


def test_versions_of_weights_and_empty_names_are_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    printed = command("layers", "resnet18@NOVERSION", code=2).stderr
    assert "No weights version of resnet18 is called 'NOVERSION'" in printed and "IMAGENET1K_V1" in printed
    assert "layer4" in command("layers", "resnet18@IMAGENET1K_V1").stdout
    assert "empty" in command("layers", "", code=2).stderr
    with pytest.raises(BadRequest, match="MODEL is empty"):
        load_model(" ")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "net_at_home.py").write_text("from tests.odd_networks import Odd as build\n")
    assert "inner.features" in command("layers", "~/net_at_home.py:build").stdout
    words = ("train", tmp_path, "-o", tmp_path / "m.pt", "--arch")
    assert "No architecture is called 'nonsense'" in command(*words, "nonsense", code=2).stderr
    pytest.importorskip("timm", reason="timm isn't installed")
    printed = command(*words, "vit_base_patch16_224", code=2).stderr
    assert "is a model of timm, and train takes 'small' or one of torchvision's classifiers" in printed


def pictures(folder: Path, *sizes: tuple[int, int]) -> Path:
    folder.mkdir()
    for number, (height, width) in enumerate(sizes):
        values = np.random.default_rng(number).integers(0, 255, (height, width, 3), np.uint8)
        Image.fromarray(values).save(folder / f"{number}.png")
    return folder


def inside(name: str, photos: Path, folder: Path) -> Any:
    command("inspect", f"tests.odd_networks:{name}", photos, "-o", folder, "--size", "original", "--device", "cpu")
    return load_run(folder).record


def test_an_image_that_the_network_refuses_costs_no_view_of_the_others(tmp_path: Path) -> None:
    photos = pictures(tmp_path / "photos", (40, 40), (32, 48), (40, 40))
    record = inside("RefusesOne", photos, tmp_path / "r")
    assert [file.name for file in record.skipped] == ["1.png"] and record.inspection.image_count == 2
    assert [image.image[:2] for image in record.inspection.images] == ["0-", "2-"]
    assert (
        record.inspection.top_images
        and record.inspection.maximized
        and record.inspection.channel_stats
        and record.inspection.receptive_fields
    )


def test_a_view_that_the_network_refuses_costs_no_other(tmp_path: Path) -> None:
    photos = pictures(tmp_path / "photos", (40, 40), (40, 40))
    inspection = inside("RefusesGradients", photos, tmp_path / "r").inspection
    gaps = dict(inspection.not_applicable)
    assert gaps["feature maps"] == "RuntimeError: no gradients here"
    assert inspection.kernels and inspection.channel_stats and len(inspection.images) == 2
    text = (tmp_path / "r" / "features.html").read_text()
    assert "No feature maps: RuntimeError: no gradients here." in text
