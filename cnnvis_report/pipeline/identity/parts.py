"""What decides the results of a run, by name: where one of these has changed, earlier results aren't kept."""

from inspect import getsource

from cnnvis_report import __version__
from cnnvis_report.data.image_set import ImageSet
from cnnvis_report.data.limit import evenly
from cnnvis_report.data.preprocessing.preprocessing import Preprocessing
from cnnvis_report.engine.outputs.functions import FunctionScores
from cnnvis_report.engine.outputs.readers import OutputReader
from cnnvis_report.methods.tasks import Task
from cnnvis_report.models.model import Training
from cnnvis_report.models.network_state import weights_hash
from cnnvis_report.pipeline.explaining.map_setup import MapSetup
from cnnvis_report.pipeline.explaining.reduced_maps import array_layout
from cnnvis_report.pipeline.identity.run import BATCH, SAMPLED
from cnnvis_report.pipeline.identity.source_code import code_hash, method_files
from cnnvis_report.pipeline.planning.plan import Plan
from cnnvis_report.pipeline.setup import SAMPLE, NetworkSetup, Setup
from cnnvis_report.records.bands import USUAL
from cnnvis_report.records.identity import LISTED
from cnnvis_report.settings import identity_part

PREDICTED = "the predictions of all images"
ALL_BITS = "all bits are read"

Parts = dict[str, object]


def identity_parts(setup: Setup, plan: Plan) -> Parts:
    """All but the contents of the images."""
    config, selection = setup.config, setup.selection
    return {
        "the version of cnnvis-report": __version__,
        **_network_parts(setup.network),
        **_image_parts(setup.images),
        **_map_parts(setup.maps),
        "the seed": config.machine.seed,
        BATCH: [plan.batch, array_layout(setup, plan.batch).shard_size],
        "the precision": [config.explain.precision, *_reduced(plan)],
        PREDICTED: repr(selection and (selection.predictions, selection.label_predictions)),
        "the inspection": repr(setup.inspection),
        "the options": identity_part(config),
    }


def _reduced(plan: Plan) -> list[list[str]]:
    """What may run in bfloat16."""
    return [*([task.name, task.layer] for task in plan.reduced), *([["metrics"]] if plan.reduced_metrics else [])]


def _network_parts(network: NetworkSetup) -> Parts:
    subject, identity = network.subject, network.checks.identity
    return {
        "the network's weights": identity.weights,
        "the modules' settings": identity.settings,
        "the network's source code": identity.code,
        "the network's layers": [[layer.name, layer.type, list(layer.shape)] for layer in subject.layers],
        "the class names": list(subject.classes),
        "how scores are read": [subject.meaning.kind, subject.scores],
        "the target function's source code": _target(subject.reader),
        "the preprocessing": _reading(subject.preprocessing),
        "the device": subject.device.type,
        "the training": _training(network.model.training),
        "the network trained on permuted labels": _permuted(network.model.training),
    }


def _target(reader: OutputReader) -> str:
    """A digest of the code that makes scores; empty where nobody's own does."""
    return code_hash(method_files(reader.code)) if isinstance(reader, FunctionScores) else ""


def _reading(preprocessing: Preprocessing) -> str:
    """How pictures become the network's input; gray and color of more than 8 bits were rounded to 256 steps before."""
    exact = preprocessing.transform is None and preprocessing.channels in USUAL
    return repr(preprocessing) + (f"; {ALL_BITS}" if exact else "")


def _image_parts(images: ImageSet) -> Parts:
    return {
        "the files that aren't read": [[file.name, file.reason] for file in images.skipped],
        LISTED: [[item.id, item.name, repr(item.labels), item.bare, item.mask is not None] for item in images],
        SAMPLED: [item.fingerprint for item in evenly(images, SAMPLE)],
    }


def _map_parts(maps: MapSetup) -> Parts:
    return {
        "the methods or their options": [[task.name, list(task.options)] for task in maps.tasks],
        "the methods' source code": [_source(task) for task in maps.tasks],
        "the classes to be explained": repr(maps.choice),
        "the metrics": repr(maps.metrics),
    }


def _training(training: Training | None) -> str:
    return "" if training is None else repr((training.record, sorted(training.seen)))


def _permuted(training: Training | None) -> str:
    return "" if training is None or training.permuted is None else weights_hash(training.permuted)


def _source(task: Task) -> str:
    """The code of a method: somebody's own may change between two runs, with what it imports."""
    try:
        return getsource(task.method.function) + code_hash(method_files(task.method.function))
    except (OSError, TypeError):
        return ""
