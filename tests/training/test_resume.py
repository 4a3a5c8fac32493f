"""A training that is cut short goes on with the same command, to the bytes of one that wasn't; another begins anew."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from cnnvis_report.errors import BadRequest
from cnnvis_report.models.trained_file import read_trained
from cnnvis_report.training.train import TrainConfig, train
from tests.exhaustive import represented
from tests.narrow import present
from tests.training.trainings import CPU, Watching, class_folders, same, trained


class Cut(Exception):
    """What ends a training, as a kill would: nothing is done after it."""


class Cutting(Watching):
    """Ends the training after an epoch, in the next one, or when all epochs are through; keeps what it is told."""

    def __init__(self, after: int = 99, batch: bool = False) -> None:
        super().__init__()
        self.after, self.batch = after, batch
        self.resumed_from: list[int] = []
        self.begun_anew: list[tuple[str, ...]] = []
        self.left: list[str] = []
        self.epochs: list[int] = []

    @property
    def told_nothing(self) -> bool:
        return not (self.resumed_from or self.begun_anew or self.left)

    def batch_done(self, epoch: int, *_: Any) -> None:
        if self.batch and epoch > self.after:
            raise Cut

    def epoch_done(self, progress: Any) -> None:
        super().epoch_done(progress)
        self.epochs.append(progress.history[-1].number)
        if not self.batch and self.epochs[-1] == self.after:
            raise Cut

    def resumed(self, epochs: int) -> None:
        self.resumed_from.append(epochs)

    def anew(self, where: Any, changed: Any) -> None:
        self.begun_anew.append((where.name, *changed))

    def finished(self, path: Path) -> None:
        self.left.append(path.name)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return class_folders(tmp_path_factory.mktemp("resumed") / "i", {"a": 9, "b": 7})


def order(images: Path, output: Path, **changes: Any) -> TrainConfig:
    return replace(TrainConfig(images, output, epochs=3, batch_size=4), **changes)


def cut(given: TrainConfig, *, after: int, batch: bool = False) -> None:
    with pytest.raises(Cut):
        train(given, CPU, Cutting(after, batch))


ORDERS: dict[str, dict[str, Any]] = {
    "plain": {"augment": "light"},
    "patience": {"augment": "none", "lr": 1e-12, "patience": 2, "epochs": 9},
    "snapshots": {"augment": "strong", "checkpoint_epochs": (1, 3), "class_weights": "balanced"},
    "dropout": {"augment": "d4", "arch": "squeezenet1_1", "weights": "none", "size": "32"},
    "frozen": {"augment": "light", "freeze": "features.0", "head": "cam", "seed": 3},
}


@pytest.mark.parametrize("name", represented(ORDERS, by=("plain", "snapshots", "dropout")))
def test_it_goes_on_to_the_same_bytes(name: str, images: Path, tmp_path: Path) -> None:
    whole = order(images, tmp_path / "whole" / "m.pt", **ORDERS[name])
    watched = Cutting()
    train(whole, CPU, watched)
    for after, batch in ((1, False), (watched.epochs[-2], True), (watched.epochs[-1], False)):
        given = replace(whole, output=tmp_path / f"{after}{batch}" / "m.pt")
        cut(given, after=after, batch=batch)
        seen = Cutting()
        result = train(given, CPU, seen)
        assert (seen.resumed_from, seen.begun_anew) == ([after], [])
        assert seen.epochs == watched.epochs[after:] and not result.interrupted
        assert all(same(*pair) for pair in zip(seen.states, watched.states[after:], strict=True))
        names = sorted(path.name for path in given.output.parent.iterdir())
        assert names == sorted(path.name for path in whole.output.parent.iterdir()) and "m.part.pt" not in names
        for path in map(given.output.with_name, names):
            assert path.read_bytes() == whole.output.with_name(path.name).read_bytes()


def test_what_lies_there_before_changes_nothing(images: Path, tmp_path: Path) -> None:
    trained(images, tmp_path / "m.pt", seed=4)
    for name in ("m.pt", "n.pt"):
        train(order(images, tmp_path / name), CPU, Cutting())
    assert (tmp_path / "m.pt").read_bytes() == (tmp_path / "n.pt").read_bytes()


def test_it_goes_on_as_often_as_it_is_cut(images: Path, tmp_path: Path) -> None:
    given = order(images, tmp_path / "m.pt")
    for after in (1, 2):
        cut(given, after=after, batch=after == 2)
    train(given, CPU, seen := Cutting())
    assert (seen.resumed_from, seen.begun_anew) == ([2], []) and seen.epochs == [3]
    train(replace(given, output=tmp_path / "whole.pt"), CPU, Cutting())
    assert (tmp_path / "m.pt").read_bytes() == (tmp_path / "whole.pt").read_bytes()


CHANGES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "epochs": ({"epochs": 3}, {"epochs 3 instead of 2"}),
    "rate": ({"lr": 0.002}, {"learning rate 0.002 instead of 0.01"}),
    "augment": ({"augment": "none", "patience": 9}, {"augment none instead of light", "patience 9 instead of 10"}),
    "freeze": ({"freeze": "features.0"}, {"frozen features.0 instead of nothing", "the frozen layers"}),
    "size": ({"size": "30"}, {"how pictures are read"}),
    "seed": (
        {"seed": 1},
        {
            "seed 1 instead of 0",
            "the initial weights",
            "how pictures are read",
            "the images for training",
            "the images for validation",
        },
    ),
    "weights": (
        {"weights": "first.pt"},
        {
            "initialized from first.pt instead of random initialization",
            "learning rate 0.0003 instead of 0.01",
            "the initial weights",
        },
    ),
}


def begun_anew(given: TrainConfig) -> set[str]:
    """What a training says has changed, which begins anew and ends as one that found nothing there."""
    train(given, CPU, seen := Cutting())
    fresh = replace(given, output=given.output.parent / "fresh" / "m.pt")
    train(fresh, CPU, whole := Cutting())
    assert seen.epochs == whole.epochs and given.output.read_bytes() == fresh.output.read_bytes()
    assert not given.output.with_name("m.part.pt").exists()
    ((name, *changed),) = seen.begun_anew
    assert name == "m.part.pt" and len(changed) == len(set(changed))
    return set(changed)


@pytest.mark.parametrize("name", CHANGES)
def test_another_training_begins_anew_and_says_what_has_changed(
    name: str, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    changes, said = CHANGES[name]
    if "weights" in changes:
        trained(images, tmp_path / "first.pt", epochs=1)
    cut(order(images, tmp_path / "m.pt", epochs=2), after=1)
    assert begun_anew(order(images, tmp_path / "m.pt", **{"epochs": 2, **changes})) == said


def test_a_training_whose_snapshot_is_gone_begins_anew(images: Path, tmp_path: Path) -> None:
    given = order(images, tmp_path / "m.pt", epochs=2, checkpoint_epochs=(1,))
    cut(given, after=1)
    (tmp_path / "m.epoch-1.pt").unlink()
    assert begun_anew(given) == {"a snapshot is gone"}


def test_other_images_begin_anew(tmp_path: Path) -> None:
    folder = class_folders(tmp_path / "i", {"a": 9, "b": 7})
    cut(order(folder, tmp_path / "m.pt"), after=2)
    content = (folder / "a" / "0.png").read_bytes()
    (folder / "a" / "0.png").write_bytes((folder / "a" / "1.png").read_bytes())
    train(order(folder, tmp_path / "m.pt"), CPU, seen := Cutting())
    ((_, *changed),) = seen.begun_anew
    assert (
        seen.epochs == [1, 2, 3]
        and changed
        and set(changed)
        <= {
            "how pictures are read",
            "the images for training",
            "the images for validation",
        }
    )
    (folder / "a" / "0.png").write_bytes(content)
    train(order(folder, tmp_path / "n.pt"), CPU, Cutting())
    (folder / "a" / "0.png").rename(folder / "b" / "0.png.png")  # another label of the same picture
    train(order(folder, tmp_path / "n.pt"), CPU, seen := Cutting())
    assert seen.epochs == [1, 2, 3] and seen.told_nothing


def test_a_model_that_is_there_already_is_left_as_it_is(images: Path, tmp_path: Path) -> None:
    given = order(images, tmp_path / "m.pt", checkpoint_epochs=(2,))
    first = train(given, CPU, Cutting())
    written = (tmp_path / "m.pt").stat().st_mtime_ns
    (tmp_path / "m.part.pt").write_bytes((tmp_path / "m.epoch-2.pt").read_bytes())  # as if killed before it was removed
    found = train(given, CPU, seen := Cutting())
    assert seen.left == ["m.pt"] and seen.epochs == [] and (tmp_path / "m.pt").stat().st_mtime_ns == written
    assert not (tmp_path / "m.part.pt").exists() and found.model.training == first.model.training
    assert same(found.model.network.state_dict(), first.model.network.state_dict()) and not found.interrupted
    assert [each.name for each in found.judged] == [each.name for each in first.judged]
    for changes in ({"epochs": 5}, {"seed": 1, "checkpoint_epochs": ()}):
        train(replace(given, **changes), CPU, seen := Cutting())
        assert seen.told_nothing and seen.epochs
    train(given, CPU, Cutting())
    (tmp_path / "m.epoch-2.pt").unlink()
    train(given, CPU, seen := Cutting())
    assert seen.epochs == [1, 2, 3] and read_trained(tmp_path / "m.epoch-2.pt") is not None


def test_what_is_left_is_a_model_of_the_best_epoch(images: Path, tmp_path: Path) -> None:
    given = order(images, tmp_path / "m.pt", epochs=6)
    with pytest.raises(Cut):
        train(given, CPU, seen := Cutting(5))
    left = present(read_trained(tmp_path / "m.part.pt"))
    assert len(left.training.history) == 5 and same(
        left.network.state_dict(), seen.states[left.training.best_epoch - 1]
    )


@pytest.mark.parametrize("damage", ["optimizer", "schedule", "random", "state", "parts"])
def test_what_was_kept_and_is_damaged_is_refused_in_one_line(damage: Any, images: Path, tmp_path: Path) -> None:
    given, part = order(images, tmp_path / "m.pt"), tmp_path / "m.part.pt"
    cut(given, after=2)
    content = torch.load(part, weights_only=True)
    content["resume"][damage] = [1, 2] if damage != "state" else {"classifier.bias": torch.zeros(3)}
    torch.save(content, part)
    if damage == "parts":
        train(given, CPU, seen := Cutting())
        assert seen.begun_anew == [("m.part.pt", "what it was initialized from isn't known")]
        return
    with pytest.raises(BadRequest, match=r"m.part.pt: what it keeps of a training is damaged \(.+\). Remove it"):
        train(given, CPU, Cutting())
    part.unlink()
    train(given, CPU, Cutting())
