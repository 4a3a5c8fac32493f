"""The house: a module imports only from floors below its own, or from its own folder."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "cnnvis_report"

FLOORS = {
    "__init__": 0,
    "errors": 0,
    "allocation": 0,
    "records_worth": 0,
    "records_inside": 0,
    "records_training": 0,
    "records_answers": -1,
    "records_scores": -1,
    "records_network": 0,
    "records_labels": 0,
    "records_identity": 0,
    "records": 1,
    "files": 1,
    "ahead": 0,
    "refusals": 0,
    "records_json": 2,
    "store": 4,
    "graph": 0,
    "heads": 1,
    "walk": 1,
    "axes": 0,
    "steps": 1,
    "axis_rules": 2,
    "following": 3,
    "layouts": 1,
    "main_path": 4,
    "stage": 5,
    "score_layer": 7,
    "noise": 1,
    "reference": 1,
    "operands": 2,
    "preprocessing": 1,
    "passes": 0,
    "ledger": 2,
    "running": 1,
    "scores": 2,
    "endings": 2,
    "tails": 3,
    "bounds": 3,
    "ranges": 4,
    "reading": 5,
    "precision": 2,
    "eager": 1,
    "theirs": 1,
    "untouched": 2,
    "sound": 1,
    "examining": 3,
    "locking": 0,
    "own_state": 0,
    "restoring": 2,
    "freezing": 1,
    "calls": 6,
    "subject": 8,
    "forward_passes": 9,
    "gradients": 10,
    "registry": 2,
    "tape": 11,
    "rules": 8,
    "moments": 11,
    "fitting": 12,
    "architectures": 1,
    "loading": 9,
    "drawn": 10,
    "methods": 13,
    "evaluate": 12,
    "inside": 12,
    "pipeline": 14,
    "training": 14,
    "report": 14,
    "commandline": 15,
    "values": 15,
    "settings_file": 15,
    "switches": 16,
    "ticker": 0,
    "rounding": 0,
    "progress": 15,
    "console": 16,
    "listings": 16,
    "console_training": 17,
    "finishing": 17,
    "cli_training": 18,
    "cli": 19,
    "__main__": 20,
}
TORCH_FREE = {
    "allocation",
    "errors",
    "records",
    "records_worth",
    "records_inside",
    "records_training",
    "records_answers",
    "records_scores",
    "records_network",
    "records_labels",
    "records_identity",
    "switches",
    "files",
    "ahead",
    "refusals",
    "records_json",
    "store",
    "report",
    "theirs",
    "commandline",
    "values",
    "settings_file",
    "finishing",
    "cli_training",
    "cli",
}
MODULES = sorted(PACKAGE.rglob("*.py"))


def place(path: Path) -> str:
    """The name under which a file stands in the house: its own, or its folder's."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(path: Path) -> set[str]:
    """Everything a file imports where it is read from the top, as dotted names; lazy imports of the shell aside."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found = set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down(path):
    own = place(path)
    assert own in FLOORS, f"{own} has no floor"
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "cnnvis_report" and len(parts) > 1 and parts[1] in FLOORS and path.name != "__init__.py":
            below = FLOORS[parts[1]] < FLOORS[own] or parts[1] == own
            assert below, f"{own} (floor {FLOORS[own]}) imports {name} (floor {FLOORS[parts[1]]})"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_report_side_knows_no_torch(path):
    own = place(path)
    if own not in TORCH_FREE:
        return
    top = {node.module or "" for node in ast.parse(path.read_text()).body if isinstance(node, ast.ImportFrom)}
    top |= {a.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.Import) for a in node.names}
    heavy = {name for name in top if name.split(".")[0] in ("torch", "torchvision")}
    inner = {name.split(".")[1] for name in top if name.startswith("cnnvis_report.")} - TORCH_FREE - {own}
    assert not heavy and not inner


def test_the_explaining_and_the_report_side_never_see_each_other():
    for path in MODULES:
        sides = {"pipeline", "training"}
        if place(path) in sides | {"report"}:
            other = {"report"} if place(path) in sides else sides
            seen = {name.split(".")[1] for name in imports(path) if name.startswith("cnnvis_report.")}
            assert not seen & other, path


@pytest.mark.parametrize("path", [*MODULES, *sorted((ROOT / "static").rglob("*.js"))], ids=lambda path: path.name)
def test_files_stay_short_enough_to_see(path):
    limit = 280 if path.suffix == ".py" else 130
    assert len(path.read_text(encoding="utf-8").splitlines()) <= limit


def test_private_names_of_pytorch_stay_in_one_file():
    for path in MODULES:
        if path.name != "graph.py":
            text = path.read_text(encoding="utf-8")
            assert "_saved_" not in text and "_input_metadata" not in text and "_sequence_nr" not in text, path
