"""The networks of torchvision and timm that `networks.txt` lists, read without torch."""

from collections.abc import Iterator
from pathlib import Path


def network_lines() -> Iterator[tuple[str, str, list[str]]]:
    """Of each line the fingerprint of tensors, the layers of the classes, and the names of the networks."""
    for line in Path(__file__).with_name("networks.txt").read_text(encoding="ascii").splitlines():
        fingerprint, heads, *names = line.split()
        yield fingerprint, heads, names
