"""Write the index by which weights are recognized, as tensors' names and shapes of torchvision and timm.

    python -m tests.benchmarks.network_index > cnnvis_report/models/known_networks/networks.txt

A line each, of networks whose tensors before the last layer agree: their fingerprint, the last layer's name, the
networks. It takes some minutes, and wants the newest timm.
"""

import sys
from collections.abc import Iterator
from typing import Any

import timm
import torch
import torchvision

from cnnvis_report.models.known_networks.network_index import fingerprint
from cnnvis_report.models.torchvision_models.classifiers import CLASSES, skeleton


def of_torchvision() -> Iterator[tuple[str, tuple[str, ...], dict[str, torch.Tensor]]]:
    """Each classifier, the layers that have a row a class, and its tensors; with auxiliary heads and without."""
    for name in torchvision.models.list_models(module=torchvision.models):
        own, other = skeleton(name).state_dict(), skeleton(name, num_classes=CLASSES + 1).state_dict()
        heads = tuple(dict.fromkeys(key.rpartition(".")[0] for key in own if own[key].shape != other[key].shape))
        yield name, heads, own
        if name in ("googlenet", "inception_v3"):
            whole = skeleton(name, aux_logits=True).state_dict()
            more = skeleton(name, aux_logits=True, num_classes=CLASSES + 1).state_dict()
            heads = tuple(dict.fromkeys(key.rpartition(".")[0] for key in whole if whole[key].shape != more[key].shape))
            yield name, heads, whole


def of_timm() -> Iterator[tuple[str, tuple[str, ...], dict[str, torch.Tensor]]]:
    """The same of timm."""
    for name in timm.list_models():
        try:
            with torch.device("meta"):
                network = timm.create_model(name, pretrained=False)
        except Exception as error:  # some want what isn't installed
            print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
            continue
        settings: dict[str, Any] = vars(network)["default_cfg"]
        heads = settings.get("classifier") or ()
        yield f"timm/{name}", (heads,) if isinstance(heads, str) else tuple(heads), network.state_dict()


if __name__ == "__main__":
    lines: dict[tuple[str, str], list[str]] = {}
    for networks in (of_torchvision(), of_timm()):
        for name, heads, state in networks:
            lines.setdefault((fingerprint(state, heads), ",".join(heads)), []).append(name)
    for (digest, joined), names in lines.items():
        print(digest, joined or "-", *names)
