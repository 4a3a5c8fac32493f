"""A classifier of transformers with weights that lie beside its configuration."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cnnvis_report.data.image_file import several
from cnnvis_report.errors import BadRequest, brief, told
from cnnvis_report.isolation.user_code import redirect_user_output
from cnnvis_report.models.checkpoints.candidates import State
from cnnvis_report.models.hugging_face.config import check_size
from cnnvis_report.models.timm_models.network import quiet

PIXELS = "pixel_values"
LISTED = 4


def load_network(folder: Path, kind: Any, config: Any, state: State) -> nn.Module:
    """The network, with every tensor from the weights.

    Args:
        kind: the class of transformers. config: as transformers has it.

    Raises:
        BadRequest: it can't be built, is no network of pictures alone, or the weights are another's.
    """
    with silent():
        try:
            with torch.device("meta"):
                plain = kind(config)
        except Exception as error:  # settings that don't go together
            raise BadRequest(f"{folder}: transformers can't build {kind.__name__} ({told(error)}).") from error
        check_size(folder, plain.state_dict(), state)
        _check_inputs(folder, plain, kind)
        try:
            with torch.random.fork_rng(devices=[]):
                network, report = kind.from_pretrained(
                    None, config=config, state_dict=state, output_loading_info=True, dtype=torch.float32
                )
        except Exception as error:
            raise BadRequest(f"{folder}: {_mismatch(plain, state) or brief(error)}") from error
    missing = sorted(map(str, report["missing_keys"]))
    if missing:
        raise BadRequest(
            f"{folder}: the weights are of another network: {len(missing)} missing "
            f"({', '.join(missing[:LISTED])}{', …' if len(missing) > LISTED else ''})."
        )
    loaded: nn.Module = network
    return loaded


def unused(network: nn.Module, state: State) -> tuple[str, ...]:
    """What a user has to know of tensors that are no part of the network, a sentence."""
    expected = network.state_dict()
    left = [name for name in state if name not in expected]
    # older versions called some tensors otherwise; transformers renames them, and all of the network's are there
    if not left or len(state) - len(left) < len(expected):
        return ()
    return (f"The weights hold {len(left)} tensors beside: {', '.join(left[:3])}{', …' if len(left) > 3 else ''}.",)


@contextmanager
def silent() -> Iterator[None]:
    """While it is open, transformers says nothing, shows no bars and fetches nothing."""
    from huggingface_hub import constants
    from transformers.utils import logging

    bars, offline = logging.is_progress_bar_enabled(), constants.HF_HUB_OFFLINE
    logging.disable_progress_bar()
    constants.HF_HUB_OFFLINE = True  # a configuration may name a backbone, which transformers looks for on the hub
    try:
        with quiet(), redirect_user_output():
            yield
    finally:
        constants.HF_HUB_OFFLINE = offline
        if bars:
            logging.enable_progress_bar()


def _check_inputs(folder: Path, network: Any, kind: Any) -> None:
    """Refuse a network that wants something else than pictures."""
    wanted = getattr(network, "main_input_name", PIXELS)
    if wanted != PIXELS:
        raise BadRequest(f"{folder}: {kind.__name__} reads {wanted}; networks that read pictures can be explained.")
    names = kind.forward.__code__.co_varnames[: kind.forward.__code__.co_argcount]
    beside = [name for name in names if name in ("spatial_shapes", "input_ids", "bool_masked_pos")]
    if beside:
        raise BadRequest(f"{folder}: {kind.__name__} reads {' and '.join(beside)} beside pictures, which isn't given.")


def _mismatch(plain: nn.Module, state: State) -> str:
    """Which tensors have another shape; empty where none has."""
    odd = [
        f"{name} {'×'.join(map(str, state[name].shape))} for {'×'.join(map(str, value.shape))}"
        for name, value in plain.state_dict().items()
        if name in state and state[name].shape != value.shape
    ]
    return f"the weights are of another network: {several(odd, LISTED)}." if odd else ""
