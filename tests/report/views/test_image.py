"""The head of an image page: the first row, the bars of scores, tiles with their twins, and classes by methods."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cnnvis_report.records.evidence import Check, Evidence, MethodEvidence, Standing
from cnnvis_report.records.images import ImageRecord, Label
from cnnvis_report.records.metrics import ImageMetrics, MapMetrics
from cnnvis_report.report.pictures.encode import QUALITIES
from cnnvis_report.report.views.image.lead import COLUMNS, columns, lead, score_bars
from cnnvis_report.report.views.image.tiles import Tile, scale_ends, sections
from cnnvis_report.report.views.report import Report
from cnnvis_report.store import load_run


def judged(report: Path, **more: MethodEvidence) -> Report:
    """The report with an evidence of two methods that are best, and others as they are given."""
    made = Report(load_run(report), QUALITIES[0])
    verdicts = {
        "occlusion": MethodEvidence("occlusion", "", Standing.BEST),
        "grad_cam": MethodEvidence("grad_cam", "features", Standing.COMPARABLE),
    } | more
    vars(made)["evidence"] = Evidence(4, "", "", (), tuple(verdicts.values()), ("occlusion", "grad_cam"))
    return made


@pytest.fixture
def image(report: Path) -> ImageRecord:
    return next(load_run(report).images())


def known(image: ImageRecord, index: int | None) -> ImageRecord:
    return replace(image, label=Label("a label", index), labels=())


def test_the_first_row_compares_the_prediction_with_the_label_or_with_the_runner_up(
    report: Path, image: ImageRecord
) -> None:
    first, second, third = image.targets
    for label, other in ((first, second), (second, second), (third, third)):
        row = lead(judged(report), known(image, label.index))
        assert row is not None and (row.method.name, row.first, row.other) == ("occlusion", first, other)
    row = lead(judged(report), replace(image, targets=(first,)))
    assert row is not None and row.other is None


def test_a_method_without_a_map_of_the_image_leads_nothing(report: Path, image: ImageRecord) -> None:
    without = replace(image, maps=tuple(record for record in image.maps if record.method != "occlusion"))
    row = lead(judged(report), without)
    assert row is not None and row.method.name == "grad_cam"
    assert lead(judged(report), replace(image, targets=(), maps=())) is None


def test_the_sentence_is_made_of_what_was_measured(report: Path, image: ImageRecord) -> None:
    second = image.targets[1]
    values = {"relevance_mass_accuracy": 0.4123, "pointing_game": 0.0}
    scored = MapMetrics("occlusion", "", second.index, values, {})
    measured = ImageMetrics((scored,), (), {"relevance_mass_accuracy": (0.1, 0.2)}, {}, {})
    row = lead(judged(report), replace(image, localization=measured, metrics=None))
    assert row is not None
    (sentence,) = row.sentences
    assert sentence.startswith(f"Occlusion for {second.name}: ") and "41.2% (random maps: 15.0%)" in sentence
    assert sentence.endswith("its peak lies beside the object.")
    blind = replace(measured, blind=dict.fromkeys(values, "a mask of everything"))
    row = lead(judged(report), replace(image, localization=blind, metrics=None))
    assert row is not None and row.sentences == (), "what an image can't tell isn't said"


def test_bars_are_of_the_highest_scores_and_of_all_that_is_explained(image: ImageRecord) -> None:
    last = replace(image.top[-1], index=99, name="far below")
    bars = score_bars(known(replace(image, targets=(*image.targets, last)), image.top[1].index))
    assert [bar.score for bar in bars] == [*image.top, last]
    assert [bar.explained for bar in bars] == [True] * 3 + [False] * (len(image.top) - 3) + [True]
    assert [bar.label for bar in bars].index(True) == 1


def tiles(report: Report, image: ImageRecord) -> dict[str, Tile]:
    stored = next(record for record in report.stored.images() if record.id == image.id)
    ends = scale_ends(report.run, image, report.stored.maps(stored))
    return {tile.method.name: tile for section in sections(report, image, ends) for tile in section.tiles}


def test_twins_are_one_tile_and_failed_checks_say_why(report: Path, image: ImageRecord) -> None:
    twin = MethodEvidence("cam", "", Standing.COMPARABLE, same_as="grad_cam", same_because="the head is linear")
    failed = Check("completeness", False, None, "misses the score by half")
    passed, open_check = replace(failed, passed=True), replace(failed, passed=None, reason="too few images")
    doubtful = MethodEvidence("gradient", "", Standing.FAILED, checks=(passed, failed, open_check))
    shown = tiles(judged(report, cam=twin, gradient=doubtful), image)
    assert "cam" not in shown and [(info.name, why) for info, why in shown["grad_cam"].same] == [
        ("cam", "the head is linear")
    ]
    assert shown["gradient"].warnings == ("misses the score by half",) and shown["occlusion"].warnings == ()
    without = replace(image, maps=tuple(record for record in image.maps if record.method != "grad_cam"))
    assert "cam" in tiles(judged(report, cam=twin), without), "nothing stands for it where the other has no map"


def test_a_scale_has_its_numbers_without_scripts(report: Path, image: ImageRecord) -> None:
    made = judged(report)
    arrays = made.stored.maps(image)
    record = next(record for record in image.maps if record.method == "gradient")
    values = np.abs(made.run.method("gradient").shown(arrays[record.key]))
    end, largest = scale_ends(made.run, image, arrays)["gradient"]
    assert largest == pytest.approx(float(values.max())) and end == pytest.approx(
        float(np.quantile(values, 0.99, method="inverted_cdf"))
    )
    low, middle, high, whose = tiles(made, image)["gradient"].scale
    assert low.startswith("≤ −") and middle == "0" and high.startswith("≥ ") and whose == "99th percentile of this map"
    assert tiles(made, image)["grad_cam"].scale[:2] == ("0", "")


def test_a_map_of_zeros_has_no_largest_value(report: Path, image: ImageRecord) -> None:
    """Its colors still need an end, which is none of its values."""
    made = judged(report)
    arrays = {key: np.zeros_like(values) for key, values in made.stored.maps(image).items()}
    ends = scale_ends(made.run, image, arrays)
    scales = {tile.method.name: tile.scale for part in sections(made, image, ends) for tile in part.tiles}
    assert {scale[3] for scale in scales.values() if scale} == {"0 everywhere in this map"}


def test_columns_are_the_best_of_each_family_and_none_that_is_doubtful(report: Path, image: ImageRecord) -> None:
    names = [method.name for method in columns(judged(report), image)]
    assert names[:2] == ["occlusion", "grad_cam"] and len(names) == COLUMNS
    infos = {method.name: method for method in load_run(report).record.methods}
    assert len({infos[name].family for name in names}) == COLUMNS, "one of each family first"
    assert not any(infos[name].baseline or infos[name].class_agnostic for name in names)
    failed = {name: MethodEvidence(name, "", Standing.FAILED) for name in infos if infos[name].family == "gradients"}
    rest = [method.name for method in columns(judged(report, **failed), image)]
    assert "occlusion" in rest and not set(rest) & set(failed)
