"""Every family of keras.applications, converted: how far from Keras, how fast, and which quick methods run.

    python -m tests.benchmarks.keras_applications [NAME ...]

Random weights and small images; one thread. NASNet can't be built by Keras with PyTorch under it.
"""

import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from cnnvis_report import explain
from cnnvis_report.errors import CnnVisError
from cnnvis_report.models.keras.library import keras_library
from cnnvis_report.models.load import load_model

SIDES = {  # pixels: the least that each takes, or a little more
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
    "InceptionV3": 96,
    "InceptionResNetV2": 96,
    "Xception": 96,
}
METHODS = ("gradient", "grad_cam", "cam", "layer_cam", "hires_cam", "guided_backprop", "deconvnet", "lrp_composite")


def fastest(run: Callable[[], Any], repeats: int = 5) -> float:
    """The shortest of several runs, in seconds of the processor."""
    run()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return min(times)


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
    pixels = torch.rand(4, 3, side, side, generator=torch.Generator().manual_seed(0))
    images = loaded.preprocessing.normalize(pixels)
    with torch.no_grad():
        expected, actual = original.outputs(images), original.ending(network(images))
        speed = fastest(lambda: original.outputs(images)) / fastest(lambda: network(images))
    difference = float((expected - actual).abs().max() / expected.abs().max())
    refused = {}
    for method in METHODS:
        try:
            explain(network, images[:1], [0], methods=[method])
        except CnnVisError as error:
            refused[method] = str(error)[:60]
    runs = f"{len(METHODS) - len(refused)} of {len(METHODS)}"
    return f"{name:18} {difference:9.1e} {speed:6.2f} {theirs:7.2f} {ours:7.2f}  {runs}  {refused or ''}"


def main() -> None:
    """Print a table of all, or of those that are named."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    print(f"{'':18} {'differs':>9} {'speed':>6} {'Keras s':>7} {'ours s':>7}  methods")
    with tempfile.TemporaryDirectory() as folder:
        for name in sys.argv[1:] or SIDES:
            print(row(name, SIDES[name], Path(folder)), flush=True)


if __name__ == "__main__":
    main()
