"""The house: a package imports from floors below its own, or from itself; and what may be where."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "cnnvis_report"

# A row a package; modules that lie at the top have one of their own. docs/architecture.md says what is on each floor.
FLOORS = {
    "errors": 0,
    "progress": 0,
    "extensions": 1,
    "records": 1,
    "evidence": 2,
    "settings": 2,
    "rules": 3,
    "store": 3,
    "data": 4,
    "evaluation": 4,
    "isolation": 3,
    "engine": 5,
    "synthetic": 5,
    "comparison": 5,
    "report": 6,
    "models": 6,
    "inspection": 6,
    "methods": 7,
    "training": 7,
    "sharing": 7,
    "pipeline": 8,
    "distributed": 9,
    "__init__": 9,
    "plugin": 9,
    "cli": 10,
    "live": 11,
    "__main__": 12,
}
INNER = {  # floors within a package, where it has several
    "engine": {"passes": 0, "rounding": 0, "graph": 1, "outputs": 2, "rules": 3, "": 4},
    "report": {
        "pictures": 0,
        "titles": 0,
        "bibtex": 0,
        "citation": 1,
        "links": 0,
        "charts": 1,
        "figure": 1,
        "report": 1,
        "payload": 1,
        "views": 1,
        "": 2,
    },
    "pipeline": {"": 0, "stages": 0, "inspection": 0, "identity": 0, "repeatability": 0},
}
WITHOUT_TORCH = {
    "errors",
    "progress",
    "extensions",
    "records",
    "evidence",
    "settings",
    "rules",
    "store",
    "comparison",
    "report",
    "sharing",
}
AT_THE_TOP = 5
# loose modules of a folder and of those within; more of a kind are a package, named for what lies there
IN_A_FOLDER = {"cli": 15, "data": 15, "models": 15, "pipeline": 15, "report": 17, "report/views": 15, "store": 15}
MODULES = sorted(PACKAGE.rglob("*.py"))


def room(parts: tuple[str, ...]) -> str:
    """The package, or the module at the top, that something is in."""
    return parts[0]


def located(path: Path) -> tuple[str, ...]:
    return path.relative_to(PACKAGE).with_suffix("").parts


@cache
def imports(path: Path, *, at_import: bool = False, types: bool = False) -> set[str]:
    """What a file imports, as dotted names; those in functions too, unless `at_import`; those for types if asked."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found = set()
    for node in tree.body if at_import else ast.walk(tree):
        if id(node) in typing_only and not types:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def ours(names: set[str]) -> set[tuple[str, ...]]:
    return {tuple(name.split(".")[1:]) for name in names if name.startswith("cnnvis_report.")}


def test_every_module_has_a_floor() -> None:
    assert not {room(located(path)) for path in MODULES} - FLOORS.keys()


def climbs(path: Path) -> Iterator[str]:
    """The imports of a module that don't go down, in sentences."""
    own = located(path)
    for parts in ours(imports(path)):
        if room(parts) not in FLOORS:
            continue
        names = f"{'.'.join(own)} imports {'.'.join(parts)}"
        if FLOORS[room(parts)] >= FLOORS[room(own)] and room(parts) != room(own):
            yield f"{names}, which is on floor {FLOORS[room(parts)]}"
        inner = INNER.get(room(own), {})
        if room(parts) == room(own) and len(own) > 1 and len(parts) > 1:
            floors = [inner.get(where[1], inner.get("", 0)) for where in (parts, own)]
            if floors[0] > floors[1]:
                yield f"{names}, which is above it"


