"""Settings that a user leaves to the program: a page says what was chosen."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cnnvis_report.records.metrics import Precision
from cnnvis_report.report.views.stated_settings import stated_settings
from cnnvis_report.store import load_run
from tests.conftest import command
from tests.fixtures.make_run import FOLDER

OPEN = {"device": "auto", "batch_size": None, "classes": "auto", "precision": "auto", "metrics": "auto"}


def stated(provenance: dict[str, Any], **changes: Any) -> dict[str, str]:
    record = load_run(FOLDER).record
    record = replace(record, settings={**record.settings, **OPEN, "inspect": "auto"}, **changes)
    return dict(stated_settings(replace(record, provenance=provenance)))


def test_what_auto_chose_stands_in_its_place() -> None:
    chosen = stated(
        {"device": "CPU, 2 threads", "chosen": {"batch_size": 8, "classes": "top:1,label"}}, inspection=None
    )
    assert chosen["device"] == "CPU, 2 threads (auto)"
    assert chosen["batch size"] == "8 (auto)" and chosen["classes"] == "top:1,label (auto)"
    assert chosen["inspect"] == "none (auto)" and chosen["precision"] == "float32 (auto)"
    assert "auto" not in chosen.values()


def test_methods_that_ran_in_bfloat16_are_named() -> None:
    record = load_run(FOLDER).record
    method = record.methods[0]
    checks = (Precision(method.name, "", 0.999, 4, used=True),)
    assert stated({}, precision=checks)["precision"] == f"bfloat16 for {method.title}, else float32 (auto)"


def test_what_an_earlier_version_has_not_recorded_stays_open() -> None:
    earlier = stated({})
    assert earlier["classes"] == "auto" and "batch size" not in earlier and earlier["device"] == "auto"


@pytest.mark.parametrize(("effort", "classes"), [("low", "top:1,label"), ("high", "top:3")])
def test_a_run_records_what_it_chose(effort: str, classes: str, tmp_path: Path) -> None:
    command("make-dataset", "shapes", "-o", tmp_path / "set", "-n", 5, "-q")
    run = ("run", "tests.factories:tiny", tmp_path / "set", "-o", tmp_path / "r", "-m", "gradient", "--limit", 2)
    command(*run, "--effort", effort, "-q")
    settings = dict(stated_settings(load_run(tmp_path / "r").record))
    assert settings["classes"] == f"{classes} (auto)" and settings["batch size"] == "2 (auto)"
    command(*run, "--classes", "top:1", "--batch-size", 1, "-q")
    settings = dict(stated_settings(load_run(tmp_path / "r").record))
    assert settings["classes"] == "top:1" and settings["batch size"] == "1"
