"""Planted runs that differ as two networks do, with names that strangers might give."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cnnvis_report.comparison.compare import compare_runs
from cnnvis_report.records.methods import Kind, MethodInfo, Sign
from cnnvis_report.report.comparison.report import PAGES, ComparedReport
from cnnvis_report.store.run_folder import StoredRun
from tests.comparison.runs import Planted, Values, planted_run
from tests.evidence.records import info

HOSTILE = "<script>alert(1)<!-- & 'so' {{7*7}}.png"
CLASSES = ("cat", "<b>dog</b>", "owl")
METHODS: Sequence[MethodInfo] = (
    info("cam", kind=Kind.LAYER, sign=Sign.POSITIVE, prominence=1),
    info("gradient", kind=Kind.PIXEL, sign=Sign.SIGNED),
)
OLD = ((0, 0), (1, 0), (0, 0), (0, 0), (1, 1))  # predicted, label
NEW = ((0, 0), (0, 0), (2, 0), (0, 0), (1, 1))  # the second is fixed, the third is broken


def values(image: int, seed: int, shape: tuple[int, ...], *, positive: bool = True) -> Values:
    drawn = np.random.default_rng([image, seed]).normal(size=shape).astype(np.float32)
    return np.abs(drawn) if positive else drawn


def one_run(folder: Path, seed: int, predictions: Sequence[tuple[int, int]], side: int = 4) -> StoredRun:
    """Five images with masks; maps of a layer of `side` positions and of pixels. The last image's maps never change."""
    mask = np.zeros((16, 16), bool)
    mask[2:8, 2:8] = True
    names = ["a.png", HOSTILE, "c.png", "d.png", "e.png"]
    images = []
    for number, (name, (predicted, label)) in enumerate(zip(names, predictions, strict=True)):
        chance = 0 if number == 4 else seed
        maps = {
            ("cam", "last", label): (1 + chance) * values(number, chance, (side, side)),
            ("gradient", "", label): values(number, chance, (3, 16, 16), positive=False),
        }
        images.append(Planted(name, predicted, label, maps=maps, mask=mask, targets=(label,)))
    return planted_run(folder, images, classes=CLASSES, methods=METHODS)


def runs(top: Path, count: int = 2, side: int = 4) -> list[StoredRun]:
    later = [one_run(top / f"new {number}", number, NEW, side) for number in range(1, count)]
    return [one_run(top / "old <i>", 0, OLD), *later]


def compared(top: Path, count: int = 2, most: int = PAGES, side: int = 4) -> ComparedReport:
    stored = runs(top, count, side)
    return ComparedReport(compare_runs(stored), stored, most)
