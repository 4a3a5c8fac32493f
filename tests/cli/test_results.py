"""What a job takes from a report: rules with an exit status, a summary, and numbers as JSON."""

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from cnnvis_report.errors import RulesHold
from cnnvis_report.report.markdown.document import MARK
from cnnvis_report.store.files.names import FIGURE_SOFTWARE
from tests.cli.words import TINY
from tests.conftest import command

STORED = Path(__file__).parents[1] / "fixtures" / "run-2"  # one of its two images is misclassified
QUICK = ("-m", "grad_cam", "--inspect", "none", "--device", "cpu", "--quiet")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    shutil.copytree(STORED, tmp_path / "run")
    return tmp_path / "run"


def test_a_rule_that_holds_ends_with_four_and_a_line(run: Path) -> None:
    result = command("render", run, "--fail-if", "accuracy<0.9", "--fail-if", "misclassified > 0", code=4)
    assert result.stdout == f"Wrote {run / 'index.html'}\n"
    assert result.stderr.splitlines() == [
        'Error: --fail-if "accuracy<0.9": accuracy is 0.50 [0.09, 0.91] (n = 2)',
        'Error: --fail-if "misclassified > 0": misclassified is 1',
    ]
    assert not command("render", run, "--fail-if", "accuracy<0.4", "--fail-if", "misclassified>1").stderr


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("acuracy<1", "Did you mean 'accuracy'?"),
        ("recall[crss]<1", "Did you mean 'cross'?"),
        ("moved>1", "there is no other run"),
        ("accuracy", "isn't a rule such as"),
    ],
)
def test_a_rule_that_names_nothing_is_refused_before_pages_are_written(run: Path, rule: str, says: str) -> None:
    result = command("render", run, "--fail-if", rule, code=2)
    assert says in result.stderr and result.stderr.count("\n") == 1
    assert not (run / "index.html").exists()


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("acuracy<1", "Did you mean 'accuracy'?"),
        ("recall[crcle]<1", "Did you mean 'circle'?"),
        ("complexity[gradcam]<1", "No method of this run is called 'gradcam'. Did you mean 'grad_cam'?"),
        ("complexity[grad_cam]<1", "complexity isn't known: it wasn't measured; --metrics quick or full"),
        ("broken>3", "broken isn't known: there is no other run"),
    ],
)
def test_a_run_is_refused_before_it_starts(
    rule: str, says: str, drawn: Path, class_names: Path, tmp_path: Path
) -> None:
    words = (*TINY, drawn, "-o", tmp_path / "r", *QUICK, "--class-names", class_names)
    result = command(*words, "--fail-if", rule, code=2)
    assert says in result.stderr and not (tmp_path / "r").exists()


def test_a_run_is_judged_and_summed_up(drawn: Path, class_names: Path, tmp_path: Path) -> None:
    words = (*TINY, drawn, "-o", tmp_path / "r", *QUICK, "--class-names", class_names, "--limit", "3")
    more = ("--summary", tmp_path / "s" / "summary.md", "--json", tmp_path / "values.json")
    result = command(*words, *more, "--fail-if", "images<9", "--fail-if", "recall[triangle]<2", code=2)
    assert "No class is called 'triangle'" in result.stderr
    result = command(*words, *more, "--fail-if", "images<9", "--fail-if", "macro_f1.high<2", code=4)
    assert (tmp_path / "r" / "index.html").is_file()
    assert result.stderr.splitlines()[-2:] == [
        'Error: --fail-if "images<9": images is 3',
        'Error: --fail-if "macro_f1.high<2": macro_f1 has no interval; leave .high away.',
    ]
    text = (tmp_path / "s" / "summary.md").read_text("utf-8")
    assert text.startswith(MARK) and "images\\<9, as images is 3" in text and "](summary.png)" in text
    with Image.open(tmp_path / "s" / "summary.png") as picture:
        assert picture.info["Software"] == FIGURE_SOFTWARE
    numbers = json.loads((tmp_path / "values.json").read_text("utf-8"))
    assert numbers["runs"][0]["values"]["images"] == {"value": 3.0, "low": None, "high": None, "images": 3}
    assert numbers["rules"] == [
        {"rule": "images<9", "holds": True, "measured": "images is 3"},
        {"rule": "macro_f1.high<2", "holds": None, "measured": "macro_f1 has no interval; leave .high away."},
    ]
    assert "macro_f1.high\\<2 can't be judged: macro_f1 has no interval" in text


def test_to_the_terminal_goes_the_summary_alone(run: Path) -> None:
    result = command("render", run, "--summary", "-")
    assert result.stdout.startswith(MARK) and "](data:image/webp;base64," in result.stdout
    assert result.stderr == f"Wrote {run / 'index.html'}\n"
    result = command("render", run, "--json", "-")
    assert json.loads(result.stdout)["runs"][0]["values"]["accuracy"]["value"] == 0.5


def test_a_job_summary_is_appended_to(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "step_summary"
    path.write_text("# Another step\n", "utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    command("render", run, "--summary", path)
    assert path.read_text("utf-8").startswith(f"# Another step\n{MARK}\n") and "![" not in path.read_text("utf-8")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["run", "step_summary"]


@pytest.mark.parametrize("option", ["--summary", "--json"])
def test_a_file_of_somebody_else_is_not_overwritten(run: Path, tmp_path: Path, option: str) -> None:
    path = tmp_path / "file.md"
    for _ in range(2):
        command("render", run, option, path)
    path.write_text("mine", "utf-8")
    result = command("render", run, option, path, code=2)
    assert "and isn't overwritten" in result.stderr and path.read_text("utf-8") == "mine"


def test_both_to_the_terminal_would_be_one_text(run: Path) -> None:
    assert "one of them alone" in command("render", run, "--summary", "-", "--json", "-", code=2).stderr


def test_from_python_a_rule_is_an_error(drawn: Path, tmp_path: Path) -> None:
    from cnnvis_report import create_report
    from tests.factories import tiny

    with pytest.raises(RulesHold, match="images is 1"):
        create_report(
            tiny(), sorted(drawn.glob("*/plain.png")), output=tmp_path / "r", methods="grad_cam", fail_if="images<2"
        )
    assert (tmp_path / "r" / "index.html").is_file()


def test_what_is_missing_is_said_beside_rules_and_after_the_summary(drawn: Path, tmp_path: Path) -> None:
    words = (*TINY, drawn, "-o", tmp_path / "r", *QUICK, "--strict", "--summary", tmp_path / "s.md")
    result = command(*words, code=3)
    assert (tmp_path / "s.md").is_file() and "things are missing" in result.stderr
    result = command(*words, "--fail-if", "skipped>0", code=4)
    first, last = result.stderr.splitlines()[-2:]
    assert first.startswith('Error: --fail-if "skipped>0": skipped is ') and "things are missing" in last


def test_a_settings_file_can_have_rules(run: Path, tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text('fail-if = ["accuracy<0.9", "acuracy<1"]\n', "utf-8")
    words = (*TINY, tmp_path, "-o", tmp_path / "r", "--config", tmp_path / "run.toml")
    result = command(*words, code=2)
    assert "run.toml: fail-if" in result.stderr and "Did you mean 'accuracy'?" in result.stderr


@pytest.mark.parametrize("option", ["--summary", "--json"])
def test_names_are_not_written_beside_a_copy_without_names(run: Path, tmp_path: Path, option: str) -> None:
    copy = tmp_path / "copy"
    result = command("render", run, "--anonymous", "--copy", copy, option, tmp_path / "s.md", code=2)
    assert "have the names of this report" in result.stderr and not copy.exists()
