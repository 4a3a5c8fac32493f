"""What `train` writes is all that `run` needs; what `run` then says of it is counted again here, slowly."""

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from cnnvis_report import explain
from cnnvis_report.data.decoding.decode import picture_size
from cnnvis_report.data.image_file import ImageFile
from cnnvis_report.data.preprocessing.preprocessing import Preprocessing
from cnnvis_report.errors import BadRequest
from cnnvis_report.models.architectures import Architecture, GapNetwork, SmallNetwork, blocks_for
from cnnvis_report.models.load import load_model
from cnnvis_report.models.trained_file import TrainedModel, read_trained, write_trained
from cnnvis_report.records.training import ClassCounts, Epoch, Score, Snapshot, TrainingRecord
from cnnvis_report.synthetic.layers import draw
from cnnvis_report.training.model import Source, make_trainee
from tests.conftest import command
from tests.models.conftest import TRAIN
from tests.narrow import present
from tests.networks import seeded
from tests.picture_reading import read_picture
from tests.training.trainings import class_folders, same, trained


def read(path: Path) -> TrainedModel:
    return present(read_trained(path))


def described(network: nn.Module, architecture: Architecture) -> TrainedModel:
    """A model with every field filled."""
    size = (28, 28)
    channels = architecture.channels
    classes = tuple(f"<b>{index}</b> ../é" for index in range(architecture.classes))
    record = TrainingRecord(
        data="photos",
        settings={"seed": 3, "split": 0.2, "balanced": True, "frozen": None, "arch": "small"},
        counts=tuple(ClassCounts(name, 5, 2, 1, 0.5) for name in classes),
        history=(Epoch(1, 1.5, 0.25, 1.25, 0.5, 0.01), Epoch(2, 1.0, 0.5, 0.75, 0.5, 1e-7)),
        best_epoch=2,
        stopped="stopped by hand",
        validation=Score(0.5, 0.75, 4),
        test=Score(0.25, 1.5, 3),
        snapshots=(Snapshot(1, "model.epoch-1.pt"),),
        skipped=7,
    )
    preprocessing = Preprocessing((0.1,) * channels, (0.7,) * channels, resize=size, crop=size, interpolation="bicubic")
    return TrainedModel(network.eval(), architecture, preprocessing, classes, record, frozenset(("3-ab", "5-cd")))


def trainee(name: str, head: str, channels: int = 3) -> tuple[nn.Module, Architecture]:
    torch.manual_seed(2)
    preprocessing = Preprocessing((0.5,) * channels, (0.2,) * channels, resize=(64, 71))
    made = make_trainee(Source(name), preprocessing, 3, head, None)
    return seeded(made.network).eval(), made.architecture


@pytest.mark.parametrize(
    ("name", "head", "channels"),
    [
        ("small", "linear", 1),
        ("small", "linear", 3),
        ("small", "cam", 1),
        ("resnet18", "cam", 3),
        ("squeezenet1_1", "cam", 3),
    ],
)
def test_a_network_is_built_again_from_the_words_in_its_file(
    name: str, head: str, channels: int, tmp_path: Path
) -> None:
    network, architecture = trainee(name, head, channels)
    images = torch.randn(2, channels, 64, 71, generator=torch.Generator().manual_seed(0))
    write_trained(tmp_path / "m.pt", described(network, architecture))
    again = read(tmp_path / "m.pt")
    assert again.architecture == architecture and not again.network.training
    with torch.no_grad():
        scores = network(images)
        assert torch.equal(again.network(images), scores) and scores.std() > 1e-3
    loaded = load_model(str(tmp_path / "m.pt"))
    assert same(loaded.network.state_dict(), network.state_dict()) and loaded.name == name
    if head == "cam":
        assert isinstance(network, GapNetwork) and network.classifier.bias is None
        maps = explain(network, images, [2, 0], methods=["cam"])["cam"]
        torch.testing.assert_close(maps.mean(dim=(1, 2)), scores[[0, 1], [2, 0]], rtol=1e-4, atol=1e-5)


