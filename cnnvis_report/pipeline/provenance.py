"""Where results come from: a fingerprint of all that decides them, and what ran when on what."""

import inspect
import json
import platform
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version

from cnnvis_report import __version__
from cnnvis_report.loading.checkpoints import weights_hash
from cnnvis_report.pipeline.devices import describe
from cnnvis_report.pipeline.plan import Plan
from cnnvis_report.pipeline.study import Study
from cnnvis_report.pipeline.tasks import Task
from cnnvis_report.records import Setting

PACKAGES = ("torch", "torchvision", "numpy", "pillow")


def fingerprint(study: Study, plan: Plan) -> str:
    """Changes with the weights, the layers, the images, the methods' code and options, the classes and the seed.

    A run with the same fingerprint gives the same results, so that it can go on where it was stopped.
    """
    subject = study.subject
    content = {
        "version": __version__,
        "weights": weights_hash(subject.network),
        "layers": [[layer.name, layer.type, list(layer.shape)] for layer in subject.layers],
        "classes": list(subject.classes),
        "preprocessing": subject.preprocessing.describe(),
        "images": [[item.id, item.name, item.fingerprint, item.label and item.label.name] for item in study.images],
        "methods": [[task.name, list(task.options), _source(task)] for task in study.tasks],
        "choice": repr(study.choice),
        "seed": study.seed,
        "batch": plan.batch,
        "device": study.device.type,
        "reduced": [study.precision, *([task.name, task.layer] for task in plan.reduced)],
        "budget": repr(study.budget),
        "answers": repr(study.answers),
        "training": repr(study.training and (study.training.record, sorted(study.training.seen))),
        "look": repr((study.look, study.units, study.preferences)),
    }
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]


def provenance(study: Study, seconds: float, bound: float, computed: int) -> dict[str, Setting]:
    """When, how long, on what, with which versions; nothing that names a person, a machine or a folder.

    seconds, bound: what the last start took for its `computed` images, and what its passes take at least.
    """
    return {
        "finished": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "seconds": round(seconds, 3),
        "bound_seconds": round(bound, 3),
        "images_computed": computed,
        "device": describe(study.device),
        "python": platform.python_version(),
        "system": platform.system(),
        "versions": {"cnnvis-report": __version__} | {name: _version(name) for name in PACKAGES},
    }


def _source(task: Task) -> str:
    """The code of a method: somebody's own may change between two runs."""
    try:
        return inspect.getsource(task.method.function)
    except (OSError, TypeError):
        return ""


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
