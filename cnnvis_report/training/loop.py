"""Training epoch by epoch, and the choice of the best one by the images for validation."""

import math

import torch
from torch import nn

from cnnvis_report.errors import RunFailed
from cnnvis_report.models.checkpoints.state_versions import put_tensors
from cnnvis_report.records.training import Epoch
from cnnvis_report.training.epochs import EpochProgress, Epochs, listed
from cnnvis_report.training.state import BY_HAND, Hyperparameters, TrainState
from cnnvis_report.training.tensors import Pictures

GAIN = 1e-3  # by which the loss has to fall, where the accuracy doesn't rise, for an epoch to be worth waiting for


def fit(
    network: nn.Module,
    training: Pictures,
    validation: Pictures,
    hyperparameters: Hyperparameters,
    device: torch.device,
    progress: EpochProgress,
) -> TrainState:
    """Train the network: AdamW under a one-cycle rate (Smith & Topin 2017, arXiv:1708.07120).

    Draws from PyTorch's own random numbers: the same seed gives the same weights on a CPU. Ctrl-C ends it, with the
    best epoch so far.

    Returns:
        What came of it; the network is left in eval mode with the weights of the best epoch.

    Raises:
        RunFailed: the loss isn't finite in the first epoch, or the network fails on an image.
    """
    state = TrainState()
    epochs = Epochs(network, training, hyperparameters, device)
    try:
        progress.begun(epochs, state)
        for number in range(len(state.history) + 1, hyperparameters.epochs + 1):
            state.stopped = _out_of_patience(state, hyperparameters.patience) or _epoch(
                number, epochs, validation, state, progress
            )
            if state.stopped:
                break
            progress.epoch_done(state)
    except KeyboardInterrupt:
        state.stopped = BY_HAND
    if state.weights:
        put_tensors(network, state.weights)
    elif epochs.failing:
        raise RunFailed(f"The loss isn't finite in the first epoch, with {listed(epochs.failing)}: leave it out.")
    elif state.stopped.startswith("the loss"):
        raise RunFailed(f"The loss isn't finite in the first epoch. Try a smaller --lr than {hyperparameters.rate:g}.")
    network.eval()
    return state


def _epoch(number: int, epochs: Epochs, validation: Pictures, state: TrainState, progress: EpochProgress) -> str:
    """Train for an epoch, and keep its weights if they are the best; why the training ends with it, if it does."""
    loss, accuracy = epochs.run(number, progress)
    held_out = epochs.score(validation) if math.isfinite(loss) else None
    if held_out is None or not math.isfinite(held_out.loss):
        images = f", with {listed(epochs.failing)}" if epochs.failing else ""
        return f"the loss wasn't finite in epoch {number}{images}"
    state.history.append(Epoch(number, loss, accuracy, held_out.loss, held_out.accuracy, epochs.rate))
    _keep_if_best(state, epochs.network)
    return ""


def _out_of_patience(state: TrainState, patience: int) -> str:
    waited = len(state.history) - _last_gain(state) if state.history else 0
    return f"nothing gained for {patience} epochs" if patience and state.history and waited >= patience else ""


def _keep_if_best(state: TrainState, network: nn.Module) -> None:
    latest = state.history[-1]
    if not state.best or _order(latest) > _order(state.chosen):
        state.best = latest.number
        state.weights = {name: value.detach().cpu().clone() for name, value in network.state_dict().items()}


def _order(epoch: Epoch) -> tuple[float, float]:
    return epoch.validation_accuracy, -epoch.validation_loss


def _last_gain(state: TrainState) -> int:
    """The last epoch that was better than all before it by more than noise."""
    last = state.history[0]
    for epoch in state.history[1:]:
        more = epoch.validation_accuracy - last.validation_accuracy
        if more > 0 or (more == 0 and epoch.validation_loss < last.validation_loss - GAIN):
            last = epoch
    return last.number