def test_a_model_comes_back_as_it_was_written(tmp_path: Path) -> None:
    network, architecture = trainee("small", "linear")
    written = described(network, architecture)
    for name in ("m.pt", "other.pt"):
        write_trained(tmp_path / name, written)
    again = read(tmp_path / "m.pt")
    assert replace(again, network=network) == written and same(again.network.state_dict(), network.state_dict())
    assert (tmp_path / "m.pt").read_bytes() == (tmp_path / "other.pt").read_bytes()
    network.get_parameter("classifier.bias").data[1] = torch.inf
    write_trained(tmp_path / "m.pt", written)
    with pytest.raises(BadRequest, match=r"classifier.bias has 1 of 3 values that aren't finite"):
        load_model(str(tmp_path / "m.pt"))


def last_side(side: int) -> int:
    """Of the last maps of a small network for such pictures."""
    network = SmallNetwork(2, 1, blocks_for((side + 9, side)))
    with torch.no_grad():
        return int(network.features(torch.zeros(1, 1, side, side)).shape[-1])


def test_small_networks_take_any_size_and_one_to_three_channels() -> None:
    assert all(
        7 <= last_side(side) <= 13 for side in (14, 15, 26, 27, 28, 55, 56, 63, 64, 111, 112, 128, 223, 224, 447)
    )
    for side in range(14, 448):
        assert 7 <= side >> (blocks_for((side, 999)) - 1) <= 13
    assert {blocks_for((side, side + 3)) for side in range(8, 14)} == {2}  # too small for seven: 4 to 6
    with pytest.raises(BadRequest, match="7x20: the small network needs at least 8"):
        blocks_for((7, 20))
    for channels in (1, 2, 3):
        network = seeded(SmallNetwork(4, channels, 3)).eval()
        images = torch.randn(2, channels, 30, 41, generator=torch.Generator().manual_seed(0))
        assert network(images).shape == (2, 4) and not torch.equal(network(images), network(images.flip(1) + 1))


@pytest.mark.parametrize("side", [448, 512])
def test_the_last_maps_of_large_pictures_stay_small(side: int) -> None:
    assert last_side(side) <= 13


def test_the_same_command_writes_the_same_bytes(model: Path, layers_set: Path, tmp_path: Path) -> None:
    command("train", layers_set, "-o", tmp_path / "model.pt", *TRAIN)
    for name in ("model.pt", "model.epoch-1.pt"):
        assert (tmp_path / name).read_bytes() == (model.parent / name).read_bytes()
    command("train", layers_set, "-o", tmp_path / "model.pt", *TRAIN, "--seed", 4)
    assert (tmp_path / "model.pt").read_bytes() != model.read_bytes()


def test_the_file_is_plain_and_holds_all_that_run_needs(model: Path, layers_set: Path) -> None:
    content = torch.load(model, weights_only=True)
    whole = read(model)
    assert content["classes"] == ["above", "below"] and len(content["seen"]) == 24
    assert content["training"]["settings"]["seed"] == 3 and len(content["training"]["history"]) == 2
    assert content["preprocessing"] == asdict(whole.preprocessing) and whole.preprocessing.size == (32, 32)
    assert [(count.training, count.validation, count.test) for count in whole.training.counts] == [(12, 3, 0)] * 2
    assert whole.training.snapshots == (Snapshot(1, "model.epoch-1.pt"),)
    assert str(layers_set.parent) not in str({name: content[name] for name in content if name != "state_dict"})
    early = read(model.parent / "model.epoch-1.pt")
    assert early.training.history == whole.training.history[:1] and early.preprocessing == whole.preprocessing


