"""The pages in Chromium, from file://, as people open them: every map, every control, and no word to any network."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnvis_report.report.payload import provenance_slots
from cnnvis_report.report.pictures.encode import QUALITIES
from cnnvis_report.report.pictures.resample import resize
from cnnvis_report.store import load_arrays, load_run
from tests.conftest import METHODS_SHOWN, command
from tests.exhaustive import represented
from tests.pages.browser import Visit, until
from tests.pages.image_page import PAGE, images, settled

pytestmark = pytest.mark.browser

# methods whose canvas is of one color all over
BLANK = f"""() => {PAGE}.tiles.filter((t) => t.method).filter(({{ canvas }}) => {{
  const context = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", {{ willReadFrequently: true }});
  context.drawImage(canvas, 0, 0);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
  return pixels.every((value, place) => value === pixels[place % 4]);
}}).map((t) => t.method)"""


def test_the_other_pages_open_quietly(visit: Visit, moved: Path, report: Path) -> None:
    visit.open(moved / "index.html")
    assert visit.tab.locator("[data-gallery] li").count() == len(images(report))
    visit.tab.locator("[data-gallery] li").last.scroll_into_view_if_needed()
    seen = "[...document.images].filter((i) => i.checkVisibility())"
    until(visit.tab, f"{seen}.every((i) => i.complete && i.naturalWidth > 0)")
    for name in ("methods.html", "run.html"):
        visit.open(moved / name)
    visit.is_quiet()


@pytest.mark.parametrize("number", represented(range(6), by=2))
def test_every_image_page_opens_quietly_and_shows_every_map(
    visit: Visit, moved: Path, report: Path, number: int
) -> None:
    image = images(report)[number]
    tab = visit.open(moved / "images" / f"{image.id}.html")
    settled(tab)
    assert tab.locator("h1").inner_text() == image.name
    folded = tab.locator("[data-tiles] .evidence span[data-anchor]").count()
    assert tab.locator("[data-tiles] .tile[data-method]").count() + folded == len(METHODS_SHOWN)
    for target in image.targets:
        tab.locator(f"[data-class='{target.index}']").click()
        until(tab, f"{PAGE}.state.class === '{target.index}'")
        settled(tab)
        blank = tab.evaluate(BLANK)
        flat = {found.method for found in image.maps if found.target == target.index and is_flat(report, image, found)}
        assert set(blank) <= flat, "only maps of one value are of one color"
    visit.is_quiet()


def is_flat(report: Path, image: Any, found: Any) -> Any:
    values = load_arrays(report, image.id)[found.key]
    return values.min() == values.max()


def test_the_numbers_on_the_page_are_the_numbers_of_the_run(visit: Visit, moved: Path, report: Path) -> None:
    image = images(report)[1]
    arrays, run = load_arrays(report, image.id), load_run(report).record
    tab = visit.open(moved / "images" / f"{image.id}.html", "#interpolation=none")
    settled(tab)
    for found in image.maps:
        got = tab.evaluate(
            f"""async ([method, layer, target]) => {{ const page = {PAGE};
            const {{ values, height, width }} = await CnnVis.unpack(page.data.maps[method][layer][target]);
            return [height, width, [...values]] }}""",
            [found.method, found.layer, str(found.target)],
        )
        values = run.method(found.method).shown(arrays[found.key])
        shown = np.array(got[2], np.float32).reshape(got[0], got[1])
        assert np.abs(shown - values).max() <= QUALITIES[0].error * np.abs(values).max() * 1.001 + 1e-12, found.key


def test_hover_reads_the_true_value_and_the_cross_is_everywhere(visit: Visit, moved: Path, report: Path) -> None:
    image = images(report)[0]
    tab = visit.open(moved / "images" / f"{image.id}.html")
    settled(tab)
    tile = "[data-tiles] [data-method='grad_cam']"
    tab.locator(f"{tile} .view").scroll_into_view_if_needed()
    box = tab.locator(f"{tile} .view").bounding_box()
    coarse = load_arrays(report, image.id)[f"grad_cam/features/{image.targets[0].index}"]
    grown = np.maximum(resize(coarse, (40, 40)), 0)
    for row, column in [(5, 9), (20, 31), (39, 0)]:
        tab.mouse.move(box["x"] + (column + 0.5) / 40 * box["width"], box["y"] + (row + 0.5) / 40 * box["height"])
        reading = tab.locator(f"{tile} .reading").text_content()
        assert float(reading.replace("−", "-")) == pytest.approx(float(grown[row, column]), rel=6e-3, abs=1e-6)
    maps = tab.evaluate(f"{PAGE}.tiles.filter((t) => t.drawn).length")
    assert tab.locator(".cross:visible").count() == maps, "in the first row and side by side too"
    assert tab.locator(".hovertext").count() == 0, "one reading a map"
    tab.mouse.move(2, 2)
    until(tab, "[...document.querySelectorAll('.cross')].every((cross) => !cross.checkVisibility())")
    visit.is_quiet()


def test_color_pictures(visit: Visit, moved: Path, report: Path) -> None:
    tab = visit.open(moved / "images" / f"{images(report)[0].id}.html", "#color=1")
    settled(tab)
    shown = tab.evaluate(f"{PAGE}.tiles.filter((t) => t.drawn?.picture).map((t) => t.method)")
    assert set(shown) == {"guided_backprop", "deconvnet", "guided_grad_cam"}
    visit.is_quiet()


def test_a_map_is_enlarged_with_no_way_to_send_it_away(visit: Visit, moved: Path, report: Path) -> None:
    tab = visit.open(moved / "images" / f"{images(report)[0].id}.html")
    settled(tab)
    tab.locator("[data-method='occlusion'] .enlarge").focus()
    tab.keyboard.press("Enter")
    tab.locator("dialog .modebar").wait_for(state="attached")
    assert tab.locator("dialog h2").inner_text().startswith("Occlusion · ")
    titles = tab.evaluate("[...document.querySelectorAll('dialog .modebar-btn')].map((b) => b.dataset.title)")
    assert titles and not [title for title in titles if re.search("share|cloud|edit|send", title or "", re.IGNORECASE)]
    assert tab.locator("dialog .colorbar").count() == 1
    tab.keyboard.press("Escape")
    tab.locator("dialog").wait_for(state="detached")  # a dialog tells of its closing a moment later
    visit.is_quiet()


def test_the_scheme_follows_the_system_and_the_reader(chromium: Any, moved: Path) -> None:
    for scheme in ("light", "dark"):
        visit = Visit(chromium, color_scheme=scheme)
        tab = visit.open(moved / "index.html")
        assert tab.evaluate("document.documentElement.dataset.theme") == scheme
        other = "light" if scheme == "dark" else "dark"
        tab.locator(f"[data-scheme='{other}']").click()
        visit.open(moved / "methods.html")
        assert tab.evaluate("document.documentElement.dataset.theme") == other
        visit.is_quiet()
        visit.close()


def test_time_and_machine_are_filled_in(visit: Visit, moved: Path, report: Path) -> None:
    tab = visit.open(moved / "run.html")
    until(tab, "document.querySelector('[data-provenance=took]').textContent !== '–'")
    record = load_run(report).record
    assert tab.locator("[data-provenance='took-detail']").inner_text() == provenance_slots(record)["took-detail"]
    finished = str(record.provenance["finished"])
    assert finished in tab.locator("footer").inner_text()
    assert finished not in (moved / "run.html").read_text(encoding="utf-8")
    tab.emulate_media(media="print")  # where the foot stands in the margin of each sheet, never on a sheet of its own
    assert not tab.locator("footer").is_visible()
    style = "getComputedStyle(document.documentElement).getPropertyValue('--foot')"
    assert tab.evaluate(style) == f'"Made by cnnvis-report on {finished}"'


def test_paper_gets_the_canvases_and_no_controls(visit: Visit, moved: Path, report: Path) -> None:
    image = images(report)[0]
    tab = visit.open(moved / "images" / f"{image.id}.html")
    settled(tab)
    tab.emulate_media(media="print")
    assert tab.locator(".toolbar:visible, .plot:visible, .enlarge:visible").count() == 0
    assert tab.locator("canvas.map:visible").count() == tab.evaluate(f"{PAGE}.tiles.length")
    tab.set_viewport_size({"width": 360, "height": 740})
    tab.emulate_media(media="screen")
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_nothing_is_cut_or_empty_on_a_sheet_of_paper(chromium: Any, moved: Path, report: Path) -> None:
    visit = Visit(chromium, viewport={"width": 711, "height": 1020})  # A4 within its margins
    image = moved / "images" / f"{images(report)[0].id}.html"
    for path in (moved / "index.html", moved / "methods.html", moved / "run.html", moved / "performance.html", image):
        tab = visit.open(path)
        tab.emulate_media(media="print")
        wide = "table => table.getBoundingClientRect().right > innerWidth ? table.className : ''"
        cut = tab.evaluate(f"[...document.querySelectorAll('main table')].map({wide}).filter(String)")
        assert not cut, f"{path.name}: {cut}"
        assert tab.locator(".crumbs:visible, .hint .scripted:visible, .feature-maps:visible").count() == 0
    visit.close()


def test_without_scripts_no_mask_is_spoken_of_where_none_is_drawn(chromium: Any, tmp_path: Path) -> None:
    command("make-dataset", "shapes", "-o", tmp_path / "set", "-n", 5, "-q")
    run = ("run", "tests.factories:tiny", tmp_path / "set", "-o", tmp_path / "r", "-m", "gradient", "--limit", 1)
    command(*run, "--device", "cpu", "-q")
    (path,) = (tmp_path / "r" / "images").glob("*.html")
    for scripts, count in ((False, 0), (True, 1)):
        visit = Visit(chromium, java_script_enabled=scripts)
        tab = visit.open(path)
        assert tab.page.get_by_text("with its mask").locator("visible=true").count() == count
        visit.close()


@pytest.mark.parametrize("name", ["index.html", "methods.html", "run.html"])
def test_narrow_screens_need_no_scrolling_sideways(chromium: Any, moved: Path, name: str) -> None:
    visit = Visit(chromium, viewport={"width": 360, "height": 740})
    tab = visit.open(moved / name)
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    visit.close()


def test_names_of_any_length_stay_in_their_places(chromium: Any, moved: Path, report: Path) -> None:
    visit = Visit(chromium, viewport={"width": 360, "height": 740})
    long = "W" * 300
    for path in (moved / "index.html", moved / "images" / f"{images(report)[0].id}.html", moved / "run.html"):
        tab = visit.open(path)
        tab.evaluate(
            """(name) => document.querySelectorAll(".name, .hint, p, [data-caption], h1, h2, td, dd, option, small")
              .forEach((e) => { if (!e.children.length) e.textContent = name; })""",
            long,
        )
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), path.name
        heights = tab.evaluate("[...document.querySelectorAll('.gallery li, .score')].map((e) => e.offsetHeight)")
        assert max(heights, default=0) < 400
    visit.close()


def test_without_scripts_there_are_pictures(chromium: Any, moved: Path, report: Path) -> None:
    image = images(report)[0]
    context = chromium.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto((moved / "images" / f"{image.id}.html").resolve().as_uri())
    tiles = tab.locator("[data-tiles] .tile[data-method]").count()
    assert tab.locator(".tile .still:visible").count() == tiles + 2, "and the first row's picture and map"
    assert tab.locator(".tile:visible").count() == tiles + 2, "no empty ones"
    ends = tab.locator("[data-tiles] [data-high]")
    assert ends.count() == tiles and all(ends.all_inner_texts()), "bars have numbers"
    assert tab.locator(".score:enabled").count() == 0, "nothing looks as if it could be chosen"
    assert tab.locator(".toolbar:visible").count() == 0
    assert not tab.locator(".timed:visible").count()
    tab.goto((moved / "run.html").resolve().as_uri())
    assert tab.locator(".timed").count() and not tab.locator(".timed:visible").count(), "no time, and no dash for it"
    tab.goto((moved / "images" / f"{image.id}.html").resolve().as_uri())
    assert tab.locator("[data-tiles] .still").first.get_attribute("alt").endswith(image.targets[0].name)
    context.close()


def test_the_single_file_has_it_all(visit: Visit, alone: Path, report: Path) -> None:
    tab = visit.open(alone)
    run = images(report)
    tab.locator("[data-gallery] li").last.scroll_into_view_if_needed()
    until(
        tab,
        "[...document.querySelectorAll('[data-gallery] img')].every((i) => i.src.startsWith('data:') && i.complete)",
    )
    tab.locator("[data-gallery] a").nth(2).click()
    settled(tab)
    assert tab.locator("main:visible h1").inner_text() == run[2].name
    tab.keyboard.press("2")
    until(tab, f"{PAGE}.state.class === '{run[2].targets[1].index}'")
    assert f"page=image-{run[2].id}" in tab.url and f"class={run[2].targets[1].index}" in tab.url
    tab.reload()
    settled(tab)
    assert tab.evaluate(f"{PAGE}.state.class") == str(run[2].targets[1].index)
    tab.keyboard.press("j")
    until(tab, f"document.querySelector('main:not([hidden]) h1').textContent === {json.dumps(run[3].name)}")
    settled(tab)
    tab.locator("main:visible [data-tiles] .tile h3 a").nth(1).click()
    until(tab, "document.querySelector('main:not([hidden])').dataset.page === 'methods'")
    assert tab.locator("[data-aimed]").count() == 1
    tab.go_back()
    until(tab, "document.querySelector('main:not([hidden])').dataset.page === 'image'")
    tab.locator(".brand").click()
    until(tab, "document.querySelector('main:not([hidden])').dataset.page === 'index'")
    tab.select_option("[name='show']", "deconvnet")
    visit.is_quiet()
    assert len([url for url in visit.requests if url.startswith("file:")]) == 2, "itself, and itself again"
