"""A run's command, its files, and a run that is interrupted."""

import json
from pathlib import Path
from typing import Any

import pytest

from cnnvis_report.pipeline.stages import explain as running

RUN = ("run", "tests.factories:tiny")
FEW = ("--methods", "grad_cam,saliency,random", "--device", "cpu", "--batch-size", "2")


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def without_provenance(folder: Path) -> dict[str, bytes]:
    """All files, less the one block that may differ between two runs."""
    found = files(folder)
    del found["data/provenance.js"]
    found.pop("data/rendered.json", None)  # which has a digest of it
    head, images = found["run.json"].split(b'\n"images": [', 1)
    content = json.loads(head.rstrip(b",") + b"}")
    del content["run"]["provenance"]
    return found | {"run.json": json.dumps(content).encode() + images}


class Stop(Exception):
    pass


def interrupted(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Make the run fail when so many images are done."""
    done: list[str] = []
    plain = running._go_on

    def write(writer: Any, finished: int | None, results: Any) -> None:
        plain(writer, finished, [])
        for result in results:
            if len(done) == after:
                raise Stop
            plain(writer, None, [result])
            done.append(result)

    monkeypatch.setattr(running, "_go_on", write)
