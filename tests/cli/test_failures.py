"""Requests that are refused, and runs that the system or the user ends."""

from pathlib import Path
from typing import Any

import pytest
import torch

from cnnvis_report.store import load_run
from tests.cli.words import FEW, TINY, one_line
from tests.conftest import command


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("run", "tests.factories:flat", "{drawn}"), 2, "no layer whose output has a spatial size"),
        (("run", "tests.factories:Dictionary", "{drawn}"), 2, "returns a dict with out, aux"),
        (("run", "tests.factories:strips", "{drawn}"), 2, "no N×classes scores. Give --task segmentation if"),
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
        ((*TINY, "{drawn}", "--mean", "0.5", "--std", "1,1,1"), 2, "each needs one per channel"),
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


def test_out_of_memory_halves_the_batch(drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cnnvis_report.pipeline.explaining.batch_explainer import BatchExplainer

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

    monkeypatch.setattr("cnnvis_report.store.array_files.npz.npy.write_array", full)
    result = command(*TINY, drawn, "-o", tmp_path / "r", *FEW, "-q", code=1)
    assert "Error: No space left on device" in result.stderr and not (tmp_path / "r").exists()


def test_ctrl_c_keeps_what_is_done(drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cnnvis_report.pipeline.explaining.batch_explainer import BatchExplainer

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
