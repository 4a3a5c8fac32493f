"""A run folder that a stranger, a fault or a second writer has been at."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnvis_report.errors import BadRequest, RunFailed
from cnnvis_report.pipeline import run as pipeline_run
from cnnvis_report.pipeline.stages import explain as running
from cnnvis_report.records.codec import Malformed, from_json
from cnnvis_report.records.run import RunRecord, StoredFile
from cnnvis_report.report import write
from cnnvis_report.report.payload import provenance_slots
from cnnvis_report.store import RunWriter, load_run, manifest
from cnnvis_report.store.lock import lock_of, writing
from cnnvis_report.store.own_files import is_run_folder, output, pages_of
from cnnvis_report.synthetic.shapes import draw
from tests.conftest import command, rewritten
from tests.narrow import present
from tests.store.test_store import files, without_provenance

FEW = ("-m", "grad_cam,gradient", "--classes", "top:1", "--device", "cpu", "--batch-size", "2", "-q")
BARE = ("--metrics", "none", "--inspect", "none")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(4):
        draw(number, 0, 40).picture.save(folder / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def made(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "r"
    command("run", "tests.factories:tiny", pictures, "-o", folder, *FEW, *BARE)
    return folder


@pytest.fixture
def report(made: Path, tmp_path: Path) -> Any:
    return shutil.copytree(made, tmp_path / "r")


@pytest.fixture
def again(pictures: Path, report: Path) -> Any:
    """The command that made the run, given again."""
    run = ("run", "tests.factories:tiny", pictures, "-o", report, *FEW, *BARE)
    return lambda *more, code=0: command(*run, *more, code=code)


def refused(folder: Path) -> str:
    """The one line with which `render` refuses a folder, which stays as it is."""
    before = {name: content for name, content in files(folder).items() if not name.startswith(".")}
    said = command("render", folder, code=2).stderr
    assert said.count("\n") == 1 and said.startswith("Error: ")
    assert files(folder) == before
    return said


def first_arrays(folder: Path) -> Path:
    return sorted((folder / "arrays").iterdir())[0]


def test_pages_are_those_of_ours_in_the_list(report: Path) -> None:
    listed = ["run.json", "../x.html", "images/mine.html", "index.html", 3, None, "/etc/x.html", "arrays/a.npz"]
    (report / "pages.json").write_text(json.dumps(listed))
    assert pages_of(report) == ["images/mine.html", "index.html"]
    for text in ("", "{", "{}", "[" * 100_000, '"run.json"'):
        (report / "pages.json").write_text(text)
        assert pages_of(report) == []
        command("render", report)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda run: run | {"images": "four"}, "run.images is 'four' in the place of a whole number"),
        (lambda run: run | {"images": 10**30}, "run.images is a number of too many digits"),
        (lambda run: run | {"images": True}, "run.images is True"),
        (
            lambda run: run | {"passes_per_image": {"forward": float("nan")}},
            "run.passes_per_image.forward is nan in the place of a number",
        ),
        (lambda run: run | {"fingerprint": "\ud800"}, "run.fingerprint is"),
        (lambda run: run | {"evil": 1}, "run.evil is unknown"),
        (lambda run: {name: value for name, value in run.items() if name != "methods"}, "run.methods is missing"),
        (lambda run: run | {"settings": [1]}, "run.settings is a list of 1"),
        (lambda run: run | {"settings": {"a": [[[[[[[[[[1]]]]]]]]]]}}, "goes too deep"),
        (lambda run: run | {"network": run["network"] | {"kind": "guess"}}, "run.network.kind is 'guess' in the place"),
        (
            lambda run: run | {"methods": [{**run["methods"][0], "options": {"n": None}}]},
            "run.methods[0].options.n is None",
        ),
    ],
)
def test_the_field_that_is_wrong_is_named(change: Any, named: Any, made: Path) -> None:
    run = json.loads((made / "run.json").read_text())["run"]
    plain = {name: value for name, value in run.items() if name != "sha256"}
    assert isinstance(from_json(RunRecord, plain, "run"), RunRecord)
    with pytest.raises(Malformed) as error:
        from_json(RunRecord, change(plain), "run")
    assert named in str(error.value)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (
            lambda run, images: (replace(run, methods=(replace(run.methods[0], name="../../evil"),)), images),
            "methods[0].name",
        ),
        (lambda run, images: (replace(run, methods=run.methods * 2), images), "run.methods names a method twice"),
        (lambda run, images: (replace(run, files={"../x.npz": StoredFile(1, "0" * 64)}), images), "run.files"),
        (lambda run, images: (run, [replace(images[0], id="../evil"), *images[1:]]), "images[0].id is '../evil'"),
        (lambda run, images: (run, [replace(images[0], id="network"), *images[1:]]), "images[0].id is 'network'"),
        (lambda run, images: (run, [images[0], replace(images[1], top=()), *images[2:]]), "images[1].top is empty"),
        (lambda run, images: (run, [replace(images[0], size=(0, 4)), *images[1:]]), "images[0].size is [0, 4]"),
        (lambda run, images: (run, images[:-1]), "lists 3 images in the place of 4"),
        (lambda run, images: (run, [*images, images[0]]), "lists 5 images in the place of 4"),
    ],
)
def test_what_fits_its_type_and_no_run_is_named_too(change: Any, named: Any, report: Path) -> None:
    rewritten(report, change)
    assert named in refused(report)


def lines(folder: Path) -> list[str]:
    return (folder / "run.json").read_text(encoding="utf-8").splitlines(keepends=True)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda text: text[:-3], "lists 2 images in the place of 4"),
        (lambda text: text[:-1], "has no end"),
        (lambda text: [*text[:-1], "]"], "images[4] is cut short"),
        (lambda text: [*text[:4], text[4][:200]], "images[1] is cut short or no JSON"),
        (lambda text: [*text, "more\n"], "has no end"),
        (lambda text: [*text[:3], text[4], text[3], *text[5:]], "isn't as the run has written it there"),
        (lambda text: text[:1], "is cut short or no manifest"),
        (lambda text: [text[0], text[1][:1000]], "is cut short or no manifest"),
        (lambda text: [], "is cut short or no manifest"),
        (lambda text: [text[0], text[1].replace('"seed": 0', '"seed": 1'), *text[2:]], "was changed after the run"),
        (
            lambda text: [text[0], text[1].replace('"seconds": ', '"seconds": 1'), *text[2:]],
            "was changed after the run",
        ),
        (
            lambda text: [*text[:3], text[3].replace('"logit": ', '"logit": 1', 1), *text[4:]],
            "images[0] (0.png) isn't as",
        ),
    ],
)
def test_a_manifest_that_was_cut_or_changed_is_never_taken_for_whole(
    change: Any, named: Any, report: Path, again: Any, made: Path
) -> None:
    before = lines(report)
    after = change(before)
    assert after != before
    (report / "run.json").write_text("".join(after), encoding="utf-8")
    assert named in refused(report)
    again()
    assert without_provenance(report) == without_provenance(made)


def put(path: Path, arrays: dict[str, np.ndarray]) -> None:
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def poisoned(path: Path) -> None:
    arrays = dict(np.load(path))
    key = next(name for name in arrays if name.startswith("gradient"))
    arrays[key] = np.full_like(arrays[key], np.nan)
    put(path, arrays)


def swapped(path: Path) -> None:
    other = sorted(path.parent.iterdir())[1]
    one, two = path.read_bytes(), other.read_bytes()
    path.write_bytes(two)
    other.write_bytes(one)


def in_place_of(path: Path, what: Any) -> None:
    path.unlink()
    what(path)


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (lambda path: path.unlink(), "is missing"),
        (lambda path: os.truncate(path, 100), "has 100 bytes in the place of"),
        (lambda path: in_place_of(path, Path.mkdir), "is no file"),
        (lambda path: in_place_of(path, os.mkfifo), "is no file"),
        (lambda path: in_place_of(path, lambda path: path.symlink_to("/dev/zero")), "is a link"),
        (swapped, "isn't what the run has written there|bytes in the place of"),
        (poisoned, "isn't what the run has written there|bytes in the place of"),
        (lambda path: shutil.rmtree(path.parent), "and 1 more"),
    ],
    ids=["missing", "cut", "folder", "pipe", "device", "swapped", "nan", "all"],
)
def test_arrays_that_are_not_as_they_were_written_are_named_and_made_again(
    damage: Callable[[Path], object], named: str, report: Path, again: Any, made: Path
) -> None:
    path = first_arrays(report)
    damage(path)
    said = refused(report)
    assert any(words in said for words in named.split("|")) and "--repair" in said and path.name in said
    if path.is_dir():
        path.rmdir()
    again()
    assert without_provenance(report) == without_provenance(made)


def test_a_folder_in_the_place_of_a_file_is_named_before_anything_is_made(report: Path, again: Any) -> None:
    path = first_arrays(report)
    in_place_of(path, Path.mkdir)
    before = files(report)
    assert f"{path}: is a folder, where a file of the run has to be" in again(code=2).stderr
    assert files(report) == before
    assert "1 of 4 images got damaged" in command("render", report, "--repair").stderr


def test_repair_makes_the_pages_of_the_rest_and_says_what_is_missing(report: Path, again: Any, made: Path) -> None:
    path = first_arrays(report)
    gone = path.stem
    name = next(image.name for image in load_run(report).images() if image.id == gone)
    os.truncate(path, 100)
    said = command("render", report, "--repair").stderr
    assert said.startswith("Warning: ") and f"1 of 4 images got damaged and are left out ({name})" in said
    run = load_run(report)
    assert run.record.images == 3 and run.record.left_out == 1
    seconds = run.record.provenance["seconds_by_method"]
    assert isinstance(seconds, Mapping)
    slots = provenance_slots(replace(run.record, provenance={"seconds_by_method": dict.fromkeys(seconds, 0.4)}))
    assert {slots[f"per-image:{name}"] for name in seconds} == {"0.1 s"}, "the time was that of four images"
    assert gone not in [image.id for image in run.images()] and not (report / "images" / f"{gone}.html").exists()
    assert "got damaged and are left out" in (report / "index.html").read_text(encoding="utf-8")
    assert path.stat().st_size == 100, "what is damaged stays"
    assert command("render", report, "--repair").stderr == "", "nothing is left to be repaired"
    again()
    assert without_provenance(report) == without_provenance(made)


def test_completeness_is_what_was_asked_for_and_not_what_is_listed(report: Path, again: Any, made: Path) -> None:
    """A manifest that fits its digests and lists fewer images is no complete run of this command."""
    fewer = lambda run, images: (replace(run, images=3), images[:3])  # noqa: E731
    rewritten(report, fewer)
    assert load_run(report).record.images == 3
    again()
    assert without_provenance(report) == without_provenance(made)


HOLDER = """
import sys, time
from pathlib import Path
from cnnvis_report.store.array_checks import wrong_inspection
from cnnvis_report.store.lock import writing
from tests.narrow import present
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


