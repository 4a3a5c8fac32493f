"""Models of Keras with random weights, and what a converted network has in common with them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cnnvis_report.models.keras.convert import convert
from cnnvis_report.models.keras.library import keras_library, outputs_of
from cnnvis_report.models.load import load_model
from cnnvis_report.models.model import Model

keras = keras_library()
layers = keras.layers


def filled(model: Any, seed: int = 0) -> Any:
    """The model with random weights, those of statistics among them; variances stay above 0."""
    generator = np.random.default_rng(seed)
    for variable in model.weights:
        if "seed" in variable.name:
            continue
        numbers = generator.normal(0, 0.3, variable.shape)
        variable.assign(np.abs(numbers) + 0.5 if "variance" in variable.path else numbers)
    return model


def chain(parts: Sequence[Any], shape: tuple[int | None, ...] = (13, 11, 5)) -> Any:
    """A Sequential of layers on images of a shape in Keras's order."""
    return filled(keras.Sequential([keras.Input(shape), *parts]))


def graph(build: Callable[[Any], Any], shape: tuple[int | None, ...] = (13, 11, 5)) -> Any:
    """A functional model that a function makes of its input."""
    images = keras.Input(shape)
    return filled(keras.Model(images, build(images)))


def pictures(channels: int, size: tuple[int, int], count: int = 2) -> Tensor:
    return torch.randn(count, channels, *size, generator=torch.Generator().manual_seed(1))


def difference(model: Any, images: Tensor) -> float:
    """How far a converted network is from Keras, relative to the largest output."""
    conversion = convert(model)
    with torch.no_grad():
        expected = outputs_of(model, conversion, reverse=False)(images)
        actual = conversion.network.eval()(images)
    assert expected.shape == actual.shape
    return float((expected - actual).abs().max() / expected.abs().max())


def loaded_difference(path: Path, **options: Any) -> tuple[Model, float]:
    """A model that was loaded from a file, and how far it is from its original on random pictures."""
    model = load_model(str(path), **options)
    assert model.original is not None and model.preprocessing.size is not None
    images = model.preprocessing.normalize(torch.rand(2, model.preprocessing.channels, *model.preprocessing.size))
    with torch.no_grad():
        expected = model.original.outputs(images)
        actual = model.original.ending(model.network.eval()(images))
    return model, float((expected - actual).abs().max() / expected.abs().max())
