"""What `explain` is called with, as other libraries are called too: understood, or refused in one line."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnvis_report.data.preprocessing.preprocessing import Preprocessing
from cnnvis_report.errors import BadRequest
from cnnvis_report.isolation.eager import unwrap_inside, unwrapped
from cnnvis_report.pipeline.config import PreprocessingConfig, RunConfig

Targets = Tensor | np.ndarray[Any, Any] | Sequence[int] | Sequence[Sequence[int]] | int | None
Layer = str | nn.Module | Sequence[str | nn.Module] | None
Constants = float | Sequence[float] | Tensor | None


def check_network(module: object) -> None:
    """Refuse what is no module."""
    if isinstance(module, nn.Module):
        return
    if isinstance(module, type) and issubclass(module, nn.Module):
        raise BadRequest(f"{module.__name__} is a class; give a network of it, {module.__name__}(…).")
    if type(module).__name__ == "ExportedProgram":
        raise BadRequest("An ExportedProgram has no modules; give torch.export.unflatten(program).")
    raise BadRequest(f"{_kind(module)} isn't a torch.nn.Module; wrap it in one, whose forward gives N×classes scores.")


def check_images(images: object) -> Tensor:
    """The images, once they are known to be [N, C, H, W] numbers.

    Raises:
        BadRequest: saying what they are, and what to do.
    """
    if not isinstance(images, Tensor):
        how = " (torch.from_numpy(images).float(), channels first)" if isinstance(images, np.ndarray) else ""
        how = " (torch.stack(images))" if isinstance(images, list | tuple) else how
        raise BadRequest(f"images are {_kind(images)}; a tensor N×C×H×W is needed{how}.")
    shape = "×".join(map(str, images.shape))
    if images.ndim == 3:
        raise BadRequest(
            f"images are {shape}, one image without a batch; N×C×H×W of floating point is needed: images[None]."
        )
    if images.ndim == 5:
        raise BadRequest(
            f"images are {shape}, as of videos or volumes; N×C×H×W is explained. Fold time or depth into the channels, "
            f"images.flatten(1, 2), and explain a module that unfolds them, images.unflatten(1, (channels, -1))."
        )
    if images.ndim != 4 or not images.numel():
        raise BadRequest(f"images are {images.dtype} {list(images.shape)}; N×C×H×W of floating point is needed.")
    if not images.is_floating_point():
        raise BadRequest(
            f"images are {images.dtype} {list(images.shape)}; N×C×H×W of floating point is needed, normalized as the "
            f"network expects."
        )
    bad = [row for row, image in enumerate(images) if not bool(image.isfinite().all())]
    if bad:
        raise BadRequest(f"images[{bad[0]}] holds values that aren't finite; {len(bad)} of {len(images)} images do.")
    return images.detach()


def check_reference(reference: object, images: Tensor) -> None:
    """Refuse images to compare with that aren't [M, C, H, W] with the channels of the images."""
    if reference is None:
        return
    if not isinstance(reference, Tensor):
        raise BadRequest(f"reference is {_kind(reference)}; a tensor M×{images.shape[1]}×H×W is needed.")
    if reference.ndim != 4 or reference.shape[1] != images.shape[1] or not len(reference):
        raise BadRequest(f"reference is {list(reference.shape)}; M×{images.shape[1]}×H×W is needed.")


def check_target(target: object) -> None:
    """Refuse what can't be called with the network's output."""
    if target is not None and (isinstance(target, type) or not callable(target)):
        what = "class indices are given as targets" if isinstance(target, int | Tensor | list | tuple) else ""
        what = what or "a function of the network's output is needed"
        raise BadRequest(f"target is {_kind(target)}; {what}.")


def columns_of(targets: Targets, images: Tensor) -> Tensor | None:
    """[N, K] class indices on the images' device; None for the predicted class of each image.

    Raises:
        BadRequest: the targets are something else.
    """
    if targets is None:
        return None
    columns = _indices(targets, images)
    if columns.ndim == 0:
        columns = columns.expand(len(images))
    if columns.ndim not in (1, 2) or len(columns) != len(images) or not columns.numel():
        raise BadRequest(
            f"targets are {columns.dtype} {list(columns.shape)} for {len(images)} images; "
            f"N whole numbers are needed, or N×K for K classes, or one for all."
        )
    if int(columns.min()) < 0:
        raise BadRequest(f"Target {int(columns.min())} isn't a class index.")
    return columns.long().reshape(len(images), -1)


def has_columns(targets: Targets) -> bool:
    """Whether there are several classes per image, so that maps have an axis for them."""
    return targets is not None and torch.as_tensor(targets).ndim == 2


