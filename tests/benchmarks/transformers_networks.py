"""Small networks of Hugging Face's transformers in folders, beside the library's own image processor and network.

python -m tests.benchmarks.transformers_networks FOLDER_OF_PHOTOGRAPHS
"""

import sys
import tempfile
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from transformers import AutoImageProcessor

from tests.benchmarks.library_predictions import HEAD, Original, row
from tests.extras.hf.folders import KINDS, made

PHOTOS = 4


def main() -> None:
    """Print the table."""
    photos = sorted(Path(sys.argv[1]).iterdir())
    torch.set_num_threads(1)
    print(HEAD)
    for index, name in enumerate(KINDS):
        with tempfile.TemporaryDirectory() as folder:
            network = made(name, Path(folder))
            processor = AutoImageProcessor.from_pretrained(folder)
            reads_blue_first = getattr(processor, "do_flip_channel_order", False)

            def transform(picture: Image.Image, processor: object = processor) -> Tensor:
                values: Tensor = processor(images=picture, return_tensors="pt")["pixel_values"][0]  # type: ignore[operator]
                return values

            chosen = [photos[(index * PHOTOS + number) % len(photos)] for number in range(PHOTOS)]
            note = "  (pixels turned round: it reads blue first)" if reads_blue_first else ""
            print(row(name, Original(network, transform), folder, None, chosen) + note, flush=True)


if __name__ == "__main__":
    main()
