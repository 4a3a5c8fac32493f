"""The same network, trained on permuted labels: for the data randomization test of maps (Adebayo et al. 2018)."""

from dataclasses import replace

import torch
from torch import nn

from cnnvis_report.records.training import Score
from cnnvis_report.training.epochs import EpochProgress
from cnnvis_report.training.loop import fit
from cnnvis_report.training.progress import TrainProgress
from cnnvis_report.training.state import BY_HAND, Hyperparameters, TrainState
from cnnvis_report.training.tensors import Pictures

SEED_STEP = 7919  # apart from the draws of the training on the labels themselves


def permute_labels(pictures: Pictures, seed: int) -> Pictures:
    """The same pictures, their labels dealt anew: each class has as many as before."""
    generator = torch.Generator().manual_seed(seed + SEED_STEP)
    order = torch.randperm(len(pictures), generator=generator)
    return replace(pictures, targets=pictures.targets[order])


def fit_permuted(
    network: nn.Module,
    training: Pictures,
    hyperparameters: Hyperparameters,
    seed: int,
    device: torch.device,
    progress: TrainProgress,
) -> Score | None:
    """Train a network on permuted labels, for all epochs, and keep the one that fits the most of them.

    No other image can tell which epoch is the best: what is learned holds for the images of the training alone.

    Args:
        network: as it was before the training on the labels themselves; it is left in eval mode with the weights of
            the epoch that is kept.

    Returns:
        How it does on the permuted labels of the same images; None where Ctrl-C ended it.

    Raises:
        RunFailed: the loss isn't finite in the first epoch, or the network fails on an image.

    Source: Adebayo et al. 2018, arXiv:1810.03292, data randomization test.
    """
    progress.permuted(hyperparameters.epochs)
    permuted = permute_labels(training, seed)
    patient = replace(hyperparameters, patience=0)
    state = fit(network, permuted, permuted, patient, device, _Permuted(progress))
    if state.stopped == BY_HAND:
        return None
    return Score(state.chosen.validation_accuracy, state.chosen.validation_loss, len(permuted))


class _Permuted(EpochProgress):
    """Tells a training's progress of these epochs, which are none of the training's own."""

    def __init__(self, progress: TrainProgress) -> None:
        self._progress = progress
        self.batch_done = progress.batch_done  # type: ignore[method-assign]

    def epoch_done(self, state: TrainState) -> None:
        """One of these epochs is through."""
        self._progress.permuted_epoch_done(state)