def check_columns(columns: Tensor, classes: int, name: str, hint: str = "") -> None:
    """Refuse classes that the network hasn't, and rows that say in ones and zeros which class it is.

    Args:
        hint: what is possible beside that, a sentence.
    """
    if bool((columns >= classes).any()):
        raise BadRequest(f"Target {int(columns.max())} isn't a class: {name} has {classes}.{hint and ' '}{hint}")
    onehot = columns.shape[1] == classes > 2 and bool(((columns == 0) | (columns == 1)).all())
    if onehot and bool((columns.sum(dim=1) == 1).all()):
        raise BadRequest("targets are rows with a single 1; class indices are needed: targets.argmax(dim=1).")


def layer_name(layer: Layer, module: nn.Module) -> str:
    """The name of the layer that was given, by its name or as the module itself; empty where none was.

    Raises:
        BadRequest: it is no part of the network, or there are several.
    """
    if isinstance(layer, list | tuple):
        if len(layer) > 1:
            raise BadRequest(f"layer has {len(layer)} entries; one at a time is read: call explain once for each.")
        layer = layer[0] if layer else None
    if layer is None:
        return ""
    network = unwrapped(module)
    if isinstance(layer, str):
        wrappers = ("module.", "_orig_mod.") if network is not module else ()
        while layer.startswith(wrappers):
            layer = layer.partition(".")[2]
        return layer
    if not isinstance(layer, nn.Module):
        raise BadRequest(f"layer is {_kind(layer)}; the name of a layer or a module of the network is needed.")
    undo = unwrap_inside(network)
    try:
        names = {part: name for name, part in network.named_modules()}
    finally:
        undo()
    name: str | None = names.get(unwrapped(layer))
    if not name:
        what = "the whole network" if name == "" else f"no part of the {type(network).__name__}"
        raise BadRequest(f"layer is a {type(layer).__name__} that is {what}; give one of its layers, or a name.")
    return name


def config_of(model: str = "module", **settings: object) -> RunConfig:
    """What the arguments that are settings of a run, too, ask for, checked as those are.

    Args:
        model: what the network is called.
        settings: by name; tensors, arrays and sets stand for lists of what they hold.

    Raises:
        BadRequest: a value isn't of its setting's kind.
    """
    return RunConfig.of(model, **{name: _plain(value) for name, value in settings.items()})


def preprocessing_of(config: PreprocessingConfig, channels: int) -> Preprocessing:
    """The constants of the normalization; the identity where they aren't given.

    Raises:
        BadRequest: they aren't one number per channel, or a std isn't above 0.
    """
    mean, std = _constants("mean", config.mean or (0.0,), channels), _constants("std", config.std or (1.0,), channels)
    if min(std) <= 0:
        raise BadRequest(f"std is {list(std)}; each number has to be above 0.")
    return Preprocessing(mean, std)


def check_on_error(on_error: object) -> None:
    """Refuse what isn't said of methods that aren't applicable."""
    if on_error not in ("raise", "skip"):
        raise BadRequest(f"on_error is {on_error!r}; it can be 'raise' or 'skip'.")


def _indices(targets: object, images: Tensor) -> Tensor:
    """Whole numbers as a tensor."""
    first = targets[0] if isinstance(targets, list | tuple) and targets else targets
    if isinstance(first, str):
        raise BadRequest(f"targets are names such as {first!r}; class indices are needed.")
    try:
        indices = torch.as_tensor(targets, device=images.device)
    except (TypeError, ValueError, RuntimeError):
        raise BadRequest(
            f"targets are {_kind(first)}{' or more' if first is not targets else ''}, no class indices; "
            f"N whole numbers are needed, or N×K for K classes, or one for all."
        ) from None
    if indices.is_floating_point() or indices.is_complex() or indices.dtype == torch.bool:
        raise BadRequest(
            f"targets are {indices.dtype} {list(indices.shape)} for {len(images)} images; "
            f"N whole numbers are needed, or N×K for K classes, or one for all."
        )
    return indices


def _plain(value: object) -> object:
    """A value as a settings file would have it: a tensor, an array or a set as a list."""
    if isinstance(value, Tensor | np.ndarray):
        return value.flatten().tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(entry) for entry in value]
    return value


def _constants(name: str, numbers: tuple[float, ...], channels: int) -> tuple[float, ...]:
    """One number a channel; a single one is for all."""
    if len(numbers) not in (1, channels):
        raise BadRequest(f"{name} has {len(numbers)} numbers and the images {channels} channels; one each is needed.")
    return numbers if len(numbers) == channels else numbers * channels


def _kind(value: object) -> str:
    """What something is, with an article."""
    if value is None:
        return "None"
    name = "function" if callable(value) and hasattr(value, "__code__") else type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"
