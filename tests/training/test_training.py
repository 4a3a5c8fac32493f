"""Training: each step against a plain loop, the split, the choice of the epoch, and what must not change."""

import copy
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from cnnvis_report.errors import RunFailed
from cnnvis_report.training.epochs import EpochProgress
from cnnvis_report.training.loop import fit
from cnnvis_report.training.splits import split
from tests.training.trainings import (
    CPU,
    TARGETS,
    Watching,
    class_folders,
    hyperparameters,
    linear,
    pictures,
    ready,
    same,
    trained,
)


def test_training_is_adamw_under_one_cycle_step_by_step() -> None:
    training, validation = pictures(TARGETS), pictures(TARGETS[:9], seed=1)
    network = linear()
    twin, watching = copy.deepcopy(network), Watching(network)
    torch.manual_seed(5)
    progress = fit(network, training, validation, hyperparameters(), CPU, watching)
    torch.manual_seed(5)
    optimizer = torch.optim.AdamW(twin.parameters(), 0.02, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.02, total_steps=6)
    images = ready(training)
    for epoch, state in zip(progress.history, watching.states, strict=True):
        losses, right = [], 0
        order = torch.randperm(23)
        for places in (order[:12], order[12:]):  # a rest of seven would be a batch of its own; it is shared out
            scores = twin(images[places])
            loss = cross_entropy(scores, training.targets[places])
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            schedule.step()
            losses.append(loss.item() * len(places))
            right += int((scores.argmax(1) == training.targets[places]).sum())
        assert same(state, twin.state_dict())
        assert epoch.loss == pytest.approx(sum(losses) / 23, rel=1e-6) and epoch.accuracy == right / 23
        with torch.no_grad():
            scores = twin(ready(validation))
        assert epoch.validation_loss == pytest.approx(float(cross_entropy(scores, validation.targets)), rel=1e-5)
        assert epoch.validation_accuracy == int((scores.argmax(1) == validation.targets).sum()) / 9
    assert same(network.state_dict(), watching.states[progress.best - 1]) and not network.training


def test_the_rate_of_each_epoch_is_on_the_cycle() -> None:
    steps, largest = 6, 0.02

    def on_the_cycle(
        step: Any,
    ) -> Any:  # Smith & Topin: up to the largest in three tenths of the steps, then down, by cosines
        peak = 0.3 * steps - 1
        low, part = (
            (largest / 25, step / peak) if step <= peak else (largest / 25e4, 1 - (step - peak) / (steps - 1 - peak))
        )
        return low + (largest - low) * (1 - math.cos(math.pi * part)) / 2

    progress = fit(linear(), pictures(TARGETS), pictures(TARGETS[:9]), hyperparameters(), CPU, EpochProgress())
    for epoch in progress.history:  # of its last step, or of the one after it where there is one
        last = 2 * epoch.number - 1
        assert any(epoch.rate == pytest.approx(on_the_cycle(min(step, steps - 1))) for step in (last, last + 1))


