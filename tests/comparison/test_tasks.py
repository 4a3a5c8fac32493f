"""What is said of networks that don't classify: no accuracy, values that moved, regions and boxes."""

from dataclasses import replace
from pathlib import Path

import pytest

from cnnvis_report.comparison.compare import compare_runs
from cnnvis_report.records.scores import ScoreKind
from cnnvis_report.report.comparison.report import predicted
from cnnvis_report.report.comparison.write import write_comparison
from cnnvis_report.store.run_folder import StoredRun
from tests.comparison.runs import Planted, planted_run
from tests.evidence.records import NETWORK


def planted(folder: Path, kind: ScoreKind) -> list[StoredRun]:
    """Two runs of three images; the first output is 2, 3 and 5 in one, and 2.5, 2 and 1 in the other."""
    values = {"old": (2.0, 3.0, 5.0), "new": (2.5, 2.0, 1.0)}
    return [
        planted_run(
            folder / name,
            [
                Planted(f"{number}.png", int(kind.has_classes and (name, number) == ("new", 2)), None, logit=value)
                for number, value in enumerate(of_run)
            ],
            network=replace(NETWORK, kind=kind),
        )
        for name, of_run in values.items()
    ]


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (ScoreKind.VALUE, "Values of cat differ by 1.00 in the median image, by 4.00 at most (2.png)."),
        (ScoreKind.SEGMENTATION, "The class of the largest region changed on 1 of 3 images."),
        (ScoreKind.DETECTION, "The class of the box with the highest score changed on 1 of 3 images."),
        (ScoreKind.SOFTMAX, "Changed on 1 of 3 images."),
    ],
)
def test_predictions_are_said_in_the_words_of_the_task(kind: ScoreKind, says: str, tmp_path: Path) -> None:
    texts = {finding.topic: finding.text for finding in compare_runs(planted(tmp_path, kind), "").findings}
    assert texts["Predictions"] == says
    assert ("Accuracy" in texts) is (kind is ScoreKind.SOFTMAX)


def test_values_are_shown_in_the_place_of_classes(tmp_path: Path) -> None:
    runs = planted(tmp_path, ScoreKind.VALUE)
    comparison = compare_runs(runs, "")
    (tmp_path / "pages").mkdir()
    write_comparison(comparison, runs, tmp_path / "pages")
    (last,) = (image for image in comparison.images if image.name == "2.png")
    assert [predicted(prediction) for prediction in last.predictions] == ["cat = 5", "cat = 1"]
    page = (tmp_path / "pages" / "index.html").read_text("utf-8")
    assert "cat = 5 → cat = 1" in page and "same class" not in page
    assert "→ nothing" not in page and "nothing →" not in page