def test_constants_are_those_of_the_training_pixels(tmp_path: Path) -> None:
    folder = class_folders(tmp_path / "i", {"a": 12, "b": 12})
    result, seen = trained(folder, tmp_path / "m.pt", epochs=1)
    pixels = np.stack([np.asarray(item.open()) for item in seen.data.training.items]) / 255
    assert pixels.shape == (20, 28, 28, 3)
    assert result.model.preprocessing.mean == pytest.approx(pixels.mean(axis=(0, 1, 2)), abs=6e-5)
    assert result.model.preprocessing.std == pytest.approx(pixels.std(axis=(0, 1, 2)), abs=6e-5)
    every = np.stack([np.asarray(Image.open(path)) for path in folder.glob("*/*.png")]) / 255
    assert result.model.preprocessing.mean != pytest.approx(every.mean(axis=(0, 1, 2)), abs=6e-5)


def test_gray_is_found_out_from_pictures_in_color(tmp_path: Path) -> None:
    folder = class_folders(tmp_path / "i", {"a": 4, "b": 4}, color=False)
    first = {"gray": trained(folder, tmp_path / "m.pt", epochs=1)[0].model}
    first["set"] = trained(folder, tmp_path / "m.pt", epochs=1, channels="3")[0].model
    with Image.open(folder / "b" / "3.png") as picture:
        assert picture.mode == "RGB"
        picture.putpixel((5, 5), (10, 10, 11))
        picture.save(folder / "b" / "3.png")
    first["one pixel"] = trained(folder, tmp_path / "m.pt", epochs=1)[0].model
    first["set to gray"] = trained(folder, tmp_path / "m.pt", epochs=1, channels="1")[0].model
    channels = {name: (model.preprocessing.channels, model.architecture.channels) for name, model in first.items()}
    assert channels == {"gray": (1, 1), "set": (3, 3), "one pixel": (3, 3), "set to gray": (1, 1)}
    assert read(tmp_path / "m.pt").preprocessing.channels == 1


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tiff"])
def test_the_size_of_a_turned_picture_is_that_of_the_picture_upright(ending: str, tmp_path: Path) -> None:
    picture = draw(0, 0, 40).picture.resize((40, 24)).convert("RGB")
    for turn in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = turn
        picture.save(tmp_path / f"{turn}.{ending}", exif=exif)
        upright = read_picture(tmp_path / f"{turn}.{ending}")
        assert upright.size == ((40, 24) if turn < 5 else (24, 40))
        assert picture_size(ImageFile(tmp_path / f"{turn}.{ending}", "")) == (upright.height, upright.width)


@pytest.mark.parametrize("head", ["linear", "cam"])
def test_weights_with_another_head_keep_what_they_were_taught(head: str, tmp_path: Path) -> None:
    folder = class_folders(tmp_path / "i", {"a": 10, "b": 10})
    more = class_folders(tmp_path / "more", {"a": 4, "b": 4, "c": 4})
    first, _ = trained(folder, tmp_path / "first.pt", head=head)
    for other, prefix in (("linear", ""), ("cam", "backbone.")):
        freeze = "backbone" if other == "linear" else None  # which a head on what was taught before does of itself
        weights = str(tmp_path / "first.pt")
        result, _ = trained(more, tmp_path / "m.pt", weights=weights, head=other, freeze=freeze)
        taught, after = first.model.network.state_dict(), result.model.network.state_dict()
        inside = {name: value for name, value in after.items() if name.startswith(f"{prefix}features.")}
        own = "backbone." if head == "cam" else ""
        assert len(inside) == 18
        assert all(torch.equal(value, taught[own + name.removeprefix(prefix)]) for name, value in inside.items())


def test_a_model_of_an_earlier_version_says_that_its_images_are_not_known(model: Path, tmp_path: Path) -> None:
    known = read(model)
    assert known.seen and load_model(str(model)).notices == ()
    write_trained(tmp_path / "old.pt", replace(known, seen=frozenset(["1234-0123456789abcdef"])))
    (notice,) = load_model(str(tmp_path / "old.pt")).notices
    assert "can't be told" in notice