def test_what_a_killed_program_left_half_written_is_swept(report: Path, made: Path) -> None:
    ours = [".run.json.0a1b2c3d.new", "arrays/.cat-1.npz.0a1b2c3d.new", ".pages.json.00000000.new"]
    for name in ours:
        (report / name).write_text("half")
    (report / ".pages-0a1b2c3d" / "images").mkdir(parents=True)
    (report / ".pages-0a1b2c3d" / "images" / "cat-1.html").write_text("half")
    strangers = [".notes.txt.0a1b2c3d.new", ".run.json.new", ".pages-mine"]
    for name in strangers:
        (report / name).write_text("mine")
    command("render", report)
    assert set(files(report)) - set(files(made)) == set(strangers)
    assert not (report / ".pages-0a1b2c3d").exists()


@pytest.mark.parametrize("name", ["arrays", "images", "stills", "assets"])
def test_no_link_is_followed_to_write_or_remove(name: str, report: Path, tmp_path: Path, again: Any) -> None:
    elsewhere = tmp_path / "elsewhere"
    shutil.move(report / name, elsewhere)
    (elsewhere / "precious.txt").write_text("mine")
    before = files(elsewhere)
    (report / name).symlink_to(elsewhere)
    (report / "pages.json").write_text(json.dumps([f"{name}/precious.txt", *pages_of(report)]))
    said = command("render", report, code=2).stderr
    assert "is a link" in said or "is no folder of a run's own" in said
    again("--seed", "1", code=2)
    assert files(elsewhere) == before


