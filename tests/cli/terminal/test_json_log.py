"""`--log-format json`: what a run says, for programs; one object a line, whatever happens."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import command
from tests.live.small import created, inputs

TINY = ("run", "tests.factories:tiny")
FEW = ("-m", "grad_cam,gradient,guided_backprop", "-c", "top:1", "--limit", "3", "--limit-order", "first")


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_every_line_is_an_object(drawn: Path, tmp_path: Path) -> None:
    result = command(*TINY, drawn, "-o", tmp_path / "r", *FEW, "--log-format", "json")
    assert result.stdout == f"Wrote {tmp_path / 'r' / 'index.html'}\n", "the result stands alone, as ever"
    said = events(result.stderr)
    kinds = list(dict.fromkeys(event["event"] for event in said))
    assert kinds[0] == "plan" and kinds[-1] == "pages"
    (plan,) = (event for event in said if event["event"] == "plan")
    assert plan["methods"] == ["grad_cam", "gradient", "guided_backprop"] and plan["images"] == 3
    for part in ("explain", "pages"):
        shares = [event["share"] for event in said if event["event"] == "progress" and event["part"] == part]
        assert shares[0] == 0 and shares[-1] == 1 and shares == sorted(shares)
    (cost,) = (event for event in said if event["event"] == "cost")
    assert cost["images"] == len(list((tmp_path / "r" / "images").glob("*.html"))) and set(
        cost["seconds_by_method"]
    ) == set(plan["methods"])
    assert any(event["event"] == "warning" and event["message"] for event in said), "two of the files are no images"


def test_a_change_and_an_error_are_objects_too(drawn: Path, tmp_path: Path) -> None:
    command(*TINY, drawn, "-o", tmp_path / "r", *FEW, "-q")
    said = events(command(*TINY, drawn, "-o", tmp_path / "r", *FEW, "--seed", "1", "--log-format", "json").stderr)
    assert any(event["event"] == "changed" and event["parts"] for event in said)
    refused = command(*TINY, tmp_path / "none", "-o", tmp_path / "s", "--log-format", "json", code=2)
    (error,) = events(refused.stderr)
    assert error["event"] == "error" and error["exit_code"] == 2 and "none" in error["message"]


def test_a_call_from_python_leaves_its_lines_to_logging(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.INFO, logger="cnnvis_report"):
        created([*inputs(), "absent.png"], tmp_path)
    assert any(record.levelno == logging.WARNING and "absent.png" in record.message for record in caplog.records)
    written = capfd.readouterr()
    assert not written.out and "Plan" not in written.err
