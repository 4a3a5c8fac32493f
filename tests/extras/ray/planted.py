"""A folder to start commands in: pictures, and a network whose process ends, or whose memory does, when a file says so.

A file is renamed by the first worker that comes upon it, so that it holds for one of them.
"""

import os
from pathlib import Path

import numpy as np
from PIL import Image

IMAGES = 12
NETWORK = """
import os
import pathlib
import signal
import time

import torch

full = False


def take(name):
    try:
        pathlib.Path(name).rename(f"{name}-taken")
    except OSError:
        return False
    return True


class Planted(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.features = torch.nn.Sequential(torch.nn.Conv2d(3, 6, 3, padding=1), torch.nn.ReLU(), torch.nn.MaxPool2d(4))
        self.last = torch.nn.Linear(6 * 8 * 8, 4)

    def forward(self, images):
        self.trap(len(images))
        return self.last(self.features(images).flatten(1))

    def trap(self, count):
        global full
        if full:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        of_worker = os.getpid() != int(pathlib.Path("command").read_text())
        explains = count == 2  # when it opens, it passes over one image, and over three
        if not of_worker or not explains or not any(pathlib.Path("report/arrays").glob("shard-*")):
            return
        if take("ends"):
            pathlib.Path("report/arrays/.shard-00003.npz.0badf00d.new").write_bytes(b"half a file")
            os.kill(os.getpid(), signal.SIGKILL)
        if take("full"):
            full = True
            self.trap(count)
        if pathlib.Path("slow").exists():
            time.sleep(0.1)


build = Planted
"""


def plant(folder: Path) -> None:
    """Put it there."""
    (folder / "planted_network.py").write_text(NETWORK, encoding="utf-8")
    (folder / "command").write_text(str(os.getpid()), encoding="utf-8")
    (folder / "pictures").mkdir()
    for number in range(IMAGES):
        pixels = np.random.default_rng(number).integers(0, 255, (32, 32, 3), np.uint8)
        Image.fromarray(pixels).save(folder / "pictures" / f"{number:02}.png")
