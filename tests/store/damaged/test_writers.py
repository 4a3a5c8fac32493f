"""A second writer, a killed one, and a folder that goes away under a run."""

import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from cnnvis_report.errors import BadRequest, RunFailed
from cnnvis_report.pipeline import run as pipeline_run
from cnnvis_report.pipeline.stages import explain as running
from cnnvis_report.report import write
from cnnvis_report.store.files.lock import lock_of, writing
from cnnvis_report.store.own_files import output
from tests.conftest import command
from tests.narrow import present
from tests.store.damaged.runs import BARE, FEW
from tests.store.run_files import files

HOLDER = """
import sys, time
from pathlib import Path
from cnnvis_report.store.files.lock import writing
with writing(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read(1)
"""


def test_one_process_writes_at_a_time_and_a_dead_one_holds_nothing(report: Path, again: Any) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, report], stdin=-1, stdout=-1, text=True)
    assert present(holder.stdout).readline() == "held\n"
    for said in (again(code=2).stderr, command("render", report, code=2).stderr):
        assert f"process {holder.pid} is writing there" in said and said.count("\n") == 1
    holder.kill()
    holder.communicate()
    assert (report / ".lock").exists(), "as a killed program leaves it"
    command("render", report)
    again()
    assert not (report / ".lock").exists()


def test_one_thread_writes_at_a_time_and_may_call_what_writes(tmp_path: Path) -> None:
    said = []

    def other() -> None:
        try:
            with writing(tmp_path / "r"):
                said.append("wrote")
        except BadRequest as error:
            said.append(str(error))

    with writing(tmp_path / "r"), writing(tmp_path / "r"), output(tmp_path / "r"):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        with pytest.raises(BadRequest, match="is writing there"), lock_of(tmp_path / "r" / ".lock", "-o r"):
            pass
    assert "another thread of this program is writing there" in said[0]
    assert not (tmp_path / "r").exists(), "nothing came into it"
    other()
    assert said[1:] == ["wrote"]


def test_what_a_killed_program_left_half_written_is_swept(report: Path, original: Path) -> None:
    ours = [
        ".run.json.0a1b2c3d.new",
        ".index.html.0a1b2c3d.new",
        "arrays/.cat-1.npz.0a1b2c3d.new",
        ".pages.json.00000000.new",
    ]
    for name in ours:
        (report / name).write_text("half")
    (report / ".pages-0a1b2c3d" / "images").mkdir(parents=True)
    (report / ".pages-0a1b2c3d" / "images" / "cat-1.html").write_text("half")
    strangers = [".notes.txt.0a1b2c3d.new", ".run.json.new", ".pages-mine"]
    for name in strangers:
        (report / name).write_text("mine")
    command("render", report)
    assert set(files(report)) - set(files(original)) == set(strangers)
    assert not (report / ".pages-0a1b2c3d").exists()


@pytest.mark.parametrize("what", ["folder", "journal", "arrays", "moved"])
def test_what_goes_away_under_a_run_ends_it_in_one_line(
    what: Any, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "r"
    plain = running._go_on

    def write(writer: Any, finished: int | None, results: Any) -> None:
        plain(writer, finished, results)
        if what == "folder":
            while folder.exists():  # the page of the run so far may be written meanwhile
                shutil.rmtree(folder, ignore_errors=True)
        elif what == "moved":
            folder.rename(tmp_path / "elsewhere")
        elif what == "journal":
            (folder / "journal.jsonl").unlink()
        else:
            next((folder / "arrays").iterdir()).unlink()

    monkeypatch.setattr(running, "_go_on", write)
    said = command("run", "tests.factories:tiny", pictures, "-o", folder, *FEW, *BARE, code=RunFailed.exit_code).stderr
    assert "went away while the run went on" in said and said.count("Error: ") == 1 and "Traceback" not in said
    assert not (folder / "run.json").exists()
    if what in ("folder", "moved"):
        assert not folder.exists(), "it isn't made anew"


@pytest.mark.parametrize("when", ["inside", "pages"])
def test_what_goes_away_later_ends_it_in_one_line_too(
    when: Any, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was found inside is nowhere to be written, which isn't a look that found nothing."""
    folder = tmp_path / "r"
    module, name = (pipeline_run, "inspection") if when == "inside" else (write, "write_pages")
    plain = getattr(module, name)

    def going(*given: Any, **more: Any) -> Any:
        shutil.rmtree(folder / "inspection" if when == "inside" else folder)
        return plain(*given, **more)

    monkeypatch.setattr(module, name, going)
    more = ("--metrics", "none", "--inspect", "standard" if when == "inside" else "none")
    said = command("run", "tests.factories:tiny", pictures, "-o", folder, *FEW, *more, code=RunFailed.exit_code).stderr
    assert "went away while" in said and said.count("\n") == 1
