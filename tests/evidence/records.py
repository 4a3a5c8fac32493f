"""Runs made of numbers: what a test says that each method scored on each image."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from cnnvis_report.records.images import ClassScore, Evidence, ImageRecord, MapRecord, NotApplicableRecord, Note
from cnnvis_report.records.methods import Family, Kind, MethodInfo, Option, Reduction, Sign
from cnnvis_report.records.metrics import Evaluation, ImageMetrics, MapMetrics, MethodTest, MetricInfo, MetricKind
from cnnvis_report.records.network import NetworkRecord
from cnnvis_report.records.run import RunRecord

Values = npt.NDArray[np.float64]

SCORE = MetricInfo("gain", "Gain", "a score", higher_is_better=True, ranks=True)
RANK = MetricInfo(
    "relevance_rank_accuracy",
    "Relevance rank",
    "on the mask",
    higher_is_better=True,
    needs_mask=True,
    kind=MetricKind.LOCALIZATION,
)
NETWORK = NetworkRecord("net", 1, 2, 3, "none", "none", "logits", (), "")


def info(name: str, **changes: object) -> MethodInfo:
    """A method called so; `random` is a random map."""
    reduction, summary, options = Reduction.SUM, "", dict[str, Option]()
    plain = MethodInfo(
        name, name.title(), Family.CAM, "", Sign.POSITIVE, Kind.AREA, reduction, False, "quick", summary, "", options
    )
    return replace(plain, baseline=name == "random", **changes)  # type: ignore[arg-type] # fields of it


def image(
    number: int,
    methods: Sequence[str],
    values: Mapping[str, Sequence[float | None]],
    *,
    random: Mapping[str, Sequence[float]] | None = None,
    agreement: Sequence[Sequence[float | None]] | None = None,
    blind: Mapping[str, str] | None = None,
    notes: Mapping[str, Mapping[str, Note]] | None = None,
) -> ImageRecord:
    """An image that was measured.

    Args:
        values: by metric, one a method. agreement: rank correlations; by default no two maps are alike.
    """
    records = tuple(
        MapRecord(name, name, "", 0, (4, 4), Evidence(1.0, 1.0, dict((notes or {}).get(name, {})))) for name in methods
    )
    scored = tuple(
        MapMetrics(name, "", 0, {metric: value for metric, row in values.items() if (value := row[at]) is not None})
        for at, name in enumerate(methods)
    )
    default = [[1.0 if row == column else 0.5 for column in methods] for row in methods]
    metrics = ImageMetrics(
        scored,
        tuple(tuple(row) for row in (agreement or default)),
        {name: tuple(row) for name, row in (random or {}).items()},
        blind=dict(blind or {}),
    )
    score = ClassScore(0, "a", 1.0, 0.5)
    return ImageRecord(
        f"{number}-x", f"{number}.png", (4, 4), (4, 4), None, (score,), (score,), records, metrics=metrics
    )


def images(
    gains: Mapping[str, Sequence[float]], random: Values, ranks: Mapping[str, Sequence[float]] | None = None
) -> list[ImageRecord]:
    """Images on which methods have these values of SCORE, and of RANK where given; random maps have [images, R]."""
    methods = list(gains)
    made = []
    for number in range(len(random)):
        values = {"gain": [gains[name][number] for name in methods]}
        by_chance = {"gain": random[number].tolist()}
        if ranks is not None:
            values["relevance_rank_accuracy"] = [ranks[name][number] for name in methods]
            by_chance["relevance_rank_accuracy"] = [0.3, 0.3]
        made.append(image(number, methods, values, random=by_chance))
    return made


def run(
    methods: Sequence[MethodInfo | str],
    *,
    metrics: Sequence[MetricInfo] = (SCORE,),
    tests: Sequence[MethodTest] = (),
    network: NetworkRecord = NETWORK,
    count: int = 0,
    not_applicable: Sequence[NotApplicableRecord] = (),
) -> RunRecord:
    """A run of these methods without its images."""
    infos = tuple(info(method) if isinstance(method, str) else method for method in methods)
    evaluation = Evaluation("quick", count, 8, 0, 14, 0, metrics=tuple(metrics), tests=tuple(tests))
    return RunRecord("0", network, infos, {}, count, (), tuple(not_applicable), {}, {}, evaluation=evaluation)
