"""The pages as text: whole, linked, safe, and telling no more than they should."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from cnnvis_report.report.site import assets
from cnnvis_report.report.site.assets import policy, scripts, styles, theme_script
from cnnvis_report.store import load_run
from tests.conftest import HOSTILE, METHODS_SHOWN, command, rewritten
from tests.figures import full_figures
from tests.narrow import present

VOID = {"meta", "link", "img", "input", "br", "hr", "wbr"}
OWN_SCRIPTS = {"theme.js", "report.js", "provenance.js"}


class Page(HTMLParser):
    """A page's elements, with every tag closed that is opened."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.title = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open and self._open[-1] == tag, f"</{tag}> closes {self._open[-3:]}"
        self._open.pop()

    def handle_data(self, data: Any) -> None:
        if self._open and self._open[-1] == "title" and "svg" not in self._open:
            self.title += data
        elif self._open and self._open[-1] not in ("script", "style"):
            self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.elements if name == tag]


def pages(folder: Path) -> dict[str, Page]:
    return {
        path.relative_to(folder).as_posix(): Page(path.read_text(encoding="utf-8"))
        for path in sorted(folder.rglob("*.html"))
    }


@pytest.fixture(scope="module")
def site(report: Path) -> Any:
    return pages(report)


@pytest.fixture(scope="module")
def single(report: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    import shutil

    folder = tmp_path_factory.mktemp("single") / "report"
    shutil.copytree(report, folder)
    with full_figures():
        command("render", folder, "--single-file")
    return folder


def test_there_is_a_page_for_everything(report: Path, site: Any) -> None:
    ids = [image.id for image in load_run(report).images()]
    pages = {f"{name}.html" for name in ("index", "performance", "features", "methods", "run")}
    assert set(site) == pages | {f"images/{id}.html" for id in ids}
    assert len(ids) == len(HOSTILE)
    for id in ids:
        assert (report / "data" / f"{id}.js").is_file()
        assert len(list((report / "stills" / id).iterdir())) == len(METHODS_SHOWN) + 1


def test_every_link_and_file_is_there(report: Path, site: Any) -> None:
    for name, page in site.items():
        here = (report / name).parent
        targets = [attrs.get("href") for tag, attrs in page.elements if tag == "a"]
        targets += [link["href"] for link in page.all("link") if link["rel"] != "icon"]
        targets += [attrs["src"] for tag, attrs in page.elements if tag in ("img", "script") and attrs.get("src")]
        for target in targets:
            if name == "methods.html" and re.match("https://(arxiv|doi).org/", target or ""):
                continue  # where a method was published
            path, _, place = (target or "").partition("#")
            file = (here / path).resolve() if path else report / name
            assert file.is_file() and report.resolve() in file.resolve().parents, f"{name}: {target}"
            if place and "=" not in place:  # which would be a state
                linked = site[file.relative_to(report.resolve()).as_posix()] if path else page
                assert place in [attrs.get("id") for _, attrs in linked.elements], f"{name}: {target}"


def test_every_page_brings_its_icon_and_says_what_it_is(site: Any) -> None:
    descriptions = set()
    for page in site.values():
        (icon,) = [present(link["href"]) for link in page.all("link") if link["rel"] == "icon"]
        assert icon.startswith("data:image/svg+xml;base64,")
        (description,) = [present(meta["content"]) for meta in page.all("meta") if meta.get("name") == "description"]
        descriptions.add(description)
    assert len(descriptions) == len(site)


def test_nothing_is_asked_of_any_network(report: Path, site: Any) -> None:
    addresses = re.compile(r"""(?:src|href|url|import)\s*[=(]\s*["']?\s*(?:https?:)?//""", re.IGNORECASE)
    published = re.compile(
        r'<a href="https://(arxiv|doi)\.org/[^"]*" rel="noopener noreferrer">'
    )  # asked for by a click
    for name in [*site, "assets/report.js", "assets/theme.js", "assets/report.css"]:
        assert not addresses.search(published.sub("", (report / name).read_text(encoding="utf-8"))), name
    for name, page in site.items():
        (content,) = [
            present(m["content"]) for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy"
        ]
        assert re.match(r"default-src 'none'; script-src 'self' 'sha256-[\w+/=]+'; style", content), name
        assert "unsafe-inline" not in content.split("style-src")[0] and "unsafe-eval" not in content


def test_strangers_text_stays_text(report: Path, site: Any) -> None:
    for name, page in site.items():
        sources = [attrs.get("src") for attrs in page.all("script")]
        assert {Path(source or "").name for source in sources} == OWN_SCRIPTS, name
        for tag, attrs in page.elements:
            assert not [key for key in attrs if key.startswith("on")], f"{name}: {tag} {attrs}"
            assert not (attrs.get("href") or "").lower().startswith("javascript:")
        assert not [attrs for attrs in page.all("b") if attrs.get("onclick")]
    text = "".join(part for page in site.values() for part in page.text)
    for hostile in (HOSTILE[1], HOSTILE[2], HOSTILE[3], "</script><script>alert(3)</script>", 'угольник & "so"'):
        assert hostile in text, hostile
    skipped = "".join(site["run.html"].text)
    assert "<b>bold cut.jpg" in skipped and "empty.jpg" in skipped
    for path in (report / "data").glob("*.js"):
        assert "</script" not in path.read_text(encoding="utf-8").lower()


def test_ids_are_unique_and_everything_has_a_name(site: Any) -> None:
    for name, page in site.items():
        ids = [attrs["id"] for _, attrs in page.elements if attrs.get("id")]
        assert len(ids) == len(set(ids)), name
        assert all("alt" in attrs for attrs in page.all("img")), name
        assert len(page.all("h1")) == 1 and page.all("html")[0]["lang"] == "en"
        assert all(attrs.get("scope") for attrs in page.all("th")), name
        assert [attrs for attrs in page.all("a") if attrs.get("class") == "skip"]
        for attrs in page.all("button"):
            assert attrs.get("type") == "button", f"{name}: {attrs}"


def test_titles_say_which_page(report: Path, site: Any) -> None:
    names = {f"images/{image.id}.html": image.name for image in load_run(report).images()}
    names |= {f"{name.lower()}.html": name for name in ("Features", "Methods", "Run", "Performance")}
    of_report = "What tiny looks at in drawn0"
    titles = {name: f"{title} · {of_report}" for name, title in names.items()} | {"index.html": of_report}
    assert {name: page.title for name, page in site.items()} == titles


def test_the_single_file_is_one_file(single: Path, report: Path) -> None:
    files = {path.relative_to(single).as_posix() for path in single.rglob("*") if path.is_file()}
    assert files == {"index.html", "run.json", "pages.json"} | {
        name for name in files if name.startswith(("arrays/", "inspection/"))
    }
    text = (single / "index.html").read_text(encoding="utf-8")
    page = Page(text)
    assert not [
        source for _, attrs in page.elements if (source := (attrs.get("src") or "").strip()) and source[:5] != "data:"
    ]
    published = [attrs for attrs in page.all("a") if attrs.get("rel") == "noopener noreferrer"]
    assert all((attrs.get("href") or "").startswith("#") for attrs in page.all("a") if attrs not in published)
    assert all(re.match("https://(arxiv|doi).org/", attrs["href"] or "") for attrs in published)
    running = [attrs for attrs in page.all("script") if not attrs.get("type")]
    assert len(running) == 2, "the color scheme, and all the rest"
    (content,) = [present(m["content"]) for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    assert content.count("'sha256-") == 3 and "'self'" not in content
    blocks = re.findall(r'<script type="application/json" data-package="([^"]+)">(.*?)</script>', text, re.DOTALL)
    looked = [each for each in present(load_run(report).record.inspection).images if each.side]
    assert len(blocks) == 2 * len(HOSTILE) + 2 + sum(len(each.layers) for each in looked)
    for name, block in blocks:
        content = json.loads(block)
        if not name.startswith(("stills-", "provenance", "features-")):
            data = (report / "data" / f"{name}.js").read_text(encoding="utf-8")
            assert content == json.loads(data.split(", ", 1)[1].rstrip(");\n").replace("\\u003c", "<"))


def test_a_single_file_keeps_to_its_size(drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("-m", "gradient,saliency", "--classes", "top:1", "--inspect", "none", "--metrics", "none", "-q")
    command("run", "tests.factories:tiny", drawn, "-o", tmp_path, *words, "--single-file")
    sizes = [(tmp_path / "index.html").stat().st_size]
    for _ in range(4):
        monkeypatch.setattr("cnnvis_report.report.single_file.size_limit.LIMIT", sizes[-1] - 1)
        command("render", tmp_path, "--single-file")
        sizes.append((tmp_path / "index.html").stat().st_size)
    assert sizes == sorted(sizes, reverse=True)
    assert "averaged over 2×2 pixels" in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_a_run_of_one_image_and_of_many(drawn: Path, tmp_path: Path) -> None:
    one = tmp_path / "one"
    command("run", "tests.factories:tiny", drawn / "circle" / "plain.png", "-o", one, "-m", "grad_cam", "-q")
    page = Page(next((one / "images").glob("plain-*.html")).read_text(encoding="utf-8"))
    assert not [attrs for attrs in page.all("a") if attrs.get("rel")], "no neighbors"
    assert "1 of 1" not in "".join(page.text)
    overview = Page((one / "index.html").read_text(encoding="utf-8"))
    (main,) = overview.all("main")
    assert main["data-page"] == "image" and main["data-image"] == next((one / "images").iterdir()).stem
    assert len(overview.all("h1")) == 1 and "plain.png" in "".join(overview.text)
    assert not [attrs for _, attrs in overview.elements if "data-gallery" in attrs], "no gallery of one image"
    command("render", one, "--single-file")
    single = Page((one / "index.html").read_text(encoding="utf-8"))
    parts = [attrs for attrs in single.all("main") if attrs.get("data-image")]
    assert len(parts) == 1 and "hidden" not in parts[0]


def test_notices_are_said_outright_or_folded(drawn: Path, tmp_path: Path) -> None:
    """Two brief ones stand on the overview, long ones and the rest behind a summary; the run page has all."""
    command("run", "tests.factories:tiny", drawn / "circle" / "plain.png", "-o", tmp_path, "-m", "grad_cam", "-q")

    def page(notices: list[str], name: str) -> str:
        rewritten(tmp_path, lambda run, images: (replace(run, notices=tuple(notices)), images))
        command("render", tmp_path)
        return (tmp_path / name).read_text(encoding="utf-8")

    assert 'aria-label="Notices"' not in page([], "index.html")
    few = page(["<b>one</b>."], "index.html").partition('aria-label="Notices"')[2].partition("</section>")[0]
    assert "<li>&lt;b&gt;one&lt;/b&gt;.</li>" in few and "<details" not in few
    many = ["one.", "x" * 401, "two.", "three.", "four.", "five."]
    said = page(many, "index.html").partition('aria-label="Notices"')[2].partition("</section>")[0]
    outright, _, folded = said.partition("<details>")
    assert re.findall("<li>(.*?)</li>", outright) == ["one.", "two."]
    assert (
        re.findall("<li>(.*?)</li>", folded) == ["x" * 401, "three.", "four.", "five."]
        and "4 more notices</summary>" in folded
    )
    said = page(["x" * 401], "index.html").partition('aria-label="Notices"')[2].partition("</section>")[0]
    assert "1 notice</summary>" in said
    run = page(many, "run.html").partition('id="notices"')[2].partition("</section>")[0]
    assert re.findall("<li>(.*?)</li>", run) == many


def test_neighbors_lead_through_all_images(report: Path, site: Any) -> None:
    ids = [image.id for image in load_run(report).images()]
    for place, id in enumerate(ids):
        links = {attrs["rel"]: attrs["href"] for attrs in site[f"images/{id}.html"].all("a") if attrs.get("rel")}
        assert links.get("prev") == (f"../images/{ids[place - 1]}.html" if place else None)
        assert links.get("next") == (f"../images/{ids[place + 1]}.html" if place + 1 < len(ids) else None)


def test_our_own_scripts_cannot_end_their_element() -> None:
    for text in (scripts(), theme_script()):
        assert "</script" not in text.lower() and "<!--" not in text
        assert "innerHTML" not in text and "eval(" not in text
        assert "http" not in text.replace("http://www.w3.org/2000/svg", ""), "which is a name, and asked for by nobody"
    assert "</style" not in styles().lower()
    assert "sha256-" in policy("x") and "sha256-" not in policy(beside=True) and "'self'" not in policy("x")


def test_resources_are_found_or_missed_in_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert (assets.folder("templates") / "page.html").is_file()
    monkeypatch.setattr(assets, "PACKAGE", tmp_path / "nowhere")
    with pytest.raises(Exception, match="The folder 'static' of cnnvis-report is missing"):
        assets.folder("static")