def test_class_weights_weigh_loss_and_gradient() -> None:
    training = pictures([0] * 6 + [1] * 2 + [2])
    weights = torch.tensor([0.5, 1.5, 3.0])
    network = linear()
    start = copy.deepcopy(network)
    chosen = hyperparameters(epochs=1, batch_size=9, weights=weights)
    progress = fit(network, training, training, chosen, CPU, EpochProgress())
    inputs, counted = ready(training).flatten(1), weights[training.targets]
    with torch.no_grad():
        probabilities = start(inputs).softmax(1)
    own = probabilities[torch.arange(9), training.targets]
    assert progress.history[0].loss == pytest.approx(float((-own.log() * counted).sum() / counted.sum()), rel=1e-5)
    # of the mean over weights: weight × (probability − 1 for the own class) × input
    slopes = counted[:, None] * (probabilities - nn.functional.one_hot(training.targets, 3)) / counted.sum()
    torch.testing.assert_close(network[1].weight.grad, slopes.T @ inputs, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(network[1].bias.grad, slopes.sum(0), rtol=1e-4, atol=1e-6)


def test_balance_makes_classes_count_alike(tmp_path: Path) -> None:
    folder = class_folders(tmp_path / "i", {"a": 15, "b": 5, "c": 10})
    (result, seen), (plain, _) = (
        trained(folder, tmp_path / "m.pt", epochs=1, class_weights=each) for each in ("balanced", "none")
    )
    counts = torch.tensor([12, 4, 8])
    assert [each.training for each in result.model.training.counts] == counts.tolist()
    torch.testing.assert_close(seen.hyperparameters.weights, 24 / (3 * counts))
    assert [each.weight for each in result.model.training.counts] == pytest.approx([24 / 36, 2.0, 1.0], abs=1e-4)
    assert not same(result.model.network.state_dict(), plain.model.network.state_dict())


@pytest.mark.parametrize("freeze", ["features.2", "features.2.0", "backbone"])
def test_frozen_modules_stay_bit_for_bit(freeze: Any, tmp_path: Path) -> None:
    folder = class_folders(tmp_path / "i", {"a": 10, "b": 10})
    result, seen = trained(folder, tmp_path / "m.pt", freeze=freeze)
    after = result.model.network.state_dict()
    kept = ("features.",) if freeze == "backbone" else ("features.0.", "features.1.", f"{freeze}.")
    inside = {name for name in after if name.startswith(kept)}
    moved = {name for name in after if not torch.equal(after[name], seen.before[name])}
    assert any("running_mean" in name for name in inside) and moved == after.keys() - inside


def test_ctrl_c_keeps_the_best_so_far() -> None:
    class Stopping(Watching):
        def batch_done(self, epoch: int, *_: Any) -> None:
            if epoch == 3:
                raise KeyboardInterrupt

    network = linear()
    watching = Stopping(network)
    progress = fit(network, pictures(TARGETS), pictures(TARGETS[:9], seed=1), hyperparameters(epochs=9), CPU, watching)
    assert progress.stopped == "stopped by hand" and len(progress.history) == 2
    assert same(network.state_dict(), watching.states[progress.best - 1]) and not network.training
    order = [(epoch.validation_accuracy, -epoch.validation_loss) for epoch in progress.history]
    assert order[progress.best - 1] == max(order)


def test_it_stops_when_nothing_is_gained() -> None:
    for patience, epochs, said in ((4, 5, "nothing gained for 4 epochs"), (0, 12, ""), (11, 12, "")):
        still = hyperparameters(epochs=12, rate=1e-12, patience=patience)
        progress = fit(linear(), pictures(TARGETS), pictures(TARGETS[:9]), still, CPU, EpochProgress())
        assert len(progress.history) == epochs and progress.stopped == said


def test_weights_that_diverge_end_with_the_best_before() -> None:
    class Spoiling(Watching):
        def batch_done(self, epoch: int, *_: Any) -> None:
            if epoch == 2:
                self.network[1].weight.data.fill_(math.nan)

    watching = Spoiling(network := linear())
    progress = fit(network, pictures(TARGETS), pictures(TARGETS), hyperparameters(epochs=5), CPU, watching)
    assert progress.stopped == "the loss wasn't finite in epoch 2" and progress.best == len(progress.history) == 1
    assert same(network.state_dict(), watching.states[0])
    with pytest.raises(RunFailed, match=r"isn't finite in the first epoch. Try a smaller --lr than 1e\+37"):
        fit(
            linear(),
            pictures(TARGETS),
            pictures(TARGETS),
            hyperparameters(rate=1e37, batch_size=2),
            CPU,
            EpochProgress(),
        )


def test_an_epoch_whose_last_step_diverged_is_never_the_best() -> None:
    network, steps = linear(), iter(range(1, 99))

    class Spoiling(EpochProgress):  # the loss of the last batch is taken before its step
        def batch_done(self, epoch: int, share: Any, loss: Any, accuracy: Any) -> None:
            if next(steps) == 2:
                network.get_parameter("1.weight").data.fill_(math.nan)

    with pytest.raises(RunFailed, match="isn't finite in the first epoch"):
        fit(network, pictures(TARGETS), pictures([0] * 9), hyperparameters(epochs=5), CPU, Spoiling())


def test_each_class_is_split_by_its_share_and_by_the_seed_alone() -> None:
    targets = [0] * 10 + [1] * 5 + [2] * 2 + [3] * 38
    names = ("a", "b", "c", "d")
    for seed in range(5):
        training, validation = split(targets, names, 0.2, seed)
        assert sorted(training + validation) == list(range(55))
        assert [sum(targets[at] == each for at in validation) for each in range(4)] == [2, 1, 1, 8]
        assert split(targets, names, 0.2, seed) == (training, validation)
        assert [sum(targets[at] == each for at in split(targets, names, 0.9, seed)[0]) for each in range(4)] == [
            1,
            1,
            1,
            4,
        ]
    # by chance: over many seeds each image of a class comes to validation as often as its share
    often = np.bincount([at for seed in range(400) for at in split(targets, names, 0.2, seed)[1]], minlength=55)
    assert np.abs(often[:10] - 80).max() < 4 * math.sqrt(400 * 0.2 * 0.8)


def test_the_test_set_chooses_nothing_and_is_counted_apart(tmp_path: Path) -> None:
    folder = class_folders(tmp_path / "i", {"a": 12, "b": 12})
    others = class_folders(tmp_path / "t", {"b": 5, "a": 3}, first=100)  # brighter the other way round
    plain, _ = trained(folder, tmp_path / "m.pt", epochs=3)
    with_test, seen = trained(folder, tmp_path / "t.pt", epochs=3, test=others)
    network, record = with_test.model.network, with_test.model.training
    assert same(network.state_dict(), plain.model.network.state_dict())
    assert record.history == plain.model.training.history and record.best_epoch == plain.model.training.best_epoch
    with torch.no_grad():
        for part, score in ((seen.data.test, record.test), (seen.data.validation, record.validation)):
            scores = network(ready(part))
            assert score.accuracy == int((scores.argmax(1) == part.targets).sum()) / len(part)
            assert score.loss == pytest.approx(float(cross_entropy(scores, part.targets)), rel=1e-4)
    assert plain.model.training.test is None and record.test.images == 8 and len(with_test.judged) == 8
    chosen = record.history[record.best_epoch - 1]
    assert (record.validation.accuracy, record.validation.loss) == (chosen.validation_accuracy, chosen.validation_loss)


@pytest.mark.parametrize("color", [True, False])
def test_pictures_that_are_decoded_each_time_train_the_same(
    color: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = class_folders(tmp_path / "i", {"a": 12, "b": 12}, color=color)
    kept, first = trained(folder, tmp_path / "m.pt", augment="strong", size="24x32")
    monkeypatch.setattr("cnnvis_report.training.tensors.KEPT_UP_TO", 0)
    decoded, second = trained(folder, tmp_path / "n.pt", augment="strong", size="24x32")
    assert first.data.training.stored is not None and second.data.training.stored is None
    order = torch.split(torch.randperm(20), 6)
    for one, other in zip(first.data.training.batches(order), second.data.training.batches(order), strict=True):
        assert torch.equal(one[0], other[0]) and torch.equal(one[1], other[1])
    assert (tmp_path / "m.pt").read_bytes() == (tmp_path / "n.pt").read_bytes()
    assert one[0].shape[1:] == (3 if color else 1, 24, 32)
    assert same(kept.model.network.state_dict(), decoded.model.network.state_dict())
