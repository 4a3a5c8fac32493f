"""What a user asks for, and how the report states it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cnnvis_report.records.methods import Option
from cnnvis_report.records.run import Setting


@dataclass(frozen=True)
class RunConfig:
    """What a user asks for. The names are those of the command line.

    size: "224" (a square as the preprocessing cuts it), "192x256" (height by width, the whole picture) or "original".
    labels: "names" (sub-folders called like classes), "folders" (all sub-folders) or "indices" (those called by
    numbers). masks: a folder of them. limit_order: "balanced" over the classes, or "first".
    value_range: what is black and white in pictures of more than 8 bits.
    batch_size: None chooses what fits. precision: "float32", "bfloat16" or "auto", of methods that only look forward.
    evaluate: "none", "small", "full", or "auto". inside: "none", "standard", "all", or "auto".
    units: to look at inside, each LAYER:CHANNEL or LAYER:CHANNEL:ROW,COLUMN. prefer, form, start: of preferred inputs.
    options: method to option to value. scores: "auto", "softmax", "sigmoid", "binary" or "value".
    """

    model: str
    images: tuple[Path, ...]
    weights: Path | None = None
    methods: tuple[str, ...] = ("standard",)
    classes: str = "top:3"
    layers: tuple[str, ...] = ()
    class_names: Path | None = None
    labels: str = "names"
    masks: Path | None = None
    size: str | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    limit: int | None = None
    limit_order: str = "balanced"
    value_range: tuple[float, ...] | None = None
    device: str = "auto"
    batch_size: int | None = None
    seed: int = 0
    precision: str = "auto"
    evaluate: str = "auto"
    inside: str = "auto"
    units: tuple[str, ...] = ()
    prefer: tuple[str, ...] = ()
    form: str = "fourier"
    start: str = "noise"
    options: Mapping[str, Mapping[str, Option]] = field(default_factory=dict)
    scores: str = "auto"


def _is_path(model: str) -> bool:
    return bool(Path(model).suffix) or Path(model).is_absolute() or model.startswith((".", "~"))


def settings_table(request: RunConfig) -> dict[str, Setting]:
    """The request as the report states it: no folder of this machine is in it."""
    return {
        "model": Path(request.model).name if _is_path(request.model) else request.model,
        "images": [path.name or "." for path in request.images],
        "weights": request.weights.name if request.weights else None,
        "methods": list(request.methods),
        "classes": request.classes,
        "layers": list(request.layers),
        "class_names": request.class_names.name if request.class_names else None,
        "labels": request.labels,
        "scores": request.scores if request.scores != "auto" else None,
        "masks": request.masks.name if request.masks else None,
        "size": request.size,
        "mean": [f"{value:g}" for value in request.mean or ()],
        "std": [f"{value:g}" for value in request.std or ()],
        "limit": request.limit,
        "limit_order": request.limit_order if request.limit is not None else None,
        "range": [f"{end:g}" for end in request.value_range or ()],
        "device": request.device,
        "batch_size": request.batch_size,
        "seed": request.seed,
        "precision": request.precision,
        "evaluate": request.evaluate,
        "inside": request.inside,
        "form": request.form if request.form != "fourier" else None,
        "start": request.start if request.start != "noise" else None,
        "units": list(request.units),
        "prefer": list(request.prefer),
        "options": {method: dict(options) for method, options in request.options.items()},
    }
