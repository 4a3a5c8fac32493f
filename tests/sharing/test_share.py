"""What is handed on: zip files of the same bytes, pages alone, and nothing of somebody else's written over."""

import json
import zipfile
from pathlib import Path

import pytest

from cnnvis_report.report.site.site_writer import SiteOptions
from cnnvis_report.sharing import share
from cnnvis_report.sharing.zip_file import safe_name
from cnnvis_report.store import load_run
from tests.conftest import command


def test_the_same_report_gives_the_same_zip_file(small: Path, tmp_path: Path) -> None:
    command("render", small, "--zip")
    first = (tmp_path / "report.zip").read_bytes()
    for path in small.rglob("*.html"):
        path.touch()
    command("render", small, "--zip")
    assert (tmp_path / "report.zip").read_bytes() == first


def test_a_zip_file_has_the_program_s_files_and_no_others(small: Path, tmp_path: Path) -> None:
    (small / "notes of mine.txt").write_text("private", encoding="utf-8")
    command("render", small, "--zip")
    with zipfile.ZipFile(tmp_path / "report.zip") as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert not [name for name in names if "notes" in name or ".lock" in name]
        assert {name.partition("/")[0] for name in names} == {"report"}
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        archive.extractall(tmp_path / "out")
    load_run(tmp_path / "out" / "report")


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        pytest.param("report", "report", id="plain"),
        pytest.param("..", "report", id="upwards"),
        pytest.param("a\\..\\b:c", "a_.._b_c", id="Windows path"),
        pytest.param("nul", "_nul", id="reserved"),
        pytest.param("=cmd|'x'\n", "_cmd__x__", id="formula"),
    ],
)
def test_names_in_a_zip_file_lead_nowhere(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_somebody_s_zip_file_is_not_written_over(small: Path, tmp_path: Path) -> None:
    (tmp_path / "report.zip").write_bytes(b"PK somebody's")
    result = command("render", small, "--zip", code=2)
    assert "isn't a zip file that this program has written" in result.output and result.output.count("\n") == 1
    assert not (small / "index.html").exists(), "nothing was written"


def test_a_minimal_copy_has_pages_alone(small: Path, tmp_path: Path) -> None:
    command("render", small, "--share", "minimal", "--title", "For you")
    copy = tmp_path / "report-share"
    names = {path.relative_to(copy).as_posix() for path in copy.rglob("*") if path.is_file()}
    assert not [name for name in names if name.endswith(".npz") or name == "run.json"]
    assert {"index.html", "run.html", "assets/report.js"} <= names
    assert names == {*json.loads((copy / "share.json").read_text(encoding="utf-8"))["files"]}
    assert "For you" in (copy / "index.html").read_text(encoding="utf-8")


def test_a_copy_is_written_with_the_options_of_the_report(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = []
    monkeypatch.setattr(share, "fill", lambda run, folder, options, progress: written.append(options))
    command("render", small, "--share", "minimal", "--pages", 1, "--processes", 1)
    assert written == [SiteOptions(pages=1, processes=1)]


def test_a_copy_takes_the_place_of_an_earlier_one_and_of_nothing_else(small: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    command("render", small, "--anonymous", "--copy", copy)
    command("render", small, "--share", "minimal", "--single-file", "--copy", copy)
    assert {path.name for path in copy.iterdir()} == {"index.html", "share.json"}
    (copy / "mine.txt").write_text("mine", encoding="utf-8")
    result = command("render", small, "--share", "minimal", "--copy", copy, code=2)
    assert "holds mine.txt" in result.output and (copy / "mine.txt").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        pytest.param(["--copy", "elsewhere"], "--copy does nothing without --anonymous", id="no copy"),
        pytest.param(["--anonymous", "--copy", "{run}/inner"], "is within the report itself", id="within"),
        pytest.param(["--max-size", "1kB"], "the scripts of every page have", id="too small"),
        pytest.param(["--max-size", "much"], "'much' isn't a size such as 25MB", id="no size"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(small: Path, words: list[str], reason: str) -> None:
    result = command("render", small, *(word.format(run=small) for word in words), code=2)
    assert reason in result.output and result.output.count("\n") == 1
    assert not (small / "index.html").exists()


def test_a_list_of_a_stranger_s_copy_leads_nowhere(small: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim.txt"
    victim.write_text("keep", encoding="utf-8")
    copy = tmp_path / "copy"
    copy.mkdir()
    listing = {"format": "cnnvis-report-share/1", "files": ["share.json", "../victim.txt", str(victim)]}
    (copy / "share.json").write_text(json.dumps(listing), encoding="utf-8")
    command("render", small, "--share", "minimal", "--copy", copy)
    assert victim.read_text(encoding="utf-8") == "keep"