@pytest.mark.parametrize("name", ["run.json", "arrays"])
def test_a_link_in_the_place_of_a_file_is_not_read(name: str, report: Path, tmp_path: Path) -> None:
    path = report / name if name == "run.json" else sorted((report / name).iterdir())[0]
    shutil.move(path, tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    said = refused(report)
    assert "is a link" in said and path.name in said


def test_no_link_is_followed_to_read(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("{}")
    (tmp_path / "run.json").symlink_to("elsewhere")
    with pytest.raises(BadRequest, match="is a link, where a file has to be"):
        list(manifest.list_lines(tmp_path / "run.json"))


def test_a_line_that_holds_too_much_is_not_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of millions of empty lists takes twenty times its bytes in memory."""
    (tmp_path / "run.json").write_text("[" + "[]," * manifest.MOST_VALUES + "[]]\n")
    monkeypatch.setattr(json, "loads", lambda text: pytest.fail("was parsed") if text else None)
    assert list(manifest.list_lines(tmp_path / "run.json")) == []
    assert not is_run_folder(tmp_path)


def test_a_link_in_the_place_of_a_page_gives_way(report: Path, tmp_path: Path) -> None:
    for name in ("index.html", "pages.json"):
        (tmp_path / name).write_bytes((report / name).read_bytes())
        (report / name).unlink()
        (report / name).symlink_to(tmp_path / name)
    before = (tmp_path / "index.html").read_bytes(), (tmp_path / "pages.json").read_bytes()
    command("render", report)
    assert not (report / "index.html").is_symlink() and not (report / "pages.json").is_symlink()
    assert before == ((tmp_path / "index.html").read_bytes(), (tmp_path / "pages.json").read_bytes())


@pytest.mark.parametrize("what", ["folder", "journal", "arrays", "moved"])
def test_what_goes_away_under_a_run_ends_it_in_one_line(
    what: Any, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "r"
    plain = running._write

    def write(writer: Any, results: Any) -> None:
        plain(writer, results)
        if what == "folder":
            while folder.exists():  # the page of the run so far may be written meanwhile
                shutil.rmtree(folder, ignore_errors=True)
        elif what == "moved":
            folder.rename(tmp_path / "elsewhere")
        elif what == "journal":
            (folder / "journal.jsonl").unlink()
        else:
            next((folder / "arrays").iterdir()).unlink()

    monkeypatch.setattr(running, "_write", write)
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


def test_a_folder_of_ours_whose_manifest_was_lost_is_ours_still(report: Path, again: Any, made: Path) -> None:
    (report / "run.json").write_bytes(b"")
    again()
    assert without_provenance(report) == without_provenance(made)
    (report / "run.json").write_bytes(b"")
    (report / "thesis.txt").write_text("mine")
    assert "not of a report" in again(code=2).stderr and (report / "thesis.txt").read_text() == "mine"


def test_a_run_is_complete_only_with_every_image_that_was_asked_for(report: Path) -> None:
    """Whatever else was compared before: an image without results and without a reason isn't there."""
    run = load_run(report)
    names = {image.id: image.name for image in run.images()}
    assert RunWriter(report, run.record.identity, names, resume=True).complete
    one_more = names | {"one-more-0f": "one more.png"}
    assert not RunWriter(report, run.record.identity, one_more, resume=True).complete
