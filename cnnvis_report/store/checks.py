"""Whether the parts of a run's record fit each other: what the pages take for granted, and what becomes a name."""

import re
from collections.abc import Iterable, Sequence

from cnnvis_report.records.codec import Malformed
from cnnvis_report.records.evidence import Evidence
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.inspection import InspectionRecord
from cnnvis_report.records.methods import Kind
from cnnvis_report.records.predictions import BINS
from cnnvis_report.records.run import Keep, RunRecord
from cnnvis_report.records.scores import BOXES, ScoreKind
from cnnvis_report.store.array_files.half import is_scale
from cnnvis_report.store.files.names import IMAGE, WORD, array_key, file_of, is_ours

LARGEST_SIDE = 1 << 20
LARGEST_PICTURE = 1 << 28  # positions
LARGEST_SHARD = 10**9
_HEX = re.compile(r"[0-9a-f]+")


def check_run(run: RunRecord) -> None:
    """Refuse a record that no run gives.

    Raises:
        Malformed: naming the field.
    """
    _need(run.images >= 0 and run.left_out >= 0, "run.images", "is below 0")
    _need(_HEX.fullmatch(run.fingerprint) is not None, "run.fingerprint", "isn't hexadecimal")
    names = [card.name for card in run.methods]
    for at, name in enumerate(names):
        _need(
            WORD.fullmatch(name) is not None, f"run.methods[{at}].name", f"is {name[:60]!r}, which no method is called"
        )
    _need(len(set(names)) == len(names), "run.methods", "names a method twice")
    for name, stored in run.files.items():
        where = f"run.files.{name[:60]}"
        _need(is_ours(name) and name.endswith(".npz"), where, "isn't the name of a file of arrays")
        _need(stored.bytes >= 0 and len(stored.sha256) == 64, where, "has no digest")
    network = run.network
    _need(network.classes > 0, "run.network.classes", f"is {network.classes}")
    _need(len(network.names) in (0, network.classes), "run.network.names", f"are not {network.classes}")
    for at, layer in enumerate(network.layers):
        _sides(layer.shape, f"run.network.layers[{at}].shape")
    if run.evaluation is not None:
        for at, result in enumerate(run.evaluation.randomization):
            lengths = {
                len(row) for row in (result.spearman, result.absolute, result.ssim)
            }  # it may end before the last one
            fits = len(lengths) == 1 and lengths <= set(range(1, len(run.evaluation.randomized_fractions) + 1))
            _need(
                fits,
                f"run.evaluation.randomization[{at}]",
                f"isn't of {len(run.evaluation.randomized_fractions)} stages",
            )
    if run.evidence is not None:
        _check_evidence(run.evidence, names)
    for name, answers in (("predictions", run.predictions), ("label_predictions", run.label_predictions)):
        _need(answers is None or len(answers.bins) == BINS, f"run.{name}.bins", f"are not {BINS}")
    if run.training is not None:
        _need(
            1 <= run.training.best_epoch <= len(run.training.history),
            "run.training.best_epoch",
            "is no epoch of the history",
        )
    for at, series in enumerate(run.snapshots):
        _id(series.image, f"run.snapshots[{at}].image")
        unknown = [name for name in series.methods if name not in names]
        _need(not unknown, f"run.snapshots[{at}].methods", f"has {unknown[:1]}, which isn't among the methods")
    if run.inspection is not None:
        _check_inspection(run, run.inspection)


def _check_evidence(evidence: Evidence, methods: Sequence[str]) -> None:
    where, measures = "run.evidence", {measure.name for measure in evidence.measures}
    leader: tuple[str, ...] = ()  # names of the method that stands for those with the same maps, which follow it
    for at, method in enumerate(evidence.methods):
        _need(method.method in methods, f"{where}.methods[{at}]", "isn't among the methods")
        names = (method.method, f"{method.method}@{method.layer}")
        _need(method.same_as in ("", *leader), f"{where}.methods[{at}].same_as", "isn't the method that it follows")
        leader = leader if method.same_as else names
    for name, measure in (("faithfulness", evidence.faithfulness), ("localization", evidence.localization)):
        _need(not measure or measure in measures, f"{where}.{name}", "isn't among its measures")
    judged = {name for method in evidence.methods for name in (method.method, f"{method.method}@{method.layer}")}
    listed = {*evidence.recommended, *evidence.avoid, *(method.same_as for method in evidence.methods)} - {""}
    _need(listed <= judged, where, "lists methods that it doesn't judge")


