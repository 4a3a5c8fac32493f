"""Figures made of numbers, without a run folder."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cnnvis_report.records.images import ClassScore, ImageRecord, Label
from cnnvis_report.records.methods import Family, Kind, MethodInfo, Sign
from cnnvis_report.report.figure.columns import Column
from cnnvis_report.report.figure.content import Figure, Row
from cnnvis_report.report.pictures.drawing import Look
from tests.evidence import records

SIDE = 16
CAT, DOG = ClassScore(0, "cat", 2.0, 0.875), ClassScore(1, "dog", 1.0, 0.125)
METHODS = (
    records.info("grad_cam", kind=Kind.LAYER),
    records.info("occlusion", kind=Kind.AREA, sign=Sign.SIGNED, family=Family.PERTURBATION),
    records.info("gradient", kind=Kind.PIXEL, sign=Sign.SIGNED, family=Family.GRADIENT),
    records.info("saliency", kind=Kind.PIXEL, family=Family.GRADIENT),
)


def image(name: str = "pets/cat.png", label: str = "cat", *, size: tuple[int, int] = (SIDE, SIDE)) -> ImageRecord:
    """An image that is taken for a cat with a probability of 0.875."""
    truth = Label(label, {"cat": 0, "dog": 1}.get(label)) if label else None
    return ImageRecord("cat-0", name, size, size, truth, (CAT, DOG), (CAT,), ())


def row(
    shown: ImageRecord, methods: Sequence[MethodInfo], *, name: str = "", reason: str = "", masked: bool = False
) -> Row:
    """An image with a map of each method, all of them different."""
    generator = np.random.default_rng(len(shown.name))
    height, width = shown.size
    mask = np.zeros(shown.size, bool)
    mask[height // 4 : height // 2, width // 4 : width // 2] = True
    maps = [generator.standard_normal((4, 4) if method.kind is Kind.LAYER else shown.size) for method in methods]
    maps = [
        np.abs(values) if method.sign is Sign.POSITIVE else values for values, method in zip(maps, methods, strict=True)
    ]
    return Row(
        shown,
        name or shown.name,
        7,
        reason,
        shown.targets[0],
        generator.integers(0, 256, (*shown.size, 3), dtype=np.uint8),
        mask if masked else None,
        tuple(values.astype(np.float32) for values in maps),
    )


def figure(rows: Sequence[Row] = (), methods: Sequence[MethodInfo] = METHODS, **changes: object) -> Figure:
    """A figure of these rows, or of a cat and of a dog that is taken for one."""
    shown = rows or (
        row(image(), methods, name="cat", reason="most confident", masked=True),
        row(image("pets/dog.png", "dog"), methods, name="dog", reason="most confident error"),
    )
    columns = tuple(Column(method, "", method.title) for method in methods)
    network = replace(records.NETWORK, name="petnet")
    made = Figure(
        records.run(methods, network=network, count=9),
        None,
        columns,
        tuple(shown),
        "",
        9,
        "prediction",
        Look(),
        (),
        True,
    )
    return replace(made, **changes)  # type: ignore[arg-type] # fields of it
