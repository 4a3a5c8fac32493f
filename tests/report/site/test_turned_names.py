"""Names with an override of direction: they would turn the text around them, and pretend to be what they are not."""

from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest

from cnnvis_report.comparison.compare import compare_runs
from cnnvis_report.errors import TURNING, one_way
from cnnvis_report.report.comparison.write import write_comparison
from cnnvis_report.report.site.renderer import css_string, readable
from cnnvis_report.report.site.site_writer import SiteOptions
from cnnvis_report.report.write import write_site
from cnnvis_report.store.run_folder import StoredRun
from tests.comparison.runs import Planted, planted_run

OVERRIDE = "\N{RIGHT-TO-LEFT OVERRIDE}"
CLASSES = (f"dog{OVERRIDE}gnp", "كلب", "owl")
NAMES = (f"photo{OVERRIDE}gpj.exe", "צילום.png", "plain.png")


def run(folder: Path) -> StoredRun:
    images = [Planted(name, number, (number + 1) % 3) for number, name in enumerate(NAMES)]
    return planted_run(folder, images, classes=CLASSES)


def written(folder: Path) -> dict[Path, str]:
    files = (path for path in folder.rglob("*") if path.suffix in (".html", ".js") and path.name != "plotly.js")
    return {path: path.read_text(encoding="utf-8") for path in files}


@pytest.mark.parametrize("kind", ["site", "single file", "comparison"])
def test_no_page_and_no_data_of_one_holds_what_turns_text(tmp_path: Path, kind: str) -> None:
    stored = run(tmp_path / f"old{OVERRIDE}")
    folder = stored.folder
    if kind == "comparison":
        folder = tmp_path / "changes"
        runs = [stored, run(tmp_path / "new")]
        write_comparison(compare_runs(runs), runs, folder)
    else:
        write_site(stored, SiteOptions(single_file=kind == "single file"))
    files = written(folder)
    assert files
    for path, text in files.items():
        assert not TURNING.search(unescape(unquote(text))), path
        assert "\\202e" not in text and "\\00202e" not in text, f"{path}: by its code"
    shown = "".join(files.values())
    assert "photo�" in shown and "dog�" in shown
    assert "צילום" in shown and "كلب" in shown, "letters that are written from right to left stay"


@pytest.mark.parametrize("code", [*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
def test_every_embedding_override_and_isolate_is_shown_as_what_it_is(code: int) -> None:
    assert one_way(f"a{chr(code)}b") == readable(f"a{chr(code)}b") == "a�b"
    assert css_string(chr(code)) == css_string("�")


@pytest.mark.parametrize("text", ["é ñ 🐕 ﷺ", "עברית", "a\N{LEFT-TO-RIGHT MARK}b", "plain"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert one_way(text) == readable(text) == text and readable(7) == 7
