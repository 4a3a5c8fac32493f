"""A variable that this network, or these images, have no use for stops no run; what is given here is refused."""

from pathlib import Path

import pytest
from PIL import Image
from safetensors.torch import save_file

from cnnvis_report.store import load_run
from tests.conftest import command
from tests.factories import tiny

NETWORK = "tests.factories:tiny"
CALM = ("-m", "gradient", "--device", "cpu")
UNUSED = {
    "arch": ("resnet18", "tests.factories:tiny is a network of your own, which has no use for --arch."),
    "split": ("val", "no sub-folder of {folder} is called so; it has circle."),
    "label-columns": ("class", "{folder} is a folder, which has none."),
    "rgb": ("3,2,1", "the network reads color pictures, which are shown as they are."),
}


@pytest.fixture(name="folder")
def fixture_folder(tmp_path: Path) -> Path:
    """A folder with a picture of a class, and no parts of a set."""
    folder = tmp_path / "pictures" / "circle"
    folder.mkdir(parents=True)
    Image.new("RGB", (32, 32), "teal").save(folder / "a.png")
    return folder.parent


@pytest.mark.parametrize("option", UNUSED)
def test_what_nothing_here_reads_is_left_unapplied_from_a_variable_and_refused_where_it_is_given(
    option: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    value, reason = UNUSED[option][0], UNUSED[option][1].format(folder=folder)
    run = ("run", NETWORK, folder, "-o", tmp_path / "report", *CALM)
    shown = value if option == "rgb" else repr(value)
    assert command(*run, f"--{option}", value, code=2).stderr == f"Error: --{option} {shown}: {reason}\n"
    variable = f"CNNVIS_REPORT_{option.upper().replace('-', '_')}"
    monkeypatch.setenv(variable, value)
    assert f"Unused    {variable}={value}: {reason}" in command(*run).output
    assert load_run(tmp_path / "report").record.images == 1


def test_a_part_that_a_set_hasnt_got_is_refused_from_a_variable_too(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "train").mkdir()
    (folder / "circle").rename(folder / "train" / "circle")
    monkeypatch.setenv("CNNVIS_REPORT_SPLIT", "val")
    refused = command("run", NETWORK, folder, "-o", tmp_path / "report", *CALM, code=2).stderr
    assert refused.startswith("Error: CNNVIS_REPORT_SPLIT=val: --split 'val': no sub-folder of ")


def test_what_is_typed_goes_over_a_variable_that_says_the_same_thing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ("run", NETWORK, folder, "-o", tmp_path / "report", *CALM)
    line = "--size 32 sets --resize and --crop; give either."
    assert command(*run, "--size", 32, "--crop", 24, code=2).stderr == f"Error: --crop 24: {line}\n"
    monkeypatch.setenv("CNNVIS_REPORT_CROP", "24")
    assert f"Unused    CNNVIS_REPORT_CROP=24: {line}" in command(*run, "--size", 32).output
    monkeypatch.setenv("CNNVIS_REPORT_SIZE", "32")
    assert line in command(*run, code=2).stderr, "two variables contradict each other"
    monkeypatch.delenv("CNNVIS_REPORT_CROP")
    assert f"Unused    CNNVIS_REPORT_SIZE=32: {line}" in command(*run, "--crop", 24).output


def test_several_are_left_unapplied_at_once(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for option in UNUSED:
        monkeypatch.setenv(f"CNNVIS_REPORT_{option.upper().replace('-', '_')}", UNUSED[option][0])
    output = command("run", NETWORK, folder, "-o", tmp_path / "report", *CALM).output
    assert output.count("Unused    ") == len(UNUSED)


def test_weights_of_a_variable_stop_no_file_that_has_its_own(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    exported = tmp_path / "tiny.pt2"
    torch.export.save(torch.export.export(tiny().eval(), (torch.zeros(1, 3, 32, 32),)), exported)
    weights = tmp_path / "other.safetensors"
    save_file({"a": torch.zeros(1)}, weights)
    words = ("layers", exported)
    line = "--weights other.safetensors: tiny.pt2 has weights of its own.\n"
    assert command(*words, "--weights", weights, code=2).stderr == f"Error: {line}"
    monkeypatch.setenv("CNNVIS_REPORT_WEIGHTS", str(weights))
    assert command(*words).exit_code == 0