def check_image(run: RunRecord, image: ImageRecord, where: str) -> None:
    """Refuse the record of an image that no such run gives.

    Raises:
        Malformed: naming the field.
    """
    _id(image.id, f"{where}.id")
    _need(image.shard is None or 0 <= image.shard < LARGEST_SHARD, f"{where}.shard", f"is {image.shard}")
    stored = run.keep is Keep.NONE or file_of(image) in run.files
    _need(stored, where, f"({image.id}) has no file of arrays among run.files")
    for name, size in (("size", image.size), ("original_size", image.original_size)):
        _sides(size, f"{where}.{name}")
    _need(image.size[0] * image.size[1] <= LARGEST_PICTURE, f"{where}.size", "is larger than any picture that is read")
    _need(len(image.top) > 0 or image.kind is ScoreKind.DETECTION, f"{where}.top", "is empty")
    columns = run.network.classes * (BOXES if image.kind is ScoreKind.DETECTION else 1)
    for score in (*image.top, *image.targets, *image.predicted, *image.label_scores):
        _need(0 <= score.index < columns, where, f"has a class {score.index} of {run.network.classes}")
        _need(score.probability is None or 0 <= score.probability <= 1.0001, where, "has a probability above 1")
    labels = [label.index for label in image.named if label.index is not None]
    _need(all(0 <= index < run.network.classes for index in labels), where, "has a label beyond the classes")
    _need(image.mask_fraction is None or 0 <= image.mask_fraction <= 1, f"{where}.mask_fraction", "is no share")
    _need(len(image.scores) in (0, run.network.classes), f"{where}.scores", f"are not {run.network.classes}")
    _check_maps(run, image, where)
    if image.metrics is not None:
        count = len(image.metrics.maps)
        square = len(image.metrics.agreement) == count and all(len(row) == count for row in image.metrics.agreement)
        _need(square, f"{where}.metrics.agreement", f"isn't {count} by {count}")


def _check_maps(run: RunRecord, image: ImageRecord, where: str) -> None:
    cards = {card.name: card for card in run.methods}
    layers = {"", run.network.default_layer, *(layer.name for layer in run.network.layers)}
    targets = {target.index for target in image.targets}
    for at, record in enumerate(image.maps):
        entry = f"{where}.maps[{at}]"
        _need(record.method in cards, f"{entry}.method", f"is {record.method[:60]!r}, which isn't among the methods")
        _need(record.layer in layers, f"{entry}.layer", f"is {record.layer[:60]!r}, which the network hasn't got")
        _need(record.target in targets, f"{entry}.target", f"is {record.target}, which isn't among the targets")
        _need(record.key == array_key(record.method, record.layer, record.target), f"{entry}.key", "isn't of this map")
        _need(record.scale is None or is_scale(record.scale), f"{entry}.scale", "is no power of two of a map")
        sides = 3 if cards[record.method].kind is Kind.PIXEL else 2
        fits = len(record.shape) == sides or (record.scale is not None and len(record.shape) == 2)
        _need(fits, f"{entry}.shape", f"has {len(record.shape)} sides in the place of {sides}")
        _sides(record.shape, f"{entry}.shape")


def _check_inspection(run: RunRecord, inside: InspectionRecord) -> None:
    layers = {layer.name for layer in run.network.layers}
    for at, looked in enumerate(inside.images):
        where = f"run.inspection.images[{at}]"
        _id(looked.image, f"{where}.image")
        named = [
            *looked.layers,
            *(name for name, _ in looked.units),
            *(inversion.layer for inversion in looked.inverted),
        ]
        _known(named, layers, where)
    for what in ("kernels", "channel_stats", "top_images", "receptive_fields"):
        _known((record.layer for record in getattr(inside, what)), layers, f"run.inspection.{what}")
    _need(
        all(map(WORD.fullmatch, inside.projection_rules)), "run.inspection.projection_rules", "have no names of rules"
    )
    _need(bool(inside.projection_rules) or not inside.top_images, "run.inspection.projection_rules", "are missing")
    for at, kernel in enumerate(inside.kernels):
        _need(len(kernel.shape) == 4, f"run.inspection.kernels[{at}].shape", "hasn't four sides")
        _sides(kernel.shape, f"run.inspection.kernels[{at}].shape")


def _known(names: Iterable[str], layers: set[str], where: str) -> None:
    unknown = next((name for name in names if name not in layers), None)
    _need(unknown is None, where, f"names a layer {str(unknown)[:60]!r}, which the network hasn't got")


def _id(text: str, where: str) -> None:
    _need(IMAGE.fullmatch(text) is not None, where, f"is {text[:60]!r}, which isn't the id of an image")


def _sides(shape: Sequence[int], where: str) -> None:
    _need(all(0 < side <= LARGEST_SIDE for side in shape), where, f"is {list(shape)[:6]}")


def _need(fits: bool, where: str, problem: str) -> None:
    if not fits:
        raise Malformed(f"{where} {problem}")
