"""Keras itself, with PyTorch under it: builds a model, fills it with its weights, and runs it."""

import os
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from cnnvis_report.errors import BadRequest, CnnVisError, brief, told
from cnnvis_report.models.keras.convert import Conversion

LARGEST_TENSOR = 1 << 29  # numbers; the largest layer of VGG has a fifth of it
BACKEND = "KERAS_BACKEND"
BOLD = re.compile("\x1b\\[1m(.+?)\x1b\\[0m", re.DOTALL)


def keras_library() -> Any:
    """Import Keras with PyTorch under it.

    Raises:
        BadRequest: another library is under it, or it is too old.
    """
    module = sys.modules.get("keras")
    if module is None:
        chosen = os.environ.setdefault(BACKEND, "torch")
        if chosen != "torch":
            raise BadRequest(f"{BACKEND} is {chosen!r}, and Keras is read with PyTorch under it: set {BACKEND}=torch.")
        if version("keras").startswith("2."):
            raise BadRequest(f"Keras {version('keras')} is installed, and 3.5 or later is needed: pip install -U keras")
    import keras

    if keras.backend.backend() != "torch":
        raise BadRequest(
            f"Keras is imported already, with {keras.backend.backend()} under it, and is read with PyTorch under it: "
            f"set {BACKEND}=torch before anything imports it."
        )
    return keras


class SizeLimit(TorchFunctionMode):
    """While it is open, no tensor is larger than that of any network: a description may claim anything."""

    def __torch_function__(
        self, function: Callable[..., Any], types: Sequence[type], args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        """Run the function, and look at what it makes."""
        result = function(*args, **(kwargs or {}))
        if isinstance(result, Tensor) and result.numel() > LARGEST_TENSOR:
            raise BadRequest(f"it makes a tensor of {' × '.join(map(str, result.shape))} numbers.")
        return result


@contextmanager
def _speaking_for(path: Path, what: str) -> Iterator[None]:
    """While it is open, whatever Keras says is one line, and its warnings are nobody's."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except CnnVisError as error:
        raise BadRequest(f"{path}: {error}") from error
    except Exception as error:  # Keras raises whatever a value leads to
        raise BadRequest(f"{path}: Keras can't {what} ({_reason(error)}).") from error


def _reason(error: Exception) -> str:
    """What went wrong: Keras sets it in bold below a line on where, or puts it behind all that it was called with."""
    bold = BOLD.search(str(error))
    last = str(error).rpartition("Exception encountered: ")[2]
    return brief(ValueError(bold[1])) if bold else told(error) if last == str(error) else brief(ValueError(last))


def build_model(config: dict[str, Any], path: Path) -> Any:
    """A model of Keras from a description that was checked; its weights are zeros.

    Raises:
        BadRequest: Keras can't build it, or it would be far larger than any network.
    """
    keras = keras_library()
    with _speaking_for(path, "build its network"), keras.device("cpu"), SizeLimit():
        return keras.saving.deserialize_keras_object(config, safe_mode=True)


def load_weights(model: Any, weights: Path, path: Path) -> None:
    """Fill a model with the weights of an HDF5 file; messages are about `path`.

    Raises:
        BadRequest: they don't fit, or there are far fewer than the description claims.
    """
    count = sum(variable.value.numel() for variable in model.weights)
    size = weights.stat().st_size
    if count > 2 * size:  # compressed ones of half precision are smaller by less
        raise BadRequest(f"{path}: {size:,} bytes can't hold the {count:,} weights that the network has.")
    keras = keras_library()
    with _speaking_for(path, "read its weights"), keras.device("cpu"):
        model.load_weights(str(weights))


def load_trusted(path: Path) -> Any:
    """A whole model as Keras itself loads it, which runs the programs in it."""
    keras = keras_library()
    with _speaking_for(path, "load it"), keras.device("cpu"):
        keras.config.enable_unsafe_deserialization()
        return keras.saving.load_model(str(path), compile=False, safe_mode=False)


def outputs_of(model: Any, conversion: Conversion, *, reverse: bool) -> Callable[[Tensor], Tensor]:
    """What Keras computes of normalized images [N, C, H, W].

    Args:
        conversion: in which order Keras has its images and its result. reverse: whether its channels are blue, green,
            red.
    """
    images_order, result_order = conversion.images.order, conversion.result.order
    in_keras = tuple(images_order.index(axis) for axis in range(len(images_order)))

    def outputs(images: Tensor) -> Tensor:
        keras = keras_library()
        images = images.flip(1) if reverse else images
        with warnings.catch_warnings(), torch.no_grad(), keras.device("cpu"):
            warnings.simplefilter("ignore")
            result: Tensor = model(images.permute(in_keras), training=False)
        return result.permute(result_order)

    return outputs
