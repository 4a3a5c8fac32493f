"""The pages of a comparison: complete, offline, and indifferent to hostile names."""

import re
from html import unescape
from pathlib import Path

import pytest

from cnnvis_report.errors import BadRequest
from cnnvis_report.report.comparison.gallery import compared_gallery_data
from cnnvis_report.report.comparison.report import ComparedReport
from cnnvis_report.report.comparison.write import write_comparison
from cnnvis_report.report.site.site_writer import SiteOptions
from tests.report.comparison.planted import HOSTILE, compared

ADDRESS = re.compile(r'(?:href|src)="([^"#]+)(?:#[^"]*)?"')


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> ComparedReport:
    return compared(tmp_path_factory.mktemp("runs"), count=3)


@pytest.fixture(scope="module")
def folder(report: ComparedReport, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("comparisons") / "diff"
    write_comparison(report.comparison, report.runs, path)
    return path


def pages(folder: Path) -> list[Path]:
    return [*folder.glob("*.html"), *folder.glob("images/*.html")]


def test_every_address_leads_to_a_file_of_the_folder(folder: Path) -> None:
    assert len(pages(folder)) == 3 + 5
    for page in pages(folder):
        for address in ADDRESS.findall(page.read_text(encoding="utf-8")):
            if not address.startswith("data:") and "{" not in unescape(address):
                assert (page.parent / unescape(address)).is_file(), f"{page.name}: {address}"


def test_names_of_strangers_are_text(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.suffix in (".html", ".js") and path.parent.name != "assets":
            text = path.read_text(encoding="utf-8")
            assert "<script>alert" not in text and "<b>dog" not in text and "old <i>" not in text
    assert HOSTILE in unescape((folder / "index.html").read_text(encoding="utf-8"))


def test_the_first_page_says_what_changed(folder: Path, report: ComparedReport) -> None:
    text = unescape((folder / "index.html").read_text(encoding="utf-8"))
    for finding in report.comparison.findings:
        assert finding.text in text
    cells = re.findall(r">(Fixed|Broken)</span></th>(.*?)</tr>", text, re.DOTALL)
    counts = {title: re.findall(r'<td class="num">(.*?)</td>', row) for title, row in cells}
    assert counts == {"Fixed": ["–", "1", "1"], "Broken": ["–", "1", "1"]}
    assert (folder / "figure.png").is_file()


def test_the_methods_page_has_a_row_a_method_and_a_column_a_run(folder: Path) -> None:
    text = unescape((folder / "methods.html").read_text(encoding="utf-8"))
    moved, mask = (text.partition(f'id="{name}"')[2].partition("</table>")[0] for name in ("moved", "mask"))
    assert moved.count("<tr") == mask.count("<tr") == 1 + 2
    assert mask.count("new <wbr>1 − old") + mask.count("new 1 − old") == 1


def test_an_image_page_has_its_maps_for_every_run_and_difference(folder: Path) -> None:
    text = (folder / "images" / "image-1.html").read_text(encoding="utf-8")
    runs = re.findall(r'data-method="(\w+)"\s+data-side-class="(\d)"(?: data-side-minus="(\d)")?', text)
    one_row = [("0", ""), ("1", ""), ("2", ""), ("1", "0"), ("2", "0")]
    assert runs == [(method, *tile) for method in ("cam", "cam", "gradient") for tile in one_row]
    assert ">fixed</b>" in text and "All maps explain cat, the label." in text


def test_the_gallery_has_what_became_of_each_image(report: ComparedReport) -> None:
    data = compared_gallery_data(report)
    states = [data["verdicts"][number] for number in data["verdict"]]
    # counts of findings are of one later run each, these of all of them together
    words = [("broken", "broken in a later run"), ("fixed", "fixed in a later run"), ("right", "correct in all")]
    assert states[:3] == words
    assert data["captions"][0] == "cat (75.0%) → owl (75.0%) → owl (75.0%)"
    assert data["without"] == {"maps": []} and len(data["ids"]) == 5


def test_images_without_a_page_are_counted(report: ComparedReport, tmp_path: Path) -> None:
    write_comparison(report.comparison, report.runs, tmp_path / "diff", options=SiteOptions(2))
    assert sorted(path.stem for path in (tmp_path / "diff" / "images").iterdir()) == ["image-1", "image-2"]
    assert "3 more images, which changed less, have no page here" in " ".join(
        (tmp_path / "diff" / "index.html").read_text(encoding="utf-8").split()
    )


def test_the_same_comparison_gives_the_same_bytes_and_old_pages_go(report: ComparedReport, tmp_path: Path) -> None:
    def content() -> dict[str, bytes]:
        return {str(path.relative_to(tmp_path)): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    write_comparison(report.comparison, report.runs, tmp_path, options=SiteOptions(1))
    first = content()
    write_comparison(report.comparison, report.runs, tmp_path, options=SiteOptions(2))
    write_comparison(report.comparison, report.runs, tmp_path, options=SiteOptions(1))
    assert content() == first


def test_nobody_elses_page_is_overwritten(report: ComparedReport, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("mine", "utf-8")
    with pytest.raises(BadRequest, match="isn't a file that this program has written"):
        write_comparison(report.comparison, report.runs, tmp_path)
    assert (tmp_path / "index.html").read_text("utf-8") == "mine" and not (tmp_path / "images").exists()
