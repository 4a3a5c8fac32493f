"""All of torchvision's classifiers with random weights: loaded by name and file, beside torchvision's own transform.

    python -m tests.benchmarks.torchvision_networks FOLDER_OF_PHOTOGRAPHS [NAME ...]

Columns are those of `timm_networks`; `default_layers` says what is expected of the layer.
"""

import gc
import sys
import tempfile
from pathlib import Path

import torch
import torchvision
from torchvision.models import WeightsEnum

from tests.benchmarks.library_predictions import HEAD, Original, row

PHOTOS = 1


def original(name: str) -> Original:
    """The network as torchvision makes it, with the transform of its first choice of weights."""
    torch.manual_seed(0)
    extra = {"init_weights": False, "transform_input": True} if name in ("googlenet", "inception_v3") else {}
    network = torchvision.models.get_model(name, weights=None, **extra).eval()
    return Original(network, default(name).transforms())


def default(name: str) -> WeightsEnum:
    """torchvision's first choice of weights: its transform is the network's where a file has its name."""
    entry: WeightsEnum = torchvision.models.get_model_weights(name).DEFAULT
    return entry


def main() -> None:
    """Print the table."""
    photos = sorted(Path(sys.argv[1]).iterdir())
    torch.set_num_threads(1)
    print(HEAD)
    for index, name in enumerate(sys.argv[2:] or torchvision.models.list_models(module=torchvision.models)):
        try:
            built = original(name)
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / Path(default(name).url).name
                torch.save(built.network.state_dict(), file)
                chosen = [photos[(index * PHOTOS + number) % len(photos)] for number in range(PHOTOS)]
                print(row(name, built, name, file, chosen), flush=True)
        except Exception as error:
            print(f"{name:38} FAILS: {type(error).__name__}: {str(error)[:160]}", flush=True)
        gc.collect()


if __name__ == "__main__":
    main()
