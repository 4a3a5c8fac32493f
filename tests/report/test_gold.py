"""The pages of a small run say what they are meant to say, word by word.

tests/report/gold/ holds the text of each page; `python -m tests.report.test_gold` writes it anew, to be read before it
is committed. All other tests of pages look for values, not for words.
"""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest

from cnnvis_report.report.write import write_site
from cnnvis_report.store import load_run
from tests.fixtures.make_run import FOLDER
from tests.report.page_text import page_text

GOLD = Path(__file__).parent / "gold"
PAGES = ("index", "performance", "features", "methods", "run", "image")


def texts(scratch: Path) -> dict[str, str]:
    """The text of each page of the stored run, by name; "image" is the page of its first image."""
    folder = scratch / "run"
    shutil.copytree(FOLDER, folder)
    write_site(load_run(folder))
    paths = {path.stem: path for path in folder.glob("*.html")} | {"image": min((folder / "images").iterdir())}
    return {name: page_text(path.read_text(encoding="utf-8")) for name, path in paths.items()}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return texts(tmp_path_factory.mktemp("gold"))


def test_every_page_has_its_gold_text(pages: Any) -> None:
    assert {path.stem for path in GOLD.glob("*.txt")} == set(pages) == set(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_what_it_is_meant_to_say(pages: Any, name: str) -> None:
    assert pages[name] == (GOLD / f"{name}.txt").read_text(encoding="utf-8"), (
        "if the new words are right: python -m tests.report.test_gold"
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        GOLD.mkdir(exist_ok=True)
        for name, text in texts(Path(scratch)).items():
            (GOLD / f"{name}.txt").write_text(text, encoding="utf-8")
