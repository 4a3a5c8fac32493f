"""Names become paths only where they are of the report's own files, and no link leads away."""

import errno
from pathlib import Path

import pytest

from cnnvis_report.errors import BadRequest
from cnnvis_report.store.files.atomic import beside, remove
from cnnvis_report.store.files.names import IMAGE, is_ours, is_page, place
from cnnvis_report.store.files.os_errors import in_words


@pytest.mark.parametrize(
    "name",
    ["../run.json", "/etc/passwd", "arrays/../../x.npz", "arrays/x.npz/..", "images/.html", "arrays/X.npz", "notes.txt",
     "arrays\\x.npz", "images/a/b.html", "images/a.html\n", "", ".", "arrays/a.npz\0", "stills/a/../b.webp",
     "fitted/../x"],
)  # fmt: skip
def test_a_name_of_another_shape_becomes_no_path(name: str, tmp_path: Path) -> None:
    assert not is_ours(name) and not is_page(name)
    with pytest.raises(BadRequest, match="isn't the name of a file"):
        place(tmp_path, name)


def test_names_of_ours_become_paths_unless_a_link_leads_there(tmp_path: Path) -> None:
    for name in ("run.json", "arrays/cat-1.npz", "images/cat-1.html", "stills/inspection/cat-1/unit-0-1.webp"):
        assert place(tmp_path, name) == tmp_path / name
    (tmp_path / "stills").mkdir()
    (tmp_path / "stills" / "inspection").symlink_to(tmp_path)
    with pytest.raises(BadRequest, match="is a link"):
        place(tmp_path, "stills/inspection/cat-1/unit-0-1.webp")
    assert not any(
        map(IMAGE.fullmatch, ("network", "snapshots", "inspection", "provenance", "A", "a--b", "-a", "a" * 65))
    )
    assert all(map(IMAGE.fullmatch, ("a", "cat-0f", "networks", "film")))


def test_what_is_removed_is_no_folder_and_behind_no_link(tmp_path: Path) -> None:
    for name in ("here/a", "elsewhere/a", "here/inner/b"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("mine")
    (tmp_path / "here" / "link").symlink_to(tmp_path / "elsewhere")
    remove(tmp_path / "here", ["link/a", "inner", "a", "gone", "a/b"])
    assert (tmp_path / "elsewhere" / "a").read_text() == "mine" and (tmp_path / "here" / "inner" / "b").exists()
    assert not (tmp_path / "here" / "a").exists()


def test_a_file_is_written_beside_its_place_under_a_name_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "x").symlink_to(tmp_path / "precious")
    with beside(tmp_path / "x") as one, beside(tmp_path / "x") as two:
        assert one != two and one.parent == two.parent == tmp_path
        one.write_text("one")
        two.write_text("two")
    assert (tmp_path / "x").read_text() == "one" and not (tmp_path / "x").is_symlink()
    assert (tmp_path / "precious").read_text() == "mine"
    with pytest.raises(ZeroDivisionError), beside(tmp_path / "x") as one:
        one.write_text("half")
        raise ZeroDivisionError
    assert (tmp_path / "x").read_text() == "one" and {path.name for path in tmp_path.iterdir()} == {"x", "precious"}
    with pytest.raises(OSError) as caught, beside(tmp_path / "x"):
        raise OSError(errno.ENOSPC, "No space left on device")  # as from an open file, which has no name
    assert in_words(caught.value) == f"No space left on device ({tmp_path / 'x'})"
    with beside(tmp_path / "y") as one:
        assert one.stat().st_mode & 0o777 == (tmp_path / "precious").stat().st_mode & 0o777, "as open() would"
