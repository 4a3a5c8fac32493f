"""What the shell completes: methods, models, layers, words and files."""

from typing import Any

import pytest
from click.shell_completion import ShellComplete

from cnnvis_report.cli.main import cli
from cnnvis_report.cli.options.types import complete
from cnnvis_report.methods.registry import methods
from tests.fixtures.make_run import FOLDER


def completed(*words: str, incomplete: str) -> list[str]:
    shell = ShellComplete(cli, {}, "cnnvis-report", "_CNNVIS_REPORT_COMPLETE")
    return [item.value for item in shell.get_completions(list(words), incomplete)]


@pytest.mark.parametrize(
    ("words", "incomplete", "expected"),
    [
        ((), "insp", ["inspect"]),
        (("run", "resnet50", "a", "-m"), "grad_cam", ["grad_cam", "grad_cam_plus_plus"]),
        (("run", "resnet50", "a", "-m"), "cam,rise,quic", ["cam,rise,quick"]),
        (("methods",), "lim", ["lime"]),
        (("run",), "resnet1", ["resnet101", "resnet152", "resnet18", "resnet1"]),
        (("methods", "--for"), "googl", ["googlenet", "googl"]),
        (("layers", "tests.factories:tiny", "-w", "x", "--size"), "", []),
        (("run", "tests.factories:tiny", "a", "-l"), "features.0", ["features.0"]),
        (("run", "no_such_network", "a", "-l"), "fea", []),
        (("run", "resnet50", "a", "--inspect"), "s", ["standard"]),
        (("run", "resnet50", "a"), "--sel", ["--select"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_follows(words: Any, incomplete: Any, expected: Any) -> None:
    assert completed(*words, incomplete=incomplete) == expected


def test_a_figure_completes_what_its_run_has() -> None:
    words = ("figure", str(FOLDER))
    assert completed(*words, "--methods", incomplete="cam,gr") == ["cam,gradient"]
    assert completed(*words, "--images", incomplete="c") == ["cross/1.png"]
    assert completed("figure", "nowhere", "--images", incomplete="c") == []


def test_names_are_known_without_torch() -> None:
    assert complete("methods", {}, "") == ["quick", "standard", "all", *sorted(m.name for m in methods())]
    torchvision = pytest.importorskip("torchvision")
    offered = set(complete("models", {}, ""))
    assert offered <= set(torchvision.models.list_models(module=torchvision.models)) and len(offered) > 50
