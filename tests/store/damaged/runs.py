"""The words of a small run, and what is said of it where it is damaged."""

from pathlib import Path

from tests.conftest import command
from tests.store.run_files import files

FEW = ("-m", "grad_cam,gradient", "--classes", "top:1", "--device", "cpu", "--batch-size", "2", "-q")
BARE = ("--metrics", "none", "--inspect", "none")


def refused(folder: Path) -> str:
    """The one line with which `render` refuses a folder, which stays as it is."""
    before = {name: content for name, content in files(folder).items() if not name.startswith(".")}
    said = command("render", folder, code=2).stderr
    assert said.count("\n") == 1 and said.startswith("Error: ")
    assert files(folder) == before
    return said


def first_arrays(folder: Path) -> Path:
    return sorted((folder / "arrays").iterdir())[0]
