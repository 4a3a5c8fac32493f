"""The network that is trained on permuted labels: on which labels, from which weights, and how it is kept."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from cnnvis_report.errors import BadRequest
from cnnvis_report.models.load import load_model
from cnnvis_report.models.trained_file import PERMUTED, read_trained
from cnnvis_report.training.loop import fit
from cnnvis_report.training.permuted_labels import fit_permuted, permute_labels
from cnnvis_report.training.progress import TrainProgress
from cnnvis_report.training.state import TrainState
from cnnvis_report.training.train import TrainConfig, train
from tests.training.trainings import CPU, class_folders, hyperparameters, linear, pictures, same

TARGETS = [at % 3 for at in range(40)]


class Told(TrainProgress):
    """Keeps what it is told of, and stops a training by Ctrl-C after so many epochs on permuted labels."""

    def __init__(self, stop: int = 99) -> None:
        self.said: list[str] = []
        self.stop = stop

    def permuted(self, epochs: int) -> None:
        self.said.append(f"permuted, {epochs} epochs")

    def epoch_done(self, state: TrainState) -> None:
        self.said.append("epoch")

    def permuted_epoch_done(self, state: TrainState) -> None:
        self.said.append("permuted epoch")
        if self.said.count("permuted epoch") == self.stop:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return class_folders(tmp_path_factory.mktemp("permuted") / "i", {"a": 9, "b": 7})


@pytest.fixture(scope="module")
def file(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "m.pt"
    train(order(images, path), CPU, TrainProgress())
    return path


def order(images: Path, output: Path, *, data_randomization: bool = True) -> TrainConfig:
    return TrainConfig(images, output, epochs=2, batch_size=4, data_randomization=data_randomization)


def test_labels_are_dealt_anew_and_pictures_stay() -> None:
    given = pictures(TARGETS)
    permuted = permute_labels(given, seed=0)
    assert sorted(permuted.targets.tolist()) == sorted(TARGETS) and permuted.targets.tolist() != TARGETS
    assert permuted.items == given.items and permuted.stored is given.stored
    assert torch.equal(permute_labels(given, 0).targets, permuted.targets)
    assert not torch.equal(permute_labels(given, 1).targets, permuted.targets)


def test_it_is_the_training_on_permuted_labels_with_the_same_settings() -> None:
    given, told, settings = pictures(TARGETS), Told(), hyperparameters(epochs=4, patience=1)
    network, other = linear(), linear()
    torch.manual_seed(5)
    found = fit_permuted(network, given, settings, 0, CPU, told)
    permuted = permute_labels(given, 0)
    torch.manual_seed(5)
    state = fit(other, permuted, permuted, replace(settings, patience=0), CPU, TrainProgress())
    assert same(network.state_dict(), other.state_dict()) and not network.training
    assert found is not None and found.accuracy == max(epoch.validation_accuracy for epoch in state.history)
    assert (found.images, len(state.history)) == (40, 4), "patience ends nothing here"
    assert told.said == ["permuted, 4 epochs", *["permuted epoch"] * 4]


def test_it_waits_for_all_epochs_where_nothing_is_gained() -> None:
    settings = hyperparameters(epochs=4, patience=1, rate=1e-12)
    fit_permuted(linear(), pictures(TARGETS), settings, 0, CPU, told := Told())
    assert told.said.count("permuted epoch") == 4


def test_the_file_holds_both_networks(images: Path, file: Path, tmp_path: Path) -> None:
    found = read_trained(file)
    train(order(images, tmp_path / "plain.pt", data_randomization=False), CPU, TrainProgress())
    plain = read_trained(tmp_path / "plain.pt")
    assert found is not None and plain is not None
    assert same(found.network.state_dict(), plain.network.state_dict()), "the training itself is the same"
    assert plain.permuted is None and plain.training.permuted is None and found.permuted is not None
    assert not same(found.permuted.state_dict(), found.network.state_dict()) and not found.permuted.training
    assert found.training.permuted is not None and found.training.permuted.images == 13
    assert found.training.settings["data randomization"] == "yes"
    training = load_model(str(file)).training
    assert training is not None and training.permuted is not None
    assert same(training.permuted.state_dict(), found.permuted.state_dict())


def test_the_same_training_gives_the_same_bytes_and_is_left_as_it_is(images: Path, file: Path, tmp_path: Path) -> None:
    told = Told()
    train(order(images, tmp_path / "m.pt"), CPU, told)
    assert (tmp_path / "m.pt").read_bytes() == file.read_bytes()
    assert told.said == ["epoch", "epoch", "permuted, 2 epochs", "permuted epoch", "permuted epoch"]
    train(order(images, tmp_path / "m.pt"), CPU, again := Told())
    assert again.said == [] and list(tmp_path.iterdir()) == [tmp_path / "m.pt"]


def test_ctrl_c_keeps_the_network_and_the_same_command_goes_on(images: Path, file: Path, tmp_path: Path) -> None:
    stopped = train(order(images, tmp_path / "m.pt"), CPU, Told(stop=1))
    found = read_trained(tmp_path / "m.pt")
    assert stopped.interrupted and stopped.part.is_file()
    assert found is not None and found.permuted is None and found.training.permuted is None
    train(order(images, tmp_path / "m.pt"), CPU, told := Told())
    assert told.said.count("epoch") == 0, "the training itself was through"
    assert (tmp_path / "m.pt").read_bytes() == file.read_bytes() and not stopped.part.exists()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda state: "gone", "the weights are something else"),
        (lambda state: {**state, "more": torch.zeros(1)}, "unexpected"),
        (lambda state: dict(list(state.items())[1:]), "missing"),
        (lambda state: {name: value[..., None] for name, value in state.items()}, "of another shape"),
        (lambda state: dict.fromkeys(state, object), "isn't a model|type|pickle|weights"),
    ],
    ids=["text", "more", "less", "shapes", "objects"],
)
def test_damaged_weights_are_refused(damage: object, said: str, file: Path, tmp_path: Path) -> None:
    content = torch.load(file, weights_only=True)
    content[PERMUTED] = damage(content[PERMUTED])  # type: ignore[operator]
    torch.save(content, tmp_path / "m.pt")
    with pytest.raises(BadRequest, match=said):
        read_trained(tmp_path / "m.pt")