def test_imports_go_down() -> None:
    public = PACKAGE / "__init__.py"  # what is public is looked up there
    assert [sentence for path in MODULES if path != public for sentence in climbs(path)] == []


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Imports in functions and those for types count: two modules that need each other are one."""
    graph = {}
    known = {located(path) for path in MODULES}
    for path in MODULES:
        name = located(path)
        graph[name] = {parts for parts in ours(imports(path, types=True)) if parts in known and parts != name}
    done: set[tuple[str, ...]] = set()

    def visit(name: tuple[str, ...], above: tuple[tuple[str, ...], ...]) -> None:
        assert name not in above, " imports ".join(".".join(each) for each in (*above[above.index(name) :], name))
        if name not in done:
            for other in graph[name]:
                visit(other, (*above, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def test_few_modules_lie_at_the_top() -> None:
    assert len(list(PACKAGE.glob("*.py"))) <= AT_THE_TOP


@pytest.mark.parametrize(("folder", "limit"), IN_A_FOLDER.items(), ids=IN_A_FOLDER)
def test_few_modules_lie_loose(folder: str, limit: int) -> None:
    packages = {path.parent for path in (PACKAGE / folder).rglob("__init__.py")}
    assert [path.relative_to(PACKAGE) for path in packages if len(list(path.glob("*.py"))) - 1 > limit] == []


def test_the_report_side_knows_no_torch() -> None:
    """Neither do the modules of other packages that it imports, whatever else is in those packages."""
    by_name = {located(path): path for path in MODULES}
    waiting = [path for path in MODULES if room(located(path)) in WITHOUT_TORCH or located(path) == ("cli", "main")]
    seen = set(waiting)
    while waiting:
        path = waiting.pop()
        names = imports(path, at_import=True)
        assert not {name.split(".")[0] for name in names} & {"torch", "torchvision"}, path
        for parts in ours(names):
            other = by_name.get(parts)
            if other is not None and other not in seen:
                seen.add(other)
                waiting.append(other)


@pytest.mark.parametrize(
    ("side", "other"),
    [
        ("report", {"pipeline", "training", "engine", "methods", "models"}),
        ("pipeline", {"report"}),
        ("training", {"report"}),
    ],
)
def test_explaining_and_reporting_never_see_each_other(side: str, other: set[str]) -> None:
    for path in MODULES:
        if room(located(path)) == side:
            assert not {room(parts) for parts in ours(imports(path))} & other, path


def test_nothing_above_the_command_line_knows_click() -> None:
    for path in MODULES:
        assert room(located(path)) in ("cli", "__main__") or "click" not in imports(path), path


def test_records_need_numpy_alone() -> None:
    allowed = {"numpy", "cnnvis_report"}
    import sys

    for path in MODULES:
        if room(located(path)) == "records":
            outside = {name.split(".")[0] for name in imports(path)} - allowed - sys.stdlib_module_names
            assert not outside, f"{path}: {outside}"


LENGTHS = {"cnnvis_report/**/*.py": 250, "static/**/*.js": 130, "tests/**/*.py": 300}


@pytest.mark.parametrize(("files", "limit"), LENGTHS.items(), ids=LENGTHS)
def test_files_stay_short_enough_to_see(files: str, limit: int) -> None:
    paths = list(ROOT.glob(files))
    lengths = {path.relative_to(ROOT): len(path.read_text(encoding="utf-8").splitlines()) for path in paths}
    assert len(paths) > 20
    assert {path: length for path, length in lengths.items() if length > limit} == {}


def test_private_names_of_pytorch_stay_in_one_file() -> None:
    for path in MODULES:
        if located(path) != ("engine", "graph", "nodes"):
            text = path.read_text(encoding="utf-8")
            assert "_saved_" not in text and "_input_metadata" not in text and "_sequence_nr" not in text, path


def called(path: Path) -> set[str]:
    """Names of the functions, methods and classes that a file calls."""
    calls = [node.func for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    return {getattr(call, "id", getattr(call, "attr", "")) for call in calls}


def test_one_module_of_the_pipeline_explains() -> None:
    """Only `explain_batch` runs methods on a tape; others may open one to read layers, and run no method."""
    readers = {("pipeline", "inspection", "image_inspector"), ("pipeline", "inspection", "unit_pictures")}
    for path in MODULES:
        if room(located(path)) == "pipeline" and located(path) != ("pipeline", "explaining", "explain_batch"):
            names = called(path)
            assert not names & {"run_tasks", "replay"}, path
            assert "Tape" not in names or located(path) in readers, path
