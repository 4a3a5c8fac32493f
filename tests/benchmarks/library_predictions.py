"""A network as its own library runs it beside the same one as it is loaded here: pixels, scores, methods, layer."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor, nn

from cnnvis_report import explain
from cnnvis_report.data.decoding.decode import open_picture
from cnnvis_report.data.preprocessing.prepare import prepare
from cnnvis_report.engine.subject import Subject
from cnnvis_report.models.load import load_model

HEAD = f"{'network':38} {'load':>6} {'pixels':>8} {'scores':>8} {'quick':>7} default layer"


@dataclass(frozen=True)
class Original:
    """A network in its own library. transform: gives [C, H, W] of a picture. layer: where its last features are."""

    network: nn.Module
    transform: Callable[[Image.Image], Tensor]
    layer: str = ""


def row(name: str, original: Original, model: str, weights: Path | None, photos: Sequence[Path]) -> str:
    """A line of the table: differences of pixels and of scores, relative to the largest; seconds; the layer."""
    start = time.perf_counter()
    loaded = load_model(model, weights)
    seconds = time.perf_counter() - start
    pixels, scores = 0.0, 0.0
    values = torch.zeros(0)
    with torch.no_grad():
        for photo in photos:
            expected = original.transform(Image.open(photo).convert("RGB"))[None]
            values = prepare(open_picture(photo), loaded.preprocessing).values[None]
            pixels = max(pixels, float((values - expected).abs().max()))
            wanted, found = _logits(original.network(expected)), _logits(loaded.network(values))
            scores = max(scores, float((wanted - found).abs().max() / wanted.abs().max()))
    subject = Subject(loaded.network, values)
    start = time.perf_counter()
    maps = explain(loaded.network, values, None, "quick", on_error="skip")
    quick = time.perf_counter() - start
    theirs = f" ({original.layer})" if original.layer and original.layer != subject.default_layer else ""
    good = "" if max(pixels, scores) <= 1e-4 else "  DIFFERS"
    return (
        f"{name:38} {seconds:6.1f} {pixels:8.1e} {scores:8.1e} {len(maps):3} {quick:3.0f} "
        f"{subject.default_layer}{theirs}{good}"
    )


def _logits(output: object) -> Tensor:
    logits = getattr(output, "logits", output)
    assert isinstance(logits, Tensor)
    return logits
