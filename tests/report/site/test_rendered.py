"""Pages whose inputs are the same stay as they are; nothing else makes a page stay."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shutil import copytree, rmtree
from typing import Any

import pytest

from cnnvis_report.errors import WentAway
from cnnvis_report.progress import Progress
from cnnvis_report.report.pictures.encode import QUALITIES
from cnnvis_report.report.site import image_pages, rendered
from cnnvis_report.report.site.image_content import image_content
from cnnvis_report.report.site.site_writer import SiteOptions, write_pages
from cnnvis_report.report.views.image.page import Neighbors
from cnnvis_report.report.views.report import Report
from cnnvis_report.report.write import write_site
from cnnvis_report.store import StoredRun, load_run
from cnnvis_report.store.array_files.arrays import Damaged
from cnnvis_report.store.own_files import pages_of
from cnnvis_report.store.run_folder import titled
from tests.exhaustive import represented
from tests.fixtures.make_run import FOLDER

ONE = SiteOptions(processes=1)


class Counts(Progress):
    """Counts the pages that are done."""

    pages = 0

    def done(self, item: str, *, in_steps: bool = False) -> None:
        """One more page."""
        self.pages += 1


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where notes go, in the place of the user's own cache."""
    monkeypatch.setenv(rendered.CACHE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_no_place_for_a_note_is_no_error(tmp_path: Path, cache: Path) -> None:
    cache.write_text("a file", "utf-8")
    site = rendered.RenderedSite("", (), "", {})
    rendered.write_rendered(tmp_path, site)
    assert rendered.read_rendered(tmp_path) is None


def test_old_notes_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendered, "NOTES", 2)
    site = rendered.RenderedSite("", (), "", {})
    for number in range(3):
        rendered.write_rendered(tmp_path / str(number), site)
    notes = rendered.note_of(tmp_path).parent
    assert len(list(notes.iterdir())) == 2 and rendered.read_rendered(tmp_path / "2") == site


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run whose pages are written."""
    copied = Path(copytree(FOLDER, tmp_path / "run"))
    write_site(load_run(copied), options=ONE)
    return copied


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The images whose maps are drawn from now on."""
    images: list[str] = []

    def noted(report: object, most: object, entry: tuple[object, object]) -> object:
        images.append(entry[0].id)  # type: ignore[attr-defined] # an image
        return image_content(report, most, entry)  # type: ignore[arg-type] # handed on

    monkeypatch.setattr(image_pages, "image_content", noted)
    return images


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in pages_of(folder)}


def test_a_site_whose_inputs_are_the_same_is_not_written_again(folder: Path, drawn: list[str]) -> None:
    before = {name: (folder / name).stat().st_mtime_ns for name in pages_of(folder)}
    counts = Counts()
    again = write_site(load_run(folder), options=ONE, progress=counts)
    assert not drawn and counts.pages == 0
    assert before == {name: (folder / name).stat().st_mtime_ns for name in pages_of(folder)}
    assert again.bytes == sum(len(content) for content in contents(folder).values())


def test_another_title_changes_texts_and_draws_no_map(folder: Path, drawn: list[str]) -> None:
    before = contents(folder)
    write_site(titled(load_run(folder), "Another title"), options=ONE)
    after = contents(folder)
    assert not drawn and before.keys() == after.keys()
    changed = {name for name in after if before[name] != after[name]}
    pages = {name for name in after if name.endswith(".html")}
    assert pages <= changed <= pages | {"figure.png"} and not any(
        name.startswith(("stills/", "data/")) for name in changed
    )
    write_site(load_run(folder), options=ONE)
    assert contents(folder) == before


LEADING = {
    "a page that is gone": lambda path: next((path / "images").iterdir()).unlink(),
    "a page with the old size and time": lambda path: disguised(next((path / "images").iterdir())),
}


def disguised(path: Path) -> None:
    status = path.stat()
    path.write_bytes(b"<" * status.st_size)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("change", LEADING.values(), ids=LEADING)
def test_what_somebody_changed_is_written_again(
    folder: Path, drawn: list[str], change: Callable[[Path], object]
) -> None:
    before = contents(folder)
    change(folder)
    write_site(load_run(folder), options=ONE)
    assert len(drawn) == 1 and contents(folder) == before


def test_a_copied_folder_is_written_anew(folder: Path, tmp_path: Path, drawn: list[str]) -> None:
    copied = Path(copytree(folder, tmp_path / "copy"))
    page = next((copied / "images").iterdir())
    page.write_text(page.read_text("utf-8").replace("</main>", "<script>evil()</script></main>"), "utf-8")
    write_site(load_run(copied), options=ONE)
    assert len(drawn) == 2 and contents(copied) == contents(folder), "a stranger's page doesn't stay"


NOTES = {
    "no JSON": "{",
    "other fields": '{"key": 3}',
    "a list": "[]",
    "a way out": '{"key": "", "files": ["../../etc/passwd"], "signature": "", "images": {}}',
}


