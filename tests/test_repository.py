"""What lies around the code: tasks, hosted files, and the documentation."""

import re
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.exhaustive import UNNAMED, UNREPRESENTED, represented
from tests.narrow import present

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
TASKS = PYPROJECT["tool"]["poe"]["tasks"]
YAML_FILES = sorted(
    [*(ROOT / ".github").rglob("*.yml"), ROOT / ".pre-commit-config.yaml", ROOT / "CITATION.cff", ROOT / "action.yml"]
)


def calls(text: str) -> set[str]:
    return set(re.findall(r"\bpoe ([a-z][a-z-]+)", text))


def test_there_is_a_task_for_each_habit() -> None:
    assert {"lint", "types", "test", "quick", "pages", "lint-pages", "docs", "bench"} <= TASKS.keys()
    assert all(task["help"].endswith(".") for task in TASKS.values())


@pytest.mark.parametrize("name", [".ci/run", ".github/workflows/ci.yml", "CONTRIBUTING.md", "docs/conf.py"])
def test_only_tasks_that_exist_are_called(name: str) -> None:
    assert calls((ROOT / name).read_text(encoding="utf-8")) <= TASKS.keys()


def test_ci_here_and_hosted_call_the_same_tasks() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    listed = present(re.search(r"for task in ([a-z -]+); do", script))[1]
    here = calls(script) | set(listed.split())
    hosted = calls((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    assert {"lint", "types", "lint-pages", "docs", "quick", "exhaustive"} <= here & hosted


@pytest.mark.parametrize("path", YAML_FILES, ids=lambda path: path.name)
def test_hosted_files_can_be_read(path: Path) -> None:
    yaml = pytest.importorskip("yaml", reason="PyYAML isn't installed")
    assert isinstance(yaml.safe_load(path.read_text(encoding="utf-8")), dict)


def test_every_test_is_in_one_of_two_tasks() -> None:
    """Those that `pytest` leaves out are those of `poe exhaustive`, and no other task tries them unasked."""
    assert "-m 'not exhaustive'" in PYPROJECT["tool"]["pytest"]["ini_options"]["addopts"]
    assert TASKS["test"]["cmd"] == "pytest" and TASKS["exhaustive"]["cmd"] == "pytest -m exhaustive"
    called = [step["cmd"].strip() for task in TASKS.values() for step in task.get("sequence", [task]) if "cmd" in step]
    chosen = [words for words in called if words.startswith("pytest") and "-m" in words]
    assert len(chosen) == 4 and all("not exhaustive" in words or words.endswith("-m exhaustive") for words in chosen)


def test_each_file_has_a_test_for_every_run(pytestconfig: pytest.Config) -> None:
    assert pytestconfig.stash[UNREPRESENTED] == [], "one of each kind isn't exhaustive"
    assert pytestconfig.stash[UNNAMED] == [], "these rows are looked for in files that say so"


def test_rows_that_stand_for_others_are_in_every_run() -> None:
    def marked(rows: list[Any]) -> list[Any]:
        return [row.values[0] for row in rows if row.marks]

    assert marked(represented("abcde", by=("b", "d"))) == ["a", "c", "e"]
    assert marked(represented(range(9), by=3)) == [1, 2, 3, 5, 6, 7] and marked(represented("ab", by=5)) == []
    assert marked(represented([pytest.param(1, id="one"), pytest.param(2, id="two")], by=("two",))) == [1]
    with pytest.raises(AssertionError, match="no rows are called"):
        represented("abc", by=("d",))


def test_the_folders_of_the_quick_part_exist() -> None:
    for word in TASKS["quick"]["cmd"].split():
        assert not word.startswith("tests/") or (ROOT / word).exists(), word


def test_the_lowest_versions_are_those_that_are_promised() -> None:
    promised = dict(entry.split(">=") for entry in PYPROJECT["project"]["dependencies"])
    lines = (ROOT / "constraints-lowest.txt").read_text(encoding="utf-8").splitlines()
    lowest = dict(line.split("==") for line in lines if "==" in line)
    for name, version in promised.items():
        assert lowest[name].removesuffix(".0").removesuffix(".0") == version.removesuffix(".0"), name


def test_the_citation_has_the_version() -> None:
    from cnnvis_report import __version__

    assert f"\nversion: {__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


LOADS = re.compile(
    r"""<(?:script|img|iframe|source|video|audio)\b[^>]*\bsrc=["']?(?:https?:)?//[^\s"'>]+"""
    r"""|<link\b(?![^>]*\brel=["']?(?:canonical|author|license|search)\b)[^>]*\bhref=["']?(?:https?:)?//[^\s"'>]+"""
    r"""|url\(["']?(?:https?:)?//[^)]+|@import\s+["'](?:https?:)?//[^"']+"""
)


@pytest.mark.skipif(not (find_spec("sphinx") and find_spec("furo") and find_spec("myst_parser")), reason="extra 'docs'")
@pytest.mark.exhaustive  # `poe docs` builds it too
def test_the_documentation_builds_without_warnings_and_loads_nothing(tmp_path: Path) -> None:
    built = tmp_path / "docs"
    words = [*TASKS["docs"]["cmd"].replace("build/docs", str(built)).split()[1:]]
    subprocess.run([sys.executable, "-m", "sphinx", *words, "-d", str(tmp_path / "cache")], check=True, cwd=ROOT)
    pages = [path for kind in ("*.html", "*.css") for path in built.rglob(kind)]
    assert len(pages) > 15
    for path in pages:
        assert not LOADS.findall(path.read_text(encoding="utf-8")), path.name


def test_what_scripts_and_styles_are_checked_by_is_pinned() -> None:
    assert re.search(r"@biomejs/biome@\d+\.\d+\.\d+ ", TASKS["lint-pages"]["shell"])
