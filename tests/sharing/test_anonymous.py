"""A copy without names: no file of it says what the run's files, classes, layers or network are called."""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest

from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.run import RunRecord
from cnnvis_report.report.loaded_report import load_report
from cnnvis_report.sharing.aliases import Aliases
from cnnvis_report.sharing.anonymize import RULES
from cnnvis_report.store import load_run
from tests.conftest import command

# fields of records with texts that name no image, class, layer or network
NAMELESS = {
    "LayerRecord": {"kind", "layout"},
    "NetworkRecord": {"kind", "quantity"},
    "ConversionRecord": {"library"},
    "MethodInfo": {"name", "title", "family", "source", "preset", "summary", "text", "formula", "notes"},
    "Equality": {"method", "because"},
    "RunRecord": {"passes_per_image"},
    "MapRecord": {"method"},
    "NotApplicableRecord": {"method"},
    "MapMetrics": {"method", "values", "curves"},
    "ImageMetrics": {"random", "ranges"},
    "MetricInfo": {"name", "title", "description", "source"},
    "RandomizationResult": {"method"},
    "MethodTest": {"name", "method"},
    "MetricPrecision": {"metrics", "worst"},
    "Precision": {"method"},
    "Evaluation": {"budget"},
    "Check": {"name"},
    "MethodEvidence": {"method", "measures"},
    "MeasureEvidence": {"name"},
    "Evidence": {"faithfulness", "localization"},
    "MaximizedRecord": {"init"},
    "InspectionRecord": {"budget", "projection_rules"},
    "SnapshotSeries": {"methods"},
    "StoredFile": {"sha256"},
}


def text_fields(kind: Any, seen: set[Any]) -> Iterator[tuple[type, str]]:
    """The fields of a record, and of the records in it, whose types have texts in them."""
    if is_dataclass(kind) and isinstance(kind, type) and kind not in seen:
        seen.add(kind)
        hints = get_type_hints(kind)
        for field in fields(kind):
            if has_text(hints[field.name]):
                yield kind, field.name
            yield from text_fields(hints[field.name], seen)
    for inner in get_args(kind):
        yield from text_fields(inner, seen)


def has_text(kind: Any, depth: int = 0) -> bool:
    if isinstance(kind, type) and issubclass(kind, Enum):
        return False
    return kind is str or (depth < 6 and any(has_text(inner, depth + 1) for inner in get_args(kind)))


def test_every_text_of_a_record_has_a_rule_or_names_nothing() -> None:
    seen: set[Any] = set()
    texts = [*text_fields(RunRecord, seen), *text_fields(ImageRecord, seen)]
    undecided = [
        f"{kind.__name__}.{name}"
        for kind, name in texts
        if (kind, name) not in RULES and name not in NAMELESS.get(kind.__name__, ())
        if kind.__name__ not in ("Identity",)  # which is dropped as a whole
    ]
    assert not undecided


def test_no_file_of_the_copy_has_a_name(named: Path) -> None:
    copy = named.parent / "anonymous-report"
    paths = [path for path in copy.rglob("*") if path.is_file()]
    assert len(paths) > 30
    telling = [path for path in paths if re.search(b"secret", path.read_bytes(), re.IGNORECASE)]
    assert not telling and not [path for path in paths if "secret" in path.relative_to(copy).as_posix().lower()]


def test_nor_has_the_zip_file(named: Path) -> None:
    with zipfile.ZipFile(named.parent / "anonymous-report.zip") as archive:
        names = archive.namelist()
        assert "anonymous-report/run.json" in names and "anonymous-report/index.html" in names
        assert not [name for name in names if b"secret" in name.encode().lower() + archive.read(name).lower()]


def test_the_report_itself_keeps_its_names(named: Path) -> None:
    assert "The secret title" in (named / "index.html").read_text(encoding="utf-8")


def test_the_copy_is_a_run_with_the_same_numbers(named: Path) -> None:
    copy = load_report(named.parent / "anonymous-report")
    original = load_report(named)
    assert [image.record.name for image in copy] == ["image 1", "image 2"]
    assert copy.metrics.keys() == original.metrics.keys()
    for one, other in zip(original, copy, strict=True):
        assert [score.logit for score in one.record.top] == [score.logit for score in other.record.top]
        assert one.record.correct == other.record.correct
        arrays = load_run(named).maps(one.record), load_run(copy.folder).maps(other.record)
        for record, renamed in zip(one.record.maps, other.record.maps, strict=True):
            np.testing.assert_array_equal(arrays[0][record.key], arrays[1][renamed.key])


def test_classes_are_numbered_by_their_index_and_layers_part_by_part(named: Path) -> None:
    copy = load_run(named.parent / "anonymous-report")
    assert {score.name for image in copy.images() for score in image.top} == {"class 0", "class 1", "class 2"}
    assert all(image.label and image.label.name == f"class {image.label.index}" for image in copy.images())
    names = {layer.name: layer.type for layer in copy.record.network.layers}
    assert names["module1"] == "Module" and names["module1.module2"] == "Conv2d" and "head.0" in names
    network = copy.record.network
    assert (network.name, network.weights, network.loader) == ("the model", "not named", "")
    assert "command" not in copy.record.provenance and "files" not in copy.record.provenance
    assert not {"model", "images", "class_names", "title"} & copy.record.settings.keys()


def test_render_writes_the_same_copy_with_a_title_of_its_own(named: Path, tmp_path: Path) -> None:
    result = command("render", named, "--anonymous", "--copy", tmp_path / "copy", "--title", "Submission 12")
    assert str(tmp_path / "copy" / "index.html") in result.output
    assert "Submission 12" in (tmp_path / "copy" / "index.html").read_text(encoding="utf-8")
    command("render", named, "--title", "The secret title")  # as it was for others


@pytest.mark.parametrize(
    ("sentence", "anonymous"),
    [
        pytest.param("secret_cat/secret0.png: cut short.", "image 1: cut short.", id="path"),
        pytest.param("In secret0.png, 'secret_cat' wins.", "In image 1, 'class 0' wins.", id="class"),
        pytest.param("secretlab has no positions.", "module1 has no positions.", id="layer"),
        pytest.param("Give resnet50 instead.", "Give the model instead.", id="another network"),
        pytest.param("Weights of resnet50.a1_in1k?", "Weights of the model?", id="tag of timm"),
        pytest.param("Nothing to hide: 12 images.", "Nothing to hide: 12 images.", id="nothing"),
    ],
)
def test_sentences_lose_names(named: Path, sentence: str, anonymous: str) -> None:
    run = load_run(named)
    assert Aliases(run.record, run.images()).text(sentence) == anonymous