@pytest.mark.parametrize("text", NOTES.values(), ids=NOTES)
def test_a_note_that_is_not_ours_makes_no_page_stay(tmp_path: Path, text: str) -> None:
    rendered.note_of(tmp_path).parent.mkdir(parents=True)
    rendered.note_of(tmp_path).write_text(text, "utf-8")
    assert rendered.read_rendered(tmp_path) is None


def test_damaged_arrays_are_refused_though_the_pages_are_there(folder: Path) -> None:
    path = next((folder / "arrays").iterdir())
    path.write_bytes(bytes(path.stat().st_size))
    with pytest.raises(Damaged):
        write_site(load_run(folder), options=ONE)


def test_another_program_writes_all_pages(folder: Path, drawn: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendered, "LIBRARIES", ("numpy",))
    rendered.program.cache_clear()
    write_site(load_run(folder), options=ONE)
    rendered.program.cache_clear()
    assert len(drawn) == 2


def test_digests_change_with_what_a_page_is_made_from(folder: Path) -> None:
    run = load_run(folder)
    report = Report(run, QUALITIES[0])
    keys = rendered.page_keys(report)
    first, second = run.images()
    beside = Neighbors("", second.id, 1)
    content, page = keys.of(report, first, beside)
    assert keys.of(report, first, beside) == (content, page)
    assert keys.of(report, replace(first, name="other"), beside)[0] != content
    moved = keys.of(report, first, Neighbors("", "", 1))
    assert moved[0] == content and moved[1] != page, "neighbors change the text alone"


def test_a_single_file_between_is_replaced(folder: Path, drawn: list[str]) -> None:
    before = contents(folder)
    write_site(load_run(folder), SiteOptions(single_file=True))
    assert pages_of(folder) == ["index.html"]
    write_site(load_run(folder), options=ONE)
    assert contents(folder) == before and len(drawn) == 2


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_link_to_itself(path: Path) -> None:
    path.symlink_to(path)


def a_file(path: Path) -> None:
    path.write_text("mine", "utf-8")


@pytest.mark.skipif(os.name == "nt", reason="has no pipes among files")
@pytest.mark.parametrize("put", represented([a_pipe, a_link_to_itself, a_file, Path.mkdir], by=2))
@pytest.mark.parametrize("inner", [False, True], ids=["cache", "note"])
def test_whatever_is_in_the_place_of_notes_the_pages_are_written(
    tmp_path: Path, cache: Path, put: Callable[[Path], None], inner: bool
) -> None:
    run = load_run(Path(copytree(FOLDER, tmp_path / "run")))
    path = rendered.note_of(run.folder) if inner else cache
    path.parent.mkdir(parents=True, exist_ok=True)
    put(path)
    write_site(run, options=ONE)
    assert (run.folder / "index.html").is_file()
    write_site(run, options=ONE)


@pytest.mark.skipif(os.name == "nt", reason="has a variable for it")
def test_a_user_without_a_home_gets_pages_and_no_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Containers run as a number of which the system knows nothing."""
    for name in (rendered.CACHE, "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)

    def unknown(_: type[Path]) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", classmethod(unknown))
    run = load_run(Path(copytree(FOLDER, tmp_path / "run")))
    write_site(run, options=ONE)
    assert rendered.read_rendered(run.folder) is None
    assert (run.folder / "index.html").is_file()


def test_a_page_that_went_away_while_it_was_noted_is_written_again(tmp_path: Path) -> None:
    run = load_run(Path(copytree(FOLDER, tmp_path / "run")))
    write_site(run, options=ONE)
    site = rendered.read_rendered(run.folder)
    assert site is not None
    rendered.write_rendered(run.folder, replace(site, signature=""))
    (run.folder / "methods.html").unlink()
    write_site(run, options=ONE)
    assert (run.folder / "methods.html").is_file()


@pytest.mark.parametrize("shared", [1, 2], ids=["this process", "others"])
def test_a_folder_that_goes_away_is_not_made_anew_in_part(
    tmp_path: Path, shared: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_pages, "MAPS_EACH", 1)
    folder = Path(copytree(FOLDER, tmp_path / "run"))

    class Deletes(Progress):
        def done(self, item: str, *, in_steps: bool = False) -> None:
            rmtree(folder, ignore_errors=True)

    with pytest.raises(WentAway, match="went away while its pages were written"):
        write_site(load_run(folder), options=SiteOptions(processes=shared), progress=Deletes())
    assert not folder.exists()


def test_pages_that_come_after_their_folder_was_deleted_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by another thread, which is just writing one and makes its folder anew."""
    run, plain = load_run(Path(copytree(FOLDER, tmp_path / "run"))), write_pages

    def overtaken(run: StoredRun, folder: Path, *given: Any) -> Any:
        pages, page = plain(run, folder, *given), (folder / "methods.html").read_bytes()
        rmtree(run.folder)
        folder.mkdir(parents=True)
        (folder / "methods.html").write_bytes(page)
        return pages

    monkeypatch.setattr("cnnvis_report.report.write.write_pages", overtaken)
    with pytest.raises(WentAway, match="went away"):
        write_site(run)
    assert [path for path in run.folder.rglob("*") if path.is_file()] == []
