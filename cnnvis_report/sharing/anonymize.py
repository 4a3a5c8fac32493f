"""Records without names: each text of a record is safe, gets an alias, or is dropped; a test asks it of every field."""

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from hashlib import sha256
from typing import Any, TypeVar

from cnnvis_report.records import evidence, images, inspection, labels, metrics, network, predictions, run, training
from cnnvis_report.records.identity import Identity
from cnnvis_report.records.methods import MethodInfo
from cnnvis_report.sharing.aliases import Aliases
from cnnvis_report.store.files.names import array_key

Record = TypeVar("Record")
Rule = Callable[[Aliases, Any, Any], Any]  # aliases, the record, the value of the field

# settings that name nothing; all others are dropped where they are texts
SETTINGS = frozenset(
    {"methods", "metrics", "inspect", "keep", "precision", "select", "limit_order", "task", "interpolation"}
    | {"parametrization", "init", "mean", "std", "range", "rgb", "resize", "crop", "size", "device"}
)
PROVENANCE = frozenset(
    {"device", "finished", "python", "system", "versions", "seconds", "ideal_seconds", "seconds_by_method"}
    | {"images_computed", "chosen"}
)


def dropped(_aliases: Aliases, _record: Any, _value: Any) -> str:
    """Nothing in its place."""
    return ""


def sentence(aliases: Aliases, _record: Any, value: str) -> str:
    """A text with aliases for the names in it."""
    return aliases.text(value)


def layer(aliases: Aliases, _record: Any, value: str) -> str:
    """The alias of a layer."""
    return aliases.layer(value)


def layers(aliases: Aliases, _record: Any, value: tuple[str, ...]) -> tuple[str, ...]:
    """The aliases of layers."""
    return tuple(map(aliases.layer, value))


def image_name(aliases: Aliases, _record: Any, value: str) -> str:
    """The alias of an image's name."""
    return aliases.image(value)


def image_id(aliases: Aliases, _record: Any, value: str) -> str:
    """The alias of an image's id."""
    return aliases.image_id(value)


def class_name(aliases: Aliases, record: Any, value: str) -> str:
    """The alias of a class, by the index that stands beside its name where one does."""
    return aliases.class_of(value, getattr(record, "index", None)) if value else ""


def named_values(aliases: Aliases, _record: Any, value: tuple[tuple[str, float], ...]) -> tuple[tuple[str, float], ...]:
    """Classes with their values."""
    return tuple((aliases.class_of(name), number) for name, number in value)


def sentences(aliases: Aliases, _record: Any, value: Any) -> Any:
    """Texts in tuples and as keys or values of tables, with aliases for the names in them."""
    if isinstance(value, str):
        return aliases.text(value)
    if isinstance(value, tuple):
        return tuple(sentences(aliases, None, part) for part in value)
    if isinstance(value, Mapping):
        return {aliases.text(key): sentences(aliases, None, part) for key, part in value.items()}
    return value


def values(aliases: Aliases, _record: Any, value: Mapping[str, Any]) -> dict[str, Any]:
    """A table whose values that are texts have aliases for the names in them."""
    return {
        key: aliases.layers.get(part, aliases.text(part)) if isinstance(part, str) else part
        for key, part in value.items()
    }


def methods_at(aliases: Aliases, _record: Any, value: tuple[str, ...]) -> tuple[str, ...]:
    """Methods, some with the layer that they read."""
    return tuple(map(aliases.method_at, value))


def numbers(_aliases: Aliases, _record: Any, value: Mapping[str, Any]) -> dict[str, Any]:
    """A table without its texts."""
    return {key: part for key, part in value.items() if not isinstance(part, str)}


