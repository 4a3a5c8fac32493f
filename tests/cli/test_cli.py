"""The commands as a user types them: what they say, what they leave, how they end."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from cnnvis_report.methods.registry import methods
from cnnvis_report.store import load_arrays, load_run
from tests.cli import gold
from tests.cli.words import FEW, TINY, one_line
from tests.conftest import command, standard_methods
from tests.narrow import present


def test_pages_are_written_without_torch(report: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(report, tmp_path / "r")
    (tmp_path / "r" / "index.html").unlink()
    code = (
        "import sys; sys.modules['torch'] = sys.modules['torchvision'] = None\n"
        f"from cnnvis_report.cli.main import cli; cli(['render', {str(tmp_path / 'r')!r}])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.startswith("Wrote ")
    assert (tmp_path / "r" / "index.html").read_bytes() == (report / "index.html").read_bytes()


def test_a_run_says_what_it_will_do_and_what_it_took(drawn: Path, tmp_path: Path) -> None:
    result = command(*TINY, drawn, "-o", tmp_path / "r", *FEW)
    assert result.stdout == f"Wrote {tmp_path / 'r' / 'index.html'}\n"
    gold.check("run", gold.scrubbed(result.stderr, tmp_path))
    again = command(*TINY, drawn, "-o", tmp_path / "r", *FEW)
    gold.check("run-again", gold.scrubbed(again.stderr, tmp_path))
    other = command(*TINY, drawn, "-o", tmp_path / "r", *FEW, "--seed", "1")
    gold.check("run-changed", gold.scrubbed(other.stderr, tmp_path))
    quiet = command(*TINY, drawn, "-o", tmp_path / "r2", *FEW, "--quiet")
    assert quiet.stderr.count("\n") == 2 and all(line.startswith("Warning: ") for line in quiet.stderr.splitlines())


def test_hyphens_sets_and_choices(drawn: Path, tmp_path: Path) -> None:
    command(
        *TINY, drawn, "-o", tmp_path / "a", "-m", "grad-cam, layer-cam", "--classes", "ring,top:1,0", "--limit", "5",
        "--limit-order", "first",
    )  # fmt: skip
    run = load_run(tmp_path / "a")
    assert [card.name for card in run.record.methods] == ["grad_cam", "layer_cam"] and run.record.images == 3
    for image in run.images():
        wanted = list(dict.fromkeys([image.top[0].index, 2, 0]))
        assert [target.index for target in image.targets] == wanted
        assert {map_record.target for map_record in image.maps} == set(wanted)
    command(*TINY, drawn, "-o", tmp_path / "b", "-m", "quick", "--classes", "label", "-q")
    images = list(load_run(tmp_path / "b").images())
    assert all([target.index for target in image.targets] == [present(image.label).index] for image in images)
    assert len(images[0].maps) == sum(entry.info.preset == "quick" for entry in methods())


def test_images_without_a_label_have_a_stated_gap(drawn: Path, tmp_path: Path) -> None:
    Image.new("RGB", (50, 50)).save(tmp_path / "alone.png")
    command(*TINY, drawn, tmp_path / "alone.png", "-o", tmp_path / "r", *FEW, "--classes", "label", "-q")
    *_, alone = load_run(tmp_path / "r").images()
    assert not alone.maps and "no class to explain" in alone.not_applicable[0].reason
    assert "no class to explain" in (tmp_path / "r" / "run.html").read_text(encoding="utf-8")
    result = command(*TINY, tmp_path / "alone.png", "-o", tmp_path / "n", *FEW, "--classes", "label", code=2)
    assert "no image has a label" in one_line(result)


def test_several_layers(drawn: Path, tmp_path: Path) -> None:
    layers = ("--layer", "features.0", "--layer", "features")
    command(*TINY, drawn, "-o", tmp_path / "r", "-m", "grad_cam,guided_grad_cam,saliency", *layers, "-q",
            "--keep", "full")  # fmt: skip
    image = next(load_run(tmp_path / "r").images())
    shapes = {(map_record.method, map_record.layer): map_record.shape for map_record in image.maps}
    assert shapes == {
        ("grad_cam", "features.0"): (40, 40),
        ("grad_cam", "features"): (20, 20),
        ("guided_grad_cam", "features.0"): (3, 40, 40),
        ("guided_grad_cam", "features"): (3, 40, 40),
        ("saliency", ""): (3, 40, 40),
    }
    assert '<select name="layer">' in (tmp_path / "r" / "images" / f"{image.id}.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("size", "seen"), [("64", (64, 64)), ("24x56", (24, 56)), ("original", (40, 40)), (None, (40, 40))]
)
def test_sizes(size: str | None, seen: tuple[int, int], drawn: Path, tmp_path: Path) -> None:
    command(*TINY, drawn, "-o", tmp_path / "r", *FEW, "-q", *(("--size", size) if size else ()))
    image = next(load_run(tmp_path / "r").images())
    assert image.size == seen and image.original_size == (40, 40)
    arrays = load_arrays(tmp_path / "r", image.id)
    assert arrays["picture"].shape == (*seen, 3) and arrays[image.maps[-1].key].shape[-2:] == seen


def test_images_of_many_sizes_and_aspects(tmp_path: Path) -> None:
    for number, size in enumerate([(50, 30), (50, 30), (31, 80), (64, 64)]):
        Image.effect_noise(size, 90).convert("RGB").save(tmp_path / f"{number}.png")
    command(*TINY, tmp_path, "-o", tmp_path / "r", *FEW, "--size", "original", "-q")
    assert [image.size for image in load_run(tmp_path / "r").images()] == [(30, 50), (30, 50), (80, 31), (64, 64)]


def test_gray_networks(drawn: Path, tmp_path: Path) -> None:
    few = ("smoothgrad.n=2", "integrated_gradients.steps=2", "occlusion.patch=16")
    options = [word for option in few for word in ("-O", option)]
    words = ("--size", "32", "-m", "standard", "--classes", "top:3", "-q", *options)
    command("run", "tests.factories:gray", drawn, "-o", tmp_path / "r", *words)
    image = next(load_run(tmp_path / "r").images())
    arrays = load_arrays(tmp_path / "r", image.id)
    assert arrays["picture"].shape == (32, 32) and len(image.maps) == standard_methods() * 3


def test_a_network_with_other_activations_has_stated_gaps(drawn: Path, tmp_path: Path) -> None:
    smooth = ("run", "tests.factories:smooth", drawn, "--size", "32", "-m", "guided_backprop,gradient,cam")
    result = command(*smooth, "-o", tmp_path / "r")
    assert "not applicable: guided_backprop (1 SiLU activation has no ReLU rule)" in result.stderr
    run = load_run(tmp_path / "r")
    assert [gap.method for gap in run.record.not_applicable] == ["guided_backprop"]
    page = (tmp_path / "r" / "images" / f"{next(run.images()).id}.html").read_text(encoding="utf-8")
    assert "1 SiLU activation has no ReLU rule" in page
    result = command(*smooth, "-o", tmp_path / "s", "--strict", code=3)
    assert result.stderr.splitlines()[-1].startswith("Error: --strict:") and (tmp_path / "s" / "index.html").is_file()
    result = command(*smooth[:-1], "deconvnet", "-o", tmp_path / "n", code=1)
    assert "None of the methods is applicable" in one_line(result) and not (tmp_path / "n").exists()


def test_settings_come_from_a_file_and_the_shell_has_the_last_word(drawn: Path, tmp_path: Path) -> None:
    config = tmp_path / "run.toml"
    config.write_text(
        'methods = ["smoothgrad", "grad_cam"]\nclasses = "top:1"\nbatch-size = 3\nlayer = "features.0"\nseed = 5\n'
        "[options.smoothgrad]\nn = 4\nlevel = 0.3\n"
    )
    command(*TINY, drawn, "-o", tmp_path / "r", "--config", config, "--classes", "top:2", "-O", "smoothgrad.n=2", "-q")
    run = load_run(tmp_path / "r").record
    assert run.settings["seed"] == 5 and run.settings["batch_size"] == 3 and run.settings["classes"] == "top:2"
    assert run.method("smoothgrad").options == {"n": 2, "level": 0.3, "variant": "mean"}
    assert next(load_run(tmp_path / "r").images()).maps[-1].layer == "features.0"
    config.write_text("clases = 'top:1'")
    assert "Did you mean 'classes'?" in one_line(command(*TINY, drawn, "--config", config, code=2))


def test_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnvis_report.training.demo.EPOCHS", 1)
    monkeypatch.setattr("cnnvis_report.training.demo.DRAWN", {"training": 50, "validation": 10, "test": 10})
    result = command("demo", "-n", "6", "-o", tmp_path / "d", "-m", "quick")
    gold.check("demo", gold.scrubbed(result.stderr, tmp_path))
    run = load_run(tmp_path / "d")
    assert "1 epochs on 50 synthetic images" in run.record.network.weights
    for image in run.images():
        assert image.label and 0.02 < present(image.mask_fraction) < 0.4
        assert "mask" in load_arrays(tmp_path / "d", image.id)
        located = image.localization.maps if image.localization else ()
        shown = image.label.index in [target.index for target in image.targets]
        assert {scored.target for scored in located} == ({image.label.index} if shown else set())
    overview, methods = ((tmp_path / "d" / f"{name}.html").read_text(encoding="utf-8") for name in ("index", "methods"))
    assert "Which methods point at the object?" in overview and "Pointing game ↑" in methods
    assert json.loads((tmp_path / "d" / "run.json").read_text())["run"]["settings"]["model"] == "demo"
