"""What a run is: all that decides its results, and what of it isn't as it was."""

import json
import math
from hashlib import sha256
from inspect import getsource
from pathlib import Path

from cnnvis_report import __version__
from cnnvis_report.data.batches import sampled
from cnnvis_report.data.image_set import ImageItem
from cnnvis_report.methods.tasks import Task
from cnnvis_report.pipeline.identity.source_code import code_hash, method_files
from cnnvis_report.pipeline.plan import Plan
from cnnvis_report.pipeline.setup import SAMPLE, Study
from cnnvis_report.records.identity import LISTED, Content, Identity, changed_images, changes
from cnnvis_report.store.previous_run import contents_in, identity_of, remembered

BATCH = "the batch size"
SAMPLED = "the sample that methods compare with"


def identify(study: Study, plan: Plan) -> Identity:
    """What decides the results of a study but the contents of its images."""
    subject, network = study.subject, study.identity
    told: dict[str, object] = {
        "the version of cnnvis-report": __version__,
        "the network's weights": network.weights,
        "the modules' settings": network.settings,
        "the network's source code": network.code,
        "the network's layers": [[layer.name, layer.type, list(layer.shape)] for layer in subject.layers],
        "the class names": list(subject.classes),
        "how scores are read": [subject.meaning.kind, subject.scores],
        "the preprocessing": repr(subject.preprocessing),
        "the files that aren't read": [[each.name, each.reason] for each in study.images.skipped],
        LISTED: [[item.id, item.name, repr(item.labels), item.bare, item.mask is not None] for item in study.images],
        SAMPLED: [item.fingerprint for item in sampled(study.images, SAMPLE)],
        "the methods or their options": [[task.name, list(task.options)] for task in study.tasks],
        "the methods' source code": [_source(task) for task in study.tasks],
        "the classes to be explained": repr(study.choice),
        "the seed": study.seed,
        BATCH: plan.batch,
        "the device": study.device.type,
        "the precision": [study.precision, *([task.name, task.layer] for task in plan.reduced)],
        "the measures": repr(study.budget),
        "the answers to all images": repr((study.answers, study.label_answers)),
        "the training": repr(study.training and (study.training.record, sorted(study.training.seen))),
        "the look inside": repr((study.look, study.units, study.preferences)),
        "the options": study.deciding,
    }
    logits = study.passes.logits
    rows = [] if logits is None else logits.double().cpu().tolist()
    return Identity(
        parts={name: _digest(value) for name, value in told.items()},
        logits=tuple(tuple(value if math.isfinite(value) else None for value in row) for row in rows),
        example=study.passes.example,
    )


def recall(study: Study, folder: Path) -> None:
    """Let the study's files know what the folder's run has read of them, where nothing has touched them since."""
    known = remembered(folder)
    for item in study.images if known else ():
        for file in item.files:
            file.recall(known)


def files_of(study: Study) -> dict[str, str]:
    """What is known of the contents of the study's files, by what told their state."""
    files = [file for item in study.images for file in item.files]
    return dict(sorted(pair for file in files for pair in file.remembered.items()))


def contents_of(study: Study) -> list[Content]:
    """The images as they were last read."""
    return [Content(item.name, item.fingerprint) for item in study.images]


def changed_since(folder: Path, study: Study, identity: Identity) -> list[str] | None:
    """What isn't as it was when the folder's run was made, in words; None where the folder holds no run."""
    earlier = identity_of(folder)
    if earlier is None:
        return None
    if not earlier.parts:
        return ["its format (another version of cnnvis-report, or damaged files)"]
    names = changes(earlier, identity)
    before, whole = contents_in(folder)
    if LISTED in names:  # which may bring another sample and batch size with it
        others = [name for name in names if name not in (LISTED, SAMPLED, BATCH)]
        found = changed_images(map(_unread, before), [_unread(item) for item in study.images], whole=whole)
        return [*(found or [LISTED]), *others]
    if names and names != [SAMPLED]:
        return names  # all images are explained again; there is no need to read them for that
    known = {each.name for each in before}
    now = [Content(item.name, item.fingerprint if item.name in known else "") for item in study.images]
    return changed_images(before, now, whole=whole) or names


def _unread(image: Content | ImageItem) -> Content:
    """The image by its name alone."""
    return Content(image.name, "")


def _source(task: Task) -> str:
    """The code of a method: somebody's own may change between two runs, with what it imports."""
    try:
        return getsource(task.method.function) + code_hash(method_files(task.method.function))
    except (OSError, TypeError):
        return ""


def _digest(value: object) -> str:
    return sha256(json.dumps(value, sort_keys=True).encode("utf-8", "replace")).hexdigest()[:16]
