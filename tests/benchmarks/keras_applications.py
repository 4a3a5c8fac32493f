"""Every family of keras.applications, converted: how far from Keras, how fast, and which quick methods run.

    python -m tests.benchmarks.keras_applications [NAME ...]

Random weights and small images; one thread. Speeds are processor times of Keras over those of the network, which take
turns: of Keras's call of the model, which is the faster, and of its `predict_on_batch`. The default layer stands behind
them. NASNet can't be built by Keras with PyTorch under it.
"""

import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch

from cnnvis_report import explain
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import CnnVisError
from cnnvis_report.models.keras.library import keras_library
from cnnvis_report.models.load import load_model

SIDES = {  # pixels: at least two positions a side at the end, at which layers are told apart
    "VGG16": 64,
    "VGG19": 64,
    "ResNet50": 64,
    "ResNet101": 64,
    "ResNet50V2": 64,
    "MobileNet": 64,
    "MobileNetV2": 64,
    "MobileNetV3Small": 64,
    "MobileNetV3Large": 64,
    "DenseNet121": 64,
    "DenseNet169": 64,
    "EfficientNetB0": 64,
    "EfficientNetB3": 64,
    "EfficientNetV2B0": 64,
    "EfficientNetV2S": 64,
    "ConvNeXtTiny": 64,
    "InceptionV3": 150,
    "InceptionResNetV2": 150,
    "Xception": 96,
}
METHODS = ("gradient", "grad_cam", "cam", "layer_cam", "hires_cam", "guided_backprop", "deconvnet", "lrp_composite")


def ratios(ours: Callable[[], Any], *theirs: Callable[[], Any], rounds: int = 5) -> list[float]:
    """The shortest processor time of each of theirs over ours, which run in turns."""
    times: list[list[float]] = [[] for _ in range(1 + len(theirs))]
    for turn in range(rounds + 1):
        for run, mine in zip((ours, *theirs), times, strict=True):
            start = time.process_time()
            run()
            if turn:  # the first time is spent on what is set up once
                mine.append(time.process_time() - start)
    return [min(other) / min(times[0]) for other in times[1:]]


def speeds(network: Any, original: Any, model: Any, images: torch.Tensor) -> list[float]:
    """Keras's call and its prediction over the network, for one image and for all."""
    result = []
    for count in (1, len(images)):
        some = images[:count]
        pixels = some.permute(0, 2, 3, 1).numpy()
        with torch.no_grad():
            result += ratios(
                partial(network, some), partial(original.outputs, some), partial(model.predict_on_batch, pixels)
            )
    return result


def row(name: str, side: int, folder: Path) -> str:
    """What was measured of one architecture, as a line of a table."""
    keras = keras_library()
    keras.utils.set_random_seed(0)
    model = getattr(keras.applications, name)(weights=None, input_shape=(side, side, 3), classes=10)
    path = folder / f"{name}.keras"
    model.save(path)
    start = time.process_time()
    keras.saving.load_model(path, compile=False)
    theirs = time.process_time() - start
    start = time.process_time()
    loaded = load_model(str(path))
    ours = time.process_time() - start
    network, original = loaded.network, loaded.original
    assert original is not None
    pixels = torch.rand(8, 3, side, side, generator=torch.Generator().manual_seed(0))
    images = loaded.preprocessing.normalize(pixels)
    with torch.no_grad():
        expected, actual = original.outputs(images), original.ending(network(images))
    speed = " ".join(f"{ratio:6.2f}" for ratio in speeds(network, original, model, images))
    difference = float((expected - actual).abs().max() / expected.abs().max())
    refused = {}
    for method in METHODS:
        try:
            explain(network, images[:1], [0], methods=[method])
        except CnnVisError as error:
            refused[method] = str(error)[:60]
    runs = f"{len(METHODS) - len(refused)} of {len(METHODS)}"
    layer = Subject(network, images[:1]).default_layer
    return f"{name:18} {difference:9.1e} {speed} {theirs:7.2f} {ours:7.2f}  {runs}  {layer}  {refused or ''}"


def main() -> None:
    """Print a table of all, or of those that are named."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    heads = " ".join(f"{head:>6}" for head in ("call 1", "pred 1", "call 8", "pred 8"))
    print(f"{'':18} {'differs':>9} {heads} {'Keras s':>7} {'ours s':>7}  methods  layer")
    with tempfile.TemporaryDirectory() as folder:
        for name in sys.argv[1:] or SIDES:
            print(row(name, SIDES[name], Path(folder)), flush=True)


if __name__ == "__main__":
    main()
