"""The GitHub action: its steps run as a script, with what GitHub gives them made up."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
EXPRESSION = re.compile(r"\$\{\{ *(.*?) *\}\}")
ADDRESS = "https://github.example/artifacts/1"


def action() -> Any:
    yaml = pytest.importorskip("yaml", reason="PyYAML isn't installed")
    return yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))


def example() -> Any:
    yaml = pytest.importorskip("yaml", reason="PyYAML isn't installed")
    text = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    return yaml.safe_load(block)


@dataclass
class Job:
    """A job whose steps run in a folder.

    values: of expressions, such as "inputs.model" and "steps.run.outputs.report". statuses: of the steps by their ids,
    in the order in which they ran. uploads: what was uploaded, by name.
    """

    folder: Path
    values: dict[str, str]
    statuses: dict[str, int] = field(default_factory=dict)
    uploads: dict[str, str] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        return (self.folder / "summary").read_text("utf-8")

    def expand(self, text: str) -> str:
        return EXPRESSION.sub(lambda match: self.values.get(match[1], ""), text)

    def is_due(self, step: Mapping[str, Any]) -> bool:
        """Whether GitHub would run a step: its condition, without one that nothing failed so far."""
        condition = step.get("if", "success()")
        failed = any(self.statuses.values())
        known = condition.replace("!cancelled()", "True").replace("success()", str(not failed)).replace("&&", "and")
        if "cancelled()" not in condition and failed:
            return False
        expression = re.sub(r"[a-z]+\.[\w.-]+", lambda match: repr(self.values.get(match[0], "")), known)
        return bool(eval(expression))

    def run(self, step: Mapping[str, Any]) -> None:
        name = step.get("id", step["name"])
        if "uses" in step:
            self.uploads[self.expand(step["with"]["name"])] = self.expand(step["with"]["path"])
            self.values[f"steps.{name}.outputs.artifact-url"] = ADDRESS
            return
        output = self.folder / f"output-{name}"
        output.touch()
        given = {variable: self.expand(value) for variable, value in step.get("env", {}).items()}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            env={**os.environ, **self.environment(), **given, "GITHUB_OUTPUT": str(output)},
            cwd=self.folder,
            capture_output=True,
            text=True,
        )
        self.statuses[name] = done.returncode
        (self.folder / f"log-{name}").write_text(done.stdout + done.stderr, "utf-8")
        for line in output.read_text("utf-8").splitlines():
            variable, _, value = line.partition("=")
            self.values[f"steps.{name}.outputs.{variable}"] = value

    def environment(self) -> dict[str, str]:
        return {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
            "GITHUB_WORKFLOW": "Report",
            "RUNNER_TEMP": str(self.folder / "temp"),
            "BASE_REPORT": self.values.get("base report", ""),
        }

    def log(self, name: str) -> str:
        return (self.folder / f"log-{name}").read_text("utf-8")


PROGRAMS = {
    "cnnvis-report": f'exec "{sys.executable}" -m cnnvis_report "$@"',
    "python": 'echo "python $*" >> "$RUNNER_TEMP/installed"',
    "gh": """
        case "$1 $2" in
          "run list") echo 7 ;;
          "run download") [ -n "$BASE_REPORT" ] && [ "$3" = 7 ] && cp -r "$BASE_REPORT" "${@: -1}" ;;
        esac
    """,
}


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    (tmp_path / "bin").mkdir()
    (tmp_path / "temp").mkdir()
    for name, text in PROGRAMS.items():
        program = tmp_path / "bin" / name
        program.write_text(f"#!/usr/bin/env bash\n{text}\n", "utf-8")
        program.chmod(0o755)
    inputs = {name: EXPRESSION.sub("", str(entry.get("default", ""))) for name, entry in action()["inputs"].items()}
    yield Job(tmp_path, {f"inputs.{name}": value for name, value in inputs.items()})


def run_all(job: Job, **inputs: str) -> None:
    job.values |= {f"inputs.{name.replace('_', '-')}": value for name, value in inputs.items()}
    for step in action()["runs"]["steps"]:
        if job.is_due(step):
            job.run(step)


OPTIONS = "--methods grad_cam --inspect none --device cpu --metrics none --limit 3 --title 'A title of several words'"


def test_nothing_that_a_stranger_writes_is_part_of_a_script() -> None:
    for step in action()["runs"]["steps"]:
        assert "${{" not in step.get("run", ""), "an expression in a script is run, whatever a branch is called"
        assert "uses" in step or step["shell"] == "bash"


def test_without_a_base_the_images_are_explained_and_the_report_is_uploaded(job: Job, drawn: Path) -> None:
    run_all(
        job,
        model="tests.factories:tiny",
        images=f"{drawn}\n",
        options=OPTIONS,
        base="main",
        fail_if="images<9\n\nimages<1",
    )
    assert job.statuses == {"Install cnnvis-report": 0, "base": 0, "run": 4, "Say where the pages are": 0}
    assert "::notice::The branch main has no report called cnnvis-report" in job.log("base")
    assert job.uploads == {"cnnvis-report": str(job.folder / "temp" / "cnnvis-report")}
    assert (job.folder / "temp" / "cnnvis-report" / "index.html").is_file()
    assert "# A title of several words\n\n- ❌ **Fails**: images\\<9" in job.summary
    assert job.summary.endswith(f"\n[Pages of the report]({ADDRESS})\n")
    assert (
        f"python -m pip install --quiet -c {ROOT}/constraints.txt {ROOT}" in (job.folder / "temp/installed").read_text()
    )


def test_beside_a_base_both_are_compared_and_both_are_uploaded(job: Job, drawn: Path, report: Path) -> None:
    job.values["base report"] = str(report)
    run_all(
        job,
        model="tests.factories:tiny",
        images=f"{drawn}",
        options=OPTIONS,
        base="main",
        fail_if_compared="compared_images<5\nbroken>2",
    )
    assert job.statuses == {"Install cnnvis-report": 0, "base": 0, "run": 0, "compare": 4, "Say where the pages are": 0}
    assert list(job.uploads) == ["cnnvis-report", "cnnvis-report-comparison"]
    assert (Path(job.uploads["cnnvis-report-comparison"]) / "index.html").is_file()
    assert job.summary.count("<!-- cnnvis-report summary -->") == 2
    assert "- ❌ **Fails**: compared_images\\<5, as compared_images is 3\n- ✅ Passes: broken\\>2" in job.summary
    assert job.summary.endswith(f"\n[Pages of the comparison]({ADDRESS})\n")
    assert '--fail-if "compared_images<5": compared_images is 3' in job.log("compare")


def test_a_run_that_fails_uploads_nothing(job: Job) -> None:
    run_all(job, model="tests.factories:tiny", images="photos", options="--seed -1")
    assert job.statuses["run"] == 2 and not job.uploads and "base" not in job.statuses
    assert "Error: Invalid value for '--seed'" in job.log("run")


def test_the_example_gives_inputs_that_the_action_has() -> None:
    workflow = example()
    (job,) = workflow["jobs"].values()
    (step,) = [step for step in job["steps"] if "cnnvis-report" in step.get("uses", "")]
    inputs = action()["inputs"]
    assert set(step["with"]) <= set(inputs)
    assert {name for name, entry in inputs.items() if entry.get("required")} <= set(step["with"])
    from cnnvis_report.rules.rule import RuleText

    for name in ("fail-if", "fail-if-compared"):
        for line in step["with"][name].splitlines():
            RuleText().parse(line)
