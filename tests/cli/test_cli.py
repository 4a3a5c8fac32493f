"""The commands as a user types them: what they say, what they leave, how they end."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import Result
from PIL import Image

from cnnvis_report.methods.registry import methods
from cnnvis_report.store import load_arrays, load_run
from tests.cli import gold
from tests.conftest import command, standard_methods
from tests.narrow import present

TINY = ("run", "tests.factories:tiny")
SMOOTH, FLAT = "tests.factories:smooth", "tests.factories:flat"
FEW = ("--methods", "grad_cam,saliency", "--device", "cpu")


def one_line(result: Result) -> str:
    """The only line on the standard error stream."""
    assert result.stderr.count("\n") == 1 and result.stderr.startswith("Error: "), result.stderr
    return result.stderr


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
    command(*TINY, drawn, "-o", tmp_path / "r", "-m", "grad_cam,guided_grad_cam,saliency", *layers, "-q")
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
    command("run", "tests.factories:gray", drawn, "-o", tmp_path / "r", "--size", "32", "-m", "standard", "-q",
            "-O", "smoothgrad.n=2", "-O", "integrated_gradients.steps=2", "-O", "occlusion.patch=16")  # fmt: skip
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


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("run", "tests.factories:flat", "{drawn}"), 2, "no layer whose output has a spatial size"),
        (("run", "tests.factories:Dictionary", "{drawn}"), 2, "returns a dict with out, aux"),
        (("run", "tests.factories:segmentation", "{drawn}"), 2, "as for segmentation"),
        (("run", "tests.factories:broken", "{drawn}"), 2, "aren't finite"),
        (("run", "tests.factories:detached", "{drawn}"), 2, "autograd can't follow"),
        (("run", "tests.factories:tinny", "{drawn}"), 2, "Did you mean 'tiny'?"),
        (("run", "resnet5O", "{drawn}"), 2, "Did you mean 'resnet50'?"),
        ((*TINY, "{drawn}/nowhere"), 2, "there is no such file or folder"),
        ((*TINY, "{empty}"), 2, "No image in"),
        ((*TINY, "{drawn}/empty.jpg"), 1, "The image can't be read. empty.jpg: an empty file."),
        ((*TINY, "{drawn}/empty.jpg", "{drawn}/<b>bold cut.jpg"), 1, "None of the 2 images can be read."),
        ((*TINY, "{drawn}", "-m", "gradcam"), 2, "Did you mean 'grad_cam'?"),
        ((*TINY, "{drawn}", "-m", ","), 2, "No method was asked for"),
        ((*TINY, "{drawn}", "-m", "nowhere:mine"), 2, "can't import 'nowhere'"),
        ((*TINY, "{drawn}", "-m", "tests.factories:tiny"), 2, "isn't announced with @method"),
        ((*TINY, "{drawn}", "-O", "smoothgrad.m=3"), 2, "No option of smoothgrad is called 'm'"),
        ((*TINY, "{drawn}", "-O", "smoothgrad.n=many"), 2, "takes a whole number"),
        ((*TINY, "{drawn}", "-O", "n=3"), 2, "give METHOD.NAME=VALUE"),
        (
            (*TINY, "{drawn}", "-m", "grad_cam", "-O", "smoothgrad.n=3"),
            2,
            "No method of this run is called 'smoothgrad'",
        ),
        ((*TINY, "{drawn}", "-O", "smoothgrad.n=0"), 2, "it takes a number from 1 to 100000"),
        ((*TINY, "{drawn}", "--layer", "featuers"), 2, "Did you mean 'features'?"),
        ((*TINY, "{drawn}", "--layer", "fc"), 1, "which has no spatial size"),
        ((*TINY, "{drawn}", "--classes", "crcle"), 2, "Did you mean 'circle'?"),
        ((*TINY, "{drawn}", "--classes", "5"), 2, "no class 5"),
        ((*TINY, "{drawn}", "--classes", "top:0"), 2, "at least 1"),
        ((*TINY, "{drawn}", "--classes", ""), 2, "nothing to explain"),
        ((*TINY, "{drawn}", "--device", "gpu"), 2, "isn't known. Here there are: auto, cpu"),
        ((*TINY, "{drawn}", "--device", "cuda:99"), 2, "hasn't got it"),
        ((*TINY, "{drawn}", "--size", "big"), 2, "give a side such as 224"),
        ((*TINY, "{drawn}", "--size", "0"), 2, "give a side such as 224"),
        ((*TINY, "{drawn}", "--size", "1"), 2, "doesn't take a 1×3×1×1 batch"),
        ((*TINY, "{drawn}", "--mean", "0.5", "--std", "0.5"), 2, "doesn't take a 1×1×40×40 batch"),
        ((*TINY, "{drawn}", "--std", "0,1,1"), 2, "has to be above 0"),
        ((*TINY, "{drawn}", "--mean", "0.5", "--std", "1,1,1"), 2, "each needs one a channel"),
        ((*TINY, "{drawn}", "--class-names", "{drawn}/empty.jpg"), 2, "empty.jpg: holds no class name"),
        ((*TINY, "{drawn}", "--weights", "{drawn}/empty.jpg"), 2, "isn't a checkpoint"),
        ((*TINY, "{drawn}", "--config", "{drawn}/empty.toml"), 2, "can't be read as TOML"),
        (("render", "{empty}"), 2, "holds no run"),
        (("methods", "gradcam"), 2, "Did you mean 'grad_cam'?"),
        (("layers", "resnet5O"), 2, "Did you mean 'resnet50'?"),
        (("layers", "tests.factories:tiny", "--size", "original"), 2, "no meaning without images"),
    ],
)
def test_bad_input_gets_one_line_and_leaves_nothing(
    words: Any, code: int, says: str, drawn: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    words = [word.format(drawn=drawn, empty=tmp_path / "empty") for word in words]
    output = ["-o", tmp_path / "r"] if words[0] == "run" else []
    result = command(*words, *output, code=code)
    assert says in one_line(result)
    assert not (tmp_path / "r").exists() and not result.stdout


@pytest.mark.parametrize(
    "words",
    [("--batch-size", "none"), ("--seed", "-1"), ("--limit", "0"), ("--mean", "a,b"), ("--labels", "x")],
    ids=" ".join,
)
def test_values_that_an_option_refuses_end_with_two(words: Any, drawn: Path, tmp_path: Path) -> None:
    said = one_line(command(*TINY, drawn, "-o", tmp_path / "r", *words, code=2))
    assert f"Invalid value for '{words[0]}': {words[1]!r} is" in said


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


OWN_METHOD = '''
from cnnvis_report.plugin import Kind, Sign, method


@method(title="Mine", family="own", source="no source", sign=Sign.POSITIVE, kind=Kind.AREA)
def mine(tape, targets, *, {option}):
    """What I wanted to see."""
    {body}
'''


def own_method(folder: Path, name: str, body: str, option: str = "power: int = 2") -> str:
    (folder / f"{name}.py").write_text(OWN_METHOD.format(body=body, option=option))
    return f"{name}:mine"


def test_a_method_of_ones_own(drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    path = own_method(tmp_path, "own_one", "return tape.gradients(targets).pixels.abs().pow(power).sum(1)")
    command(*TINY, drawn, "-o", tmp_path / "r", "-m", f"grad_cam,{path}", "-O", "mine.power=1", "-q")
    run = load_run(tmp_path / "r")
    assert run.record.method("mine").options == {"power": 1}
    page = (tmp_path / "r" / "methods.html").read_text(encoding="utf-8")
    assert "What I wanted to see." in page and "power = 1" in page


@pytest.mark.parametrize(
    ("body", "says"),
    [
        pytest.param("return 1 / (tape.images.mean() * 0).item()", "ZeroDivisionError", id="raises"),
        pytest.param("return tape.gradients(targets).pixels.sum(1) / 0", "aren't finite", id="not-finite"),
    ],
)
def test_a_method_that_fails_leaves_a_gap_and_the_others_go_on(
    drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: Any, says: str
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    name = f"own_{'two' if 'images' in body else 'three'}"  # modules stay imported, so each needs a name
    words = (*TINY, drawn, "-o", tmp_path / name, "-m", f"grad_cam,{own_method(tmp_path, name, body)}")
    told = command(*words).stderr
    assert (says in told) is (says == "ZeroDivisionError")
    gaps = [gap for image in load_run(tmp_path / name).images() for gap in image.not_applicable]
    assert gaps and all(says in gap.reason and gap.method == "mine" for gap in gaps)
    command(*words, "--strict", code=3)


def test_a_method_that_gives_maps_of_another_kind_is_refused(
    drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    path = own_method(tmp_path, "own_four", "return tape.images")
    words = (*TINY, drawn, "-o", tmp_path / "r", "-m", f"grad_cam,{path}")
    assert "gives maps of" in one_line(command(*words, code=2))


def test_traceback_of_a_failed_method_on_request(drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    path = own_method(tmp_path, "own_five", "return [][len(tape.images)]")
    words = (*TINY, drawn, "-m", f"saliency,{path}")
    assert "Traceback" not in command(*words, "-o", tmp_path / "a").stderr
    assert "Traceback" in command(*words, "-o", tmp_path / "b", "-v").stderr


def test_out_of_memory_halves_the_batch(drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cnnvis_report.pipeline.batch_explainer import BatchExplainer

    plain, sizes = BatchExplainer._open, []

    def tight(explainer: Any, images: Any) -> Any:
        sizes.append(len(images))
        if len(images) > 2:
            raise torch.OutOfMemoryError("too much")
        return plain(explainer, images)

    command(*TINY, drawn, "-o", tmp_path / "whole", *FEW, "-q")
    monkeypatch.setattr(BatchExplainer, "_open", tight)
    result = command(*TINY, drawn, "-o", tmp_path / "r", *FEW)
    assert sizes == [6, 3, 1, 2, 3, 1, 2] and "going on with 3" in result.stderr
    for one, two in zip(load_run(tmp_path / "whole").images(), load_run(tmp_path / "r").images(), strict=True):
        assert one.id == two.id and [found.key for found in one.maps] == [found.key for found in two.maps]
    monkeypatch.setattr(BatchExplainer, "_open", lambda *_: (_ for _ in ()).throw(torch.OutOfMemoryError("none")))
    result = command(*TINY, drawn, "-o", tmp_path / "n", *FEW, "-q", code=1)
    assert "Out of memory with one image at a time" in result.stderr and not (tmp_path / "n").exists()


def test_a_full_disk_is_one_line(drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("cnnvis_report.store.arrays.np.savez", full)
    result = command(*TINY, drawn, "-o", tmp_path / "r", *FEW, "-q", code=1)
    assert "Error: No space left on device" in result.stderr and not (tmp_path / "r").exists()


def test_ctrl_c_keeps_what_is_done(drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cnnvis_report.pipeline.batch_explainer import BatchExplainer

    plain = BatchExplainer._open
    calls = []

    def impatient(*given: Any) -> Any:
        calls.append(1)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return plain(*given)

    monkeypatch.setattr(BatchExplainer, "_open", impatient)
    result = command(*TINY, drawn, "-o", tmp_path / "r", *FEW, "--batch-size", "3", code=130)
    assert "Stopped. The same command continues from what is done." in result.stderr
    assert len(list((tmp_path / "r" / "arrays").iterdir())) == 3


def test_methods_are_listed_and_described() -> None:
    listed = command("methods").stdout
    assert [line.split()[0] for line in listed.splitlines()[1:]] == [entry.name for entry in methods()]
    assert all(entry.info.source in listed for entry in methods())


@pytest.mark.parametrize("name", [entry.name for entry in methods()])
def test_a_method_is_described_in_full(name: str) -> None:
    (entry,) = [entry for entry in methods() if entry.name == name]
    assert entry.info.text in command("methods", name.replace("_", "-")).stdout
    (described,) = json.loads(command("methods", name, "--json").stdout)
    assert (described["name"], described["title"], described["text"]) == (name, entry.info.title, entry.info.text)
    assert described["options"] == entry.info.options and "defined" not in described


def test_methods_say_for_which_network_they_are_defined() -> None:
    said = {entry["name"]: entry for entry in json.loads(command("methods", "--json", "--for", SMOOTH).stdout)}
    assert list(said) == [entry.name for entry in methods()]
    assert said["gradient"]["defined"] and said["gradient"]["reason"] is None
    reason = "1 SiLU activation has no ReLU rule"
    assert (said["guided_backprop"]["defined"], said["guided_backprop"]["reason"]) == (False, reason)
    assert f"no: {reason}" in command("methods", "--for", SMOOTH).stdout
    assert f"Not defined for {SMOOTH}: {reason}." in command("methods", "guided-backprop", "--for", SMOOTH).stdout
    assert f"Defined for {SMOOTH}." in command("methods", "gradient", "--for", SMOOTH).stdout
    flat = {entry["name"]: entry for entry in json.loads(command("methods", "--json", "--for", FLAT).stdout)}
    assert flat["grad_cam"]["reason"] == "no layer has a spatial size" and flat["gradient"]["defined"]


def test_layers_are_listed_in_the_order_in_which_they_run() -> None:
    layers = command("layers", "tests.factories:tiny").stdout
    assert [line.split()[0] for line in layers.splitlines()[1:6]] == [f"features.{number}" for number in range(5)]
    assert "*  features" in layers and "8×20×20" in layers
    listed = json.loads(command("layers", "tests.factories:tiny", "--json").stdout)
    rows = [line.removeprefix("*").split()[0] for line in layers.splitlines()[1:-2]]
    assert [layer["name"] for layer in listed] == rows
    assert [layer["name"] for layer in listed if layer["default"]] == ["features"]
    assert next(layer["shape"] for layer in listed if layer["name"] == "features") == [8, 20, 20]
    assert "512×7×7" in command("layers", "resnet18").stdout


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
    overview = (tmp_path / "d" / "index.html").read_text(encoding="utf-8")
    assert "Pointing game" in overview and "random maps of each hit" in overview
    assert json.loads((tmp_path / "d" / "run.json").read_text())["run"]["settings"]["model"] == "demo"