def _settings(aliases: Aliases, _record: Any, value: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that name no file, folder, class or network."""
    plain = {key: part for key, part in value.items() if key in SETTINGS or isinstance(part, int | float | bool)}
    if re.fullmatch(r"top:\d+|label", str(value.get("classes"))):
        plain["classes"] = value["classes"]
    chosen = value.get("layers")
    if isinstance(chosen, list | tuple) and chosen:
        plain["layers"] = [aliases.layer(str(name)) for name in chosen]
    return plain


def _maximized_title(aliases: Aliases, record: inspection.MaximizedRecord, value: str) -> str:
    return aliases.text(value) if record.layer else aliases.class_of(value, record.channel)


RULES: dict[tuple[type, str], Rule] = {
    (run.RunRecord, "fingerprint"): lambda _, __, value: sha256(f"anonymous {value}".encode()).hexdigest()[:32],
    (run.RunRecord, "settings"): _settings,
    (run.RunRecord, "provenance"): lambda _, __, value: {key: part for key, part in value.items() if key in PROVENANCE},
    (run.RunRecord, "stages_not_applicable"): sentences,
    (run.RunRecord, "notices"): sentences,
    (run.RunRecord, "identity"): lambda _, __, ___: Identity(),
    (run.RunRecord, "files"): lambda _, __, ___: {},  # those of the copy are listed when they are written
    (run.Skipped, "name"): lambda aliases, _, value: aliases.file(value),
    (run.Skipped, "reason"): sentence,
    (run.Skipped, "content"): dropped,
    (network.NetworkRecord, "name"): lambda *_: "the model",
    (network.NetworkRecord, "weights"): lambda *_: "not named",
    (network.NetworkRecord, "preprocessing"): sentence,
    (network.NetworkRecord, "scores"): sentence,
    (network.NetworkRecord, "reason"): sentence,
    (network.NetworkRecord, "default_layer"): layer,
    (network.NetworkRecord, "averaged_layer"): layer,
    (network.NetworkRecord, "names"): lambda aliases, _, names: tuple(
        aliases.class_of(name, index) for index, name in enumerate(names)
    ),
    (network.NetworkRecord, "loader"): dropped,
    (network.LayerRecord, "name"): layer,
    (network.LayerRecord, "type"): lambda aliases, _, value: aliases.type(value),
    (MethodInfo, "options"): values,
    (images.ClassScore, "name"): class_name,
    (images.Label, "name"): class_name,
    (images.Evidence, "notes"): values,
    (images.MapRecord, "key"): lambda aliases, record, _: array_key(
        record.method, aliases.layer(record.layer), record.target
    ),
    (images.MapRecord, "layer"): layer,
    (images.NotApplicableRecord, "reason"): sentence,
    (images.NotApplicableRecord, "layer"): layer,
    (images.ImageRecord, "id"): image_id,
    (images.ImageRecord, "name"): image_name,
    (images.ImageRecord, "content"): lambda aliases, _, value: aliases.content(value),
    (images.ImageRecord, "reading"): sentence,
    (metrics.MapMetrics, "layer"): layer,
    (metrics.ImageMetrics, "blind"): sentences,
    (metrics.RandomizationResult, "layer"): layer,
    (metrics.MethodTest, "layer"): layer,
    (metrics.MetricPrecision, "reason"): sentence,
    (metrics.Precision, "layer"): layer,
    (metrics.Precision, "reason"): sentence,
    (evidence.Check, "reason"): sentence,
    (evidence.MethodEvidence, "layer"): layer,
    (evidence.MethodEvidence, "same_as"): lambda aliases, _, value: aliases.method_at(value),
    (evidence.MethodEvidence, "same_because"): sentence,
    (evidence.MethodEvidence, "not_applicable"): sentence,
    (evidence.MeasureEvidence, "left_out"): sentences,
    (evidence.Evidence, "recommended"): methods_at,
    (evidence.Evidence, "avoid"): methods_at,
    (evidence.Evidence, "text"): sentences,
    (evidence.Evidence, "limits"): sentences,
    (inspection.KernelRecord, "layer"): layer,
    (inspection.ReceptiveFieldRecord, "layer"): layer,
    (inspection.ChannelStatsRecord, "layer"): layer,
    (inspection.UnitRecord, "image"): image_id,
    (inspection.TopImagesRecord, "layer"): layer,
    (inspection.TopImagesRecord, "classes"): named_values,
    (inspection.MaximizedRecord, "title"): _maximized_title,
    (inspection.MaximizedRecord, "layer"): layer,
    (inspection.MaximizedRecord, "top_image"): image_id,
    (inspection.InvertedRecord, "layer"): layer,
    (inspection.ClassMapRecord, "name"): class_name,
    (inspection.ImageInspection, "image"): image_id,
    (inspection.ImageInspection, "layers"): layers,
    (inspection.ImageInspection, "target"): class_name,
    (inspection.ImageInspection, "units"): lambda aliases, _, units: tuple(
        (aliases.layer(name), anonymous(entries, aliases)) for name, entries in units
    ),
    (inspection.InspectionRecord, "not_applicable"): sentences,
    (labels.LabelCounts, "name"): class_name,
    (labels.LabelErrors, "image"): image_id,
    (labels.LabelErrors, "name"): image_name,
    (labels.LabelErrors, "missed"): named_values,
    (labels.LabelErrors, "extra"): named_values,
    (predictions.Prediction, "image"): image_id,
    (predictions.Prediction, "name"): image_name,
    (predictions.Prediction, "label"): class_name,
    (predictions.Prediction, "predicted"): class_name,
    (predictions.Predictions, "confusion"): lambda aliases, _, rows: tuple(
        sorted((aliases.class_of(label), aliases.class_of(predicted), count) for label, predicted, count in rows)
    ),
    (training.TrainingRecord, "data"): lambda *_: "images",
    (training.TrainingRecord, "settings"): numbers,
    (training.TrainingRecord, "stopped"): sentence,
    (training.ClassCounts, "name"): class_name,
    (training.Snapshot, "file"): lambda _, record, __: f"epoch {record.epoch}",
    (training.Frame, "predicted"): class_name,
    (training.SnapshotSeries, "image"): image_id,
    (training.SnapshotSeries, "target"): class_name,
}


def anonymous(record: Record, aliases: Aliases) -> Record:
    """A record, or a tuple or table of records, with aliases in the place of all names."""
    return _anonymous(record, aliases)  # type: ignore[no-any-return]


def _anonymous(value: Any, aliases: Aliases) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: _field(value, field.name, aliases) for field in fields(value)})
    if isinstance(value, tuple):
        return tuple(_anonymous(part, aliases) for part in value)
    if isinstance(value, dict):
        return {key: _anonymous(part, aliases) for key, part in value.items()}
    return value


def _field(record: Any, name: str, aliases: Aliases) -> Any:
    rule, value = RULES.get((type(record), name)), getattr(record, name)
    if value is None:
        return None
    return rule(aliases, record, value) if rule else _anonymous(value, aliases)
