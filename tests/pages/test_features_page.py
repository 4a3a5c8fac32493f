"""The inside of the network in Chromium: every view by keyboard and pointer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnvis_report.records.inspection import ImageInspection
from cnnvis_report.store import load_inspection, load_run
from cnnvis_report.store.run_folder import StoredRun
from tests.conftest import command
from tests.narrow import present
from tests.pages.browser import Visit, until

pytestmark = pytest.mark.browser

READY = "document.querySelectorAll('[data-grid] button').length > 0"
SAID = "document.querySelector('[data-said]').textContent"


Looked = tuple[StoredRun, ImageInspection]


@pytest.fixture(scope="module")
def looked(report: Path) -> Looked:
    run = load_run(report)
    return run, present(run.record.inspection).images[0]


@pytest.fixture
def page(visit: Visit, moved: Path, looked: Looked) -> Iterator[Any]:
    tab = visit.open(moved / "images" / f"{looked[1].image}.html")
    tab.locator("[data-maps]").scroll_into_view_if_needed()
    until(tab, READY)
    yield tab
    visit.is_quiet()


def test_the_slider_goes_through_all_layers_by_arrow_keys(page: Any, looked: Looked) -> None:
    run, inside = looked
    page.locator("[name='layer_number']").focus()
    for place, name in enumerate(inside.layers):
        until(page, f"{SAID}.startsWith('{place + 1} of {len(inside.layers)}: {name},')")
        channels = next(layer.shape[0] for layer in run.record.network.layers if layer.name == name)
        until(page, f"document.querySelectorAll('[data-grid] button').length === {min(channels, 64)}")
        page.keyboard.press("ArrowRight")
    assert f"feature_layer={len(inside.layers) - 1}" in page.url
    page.reload()
    until(page, f"{READY} && {SAID}.startsWith('{len(inside.layers)} of')")


def test_a_channel_opens_with_its_true_values(page: Any, looked: Looked) -> None:
    run, inside = looked
    page.select_option("[data-maps-controls] [name='layer']", "3")
    until(page, f"{SAID}.startsWith('4 of')")
    page.locator("[data-grid] button").nth(5).focus()
    page.keyboard.press("Enter")
    until(page, "document.querySelector('dialog .large')?.data?.length === 1")
    z = np.array(
        page.evaluate("Array.from(document.querySelector('dialog .large').data[0].z, (row) => Array.from(row))")
    )
    arrays = load_inspection(run.folder, inside.image)
    lowest, highest = arrays[f"channels/{inside.layers[3]}"][:2, 5]
    expected = lowest + arrays[f"maps/{inside.layers[3]}"][5] / 255 * (highest - lowest)
    np.testing.assert_allclose(z, expected, atol=2e-5 * max(abs(lowest), abs(highest)) + 1e-9)
    assert f"{inside.layers[3]}, channel 5" in page.locator("dialog h2").inner_text()
    page.keyboard.press("Escape")
    until(page, "!document.querySelector('dialog')")


@pytest.mark.parametrize(("sort", "row"), [("mean", 2), ("highest", 1), ("relevance", 3)])
def test_channels_are_sorted(page: Any, looked: Looked, sort: Any, row: Any) -> None:
    run, inside = looked
    page.select_option("[data-maps-controls] [name='layer']", "3")
    page.select_option("[data-maps-controls] [name='sort']", sort)
    values = load_inspection(run.folder, inside.image)[f"channels/{inside.layers[3]}"][row]
    expected = np.argsort(-values, kind="stable").tolist()
    until(page, f"{SAID}.startsWith('4 of')")
    shown = "[...document.querySelectorAll('[data-grid] span')].map((each) => each.textContent).join()"
    until(page, f"{shown} === '{','.join(map(str, expected))}'")


def test_one_scale_for_all_or_for_each(page: Any, looked: Looked) -> None:
    run, inside = looked

    def brightest() -> Any:
        return page.evaluate("""() => [...document.querySelectorAll('[data-grid] canvas')].map((canvas) => {
          const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
          let most = 0;
          for (let at = 0; at < data.length; at += 4) most = Math.max(most, data[at] + data[at + 1] + data[at + 2]);
          return most; })""")

    own = brightest()
    highest = load_inspection(run.folder, inside.image)[f"channels/{inside.layers[0]}"][1]
    assert len(set(own)) == 1, "each channel reaches the light end"
    page.select_option("[data-maps-controls] [name='normalize']", "layer")
    until(page, f"{SAID}.includes('all channels from')")
    shared = brightest()
    assert np.argmax(shared) == np.argmax(highest) and min(shared) < own[0]


def test_projections_switch_between_their_rules(page: Any) -> None:
    shown = "[...document.querySelectorAll('.pair [data-variant-of]:not([hidden])')].map((e) => e.dataset.variantOf)"
    assert set(page.evaluate(shown)) == {"deconvnet"}
    page.locator("[data-variant='deconvnet']").focus()
    page.keyboard.press("ArrowRight")
    assert set(page.evaluate(shown)) == {"guided"}
    page.locator("[data-variant='gradient']").click()
    assert set(page.evaluate(shown)) == {"gradient"}
    until(
        page,
        "[...document.querySelectorAll('[data-variant-of]:not([hidden])')].every((i) => i.complete && i.naturalWidth)",
    )


def test_reveal_is_sharp_where_the_map_is_large(page: Any) -> None:
    tile = "CnnVis.wired.get(document.querySelector('main')).tiles.find((t) => t.method === 'grad_cam')"
    page.locator("[data-view='reveal']").click()
    until(page, f"{tile}.drawn?.pictureImage?.width > 0")
    sharp, soft = page.evaluate(f"""() => {{
      const {{ drawn: {{ pictureImage: made, grid, style }} }} = {tile};
      const {{ picture }} = CnnVis.wired.get(document.querySelector('main'));
      const before = document.createElement('canvas');
      [before.width, before.height] = [picture.width, picture.height];
      before.getContext('2d').drawImage(picture, 0, 0);
      const read = (canvas) => canvas.getContext('2d').getImageData(0, 0, made.width, made.height).data;
      const [old, now] = [read(before), read(made)];
      const sharpness = CnnVis.sharpness(grid, style.end, made.height, made.width);
      const off = (keep) => {{
        const places = [...sharpness.keys()].filter((place) => keep(sharpness[place]));
        const part = (at) => Math.abs(old[at] - now[at]);
        const difference = (place) => part(place * 4) + part(place * 4 + 1) + part(place * 4 + 2);
        return places.length ? places.reduce((sum, place) => sum + difference(place), 0) / places.length / 3 : null;
      }};
      return [off((s) => s === 1), off((s) => s < 0.2)];
    }}""")
    assert sharp is None or sharp < 1
    assert soft > 4, "blurred where the map is small"


def test_the_page_of_the_network_shows_every_view(visit: Visit, moved: Path, looked: Looked) -> None:
    run, _ = looked
    inside = present(run.record.inspection)
    tab = visit.open(moved / "features.html")
    assert tab.locator(".maximized figure").count() == len(inside.maximized)
    assert tab.locator(".sheet").count() == len(inside.top_images)
    heights = tab.evaluate(
        "[...document.querySelectorAll('#channels .dot.active')].map((dot) => dot.getAttribute('cy'))"
    )
    assert [1 - float(height.removesuffix("%")) / 100 for height in heights] == pytest.approx(
        [stats.active_fraction for stats in inside.channel_stats], abs=1e-4
    )
    layers = [layer.name for layer in run.record.network.layers]
    anchor = f"layer-{layers.index(inside.top_images[0].layer)}"
    tab.locator(f".layers a[href$='#{anchor}']").focus()
    tab.keyboard.press("Enter")
    until(tab, f"document.querySelector('#{anchor}').getBoundingClientRect().top < 300")
    tab.locator(".kernels [data-normalize='kernel']").first.click()
    assert (
        tab.evaluate("[...document.querySelectorAll('.kernels')][0].querySelector('[data-normalized=kernel]').hidden")
        is False
    )
    for picture in tab.locator("main img:visible").all():
        picture.scroll_into_view_if_needed()
    until(tab, "[...document.images].filter((i) => !i.hidden).every((i) => i.complete && i.naturalWidth > 0)")
    tab.locator(".sheet a").first.click()
    until(tab, "document.querySelector('main').dataset.page === 'image'")
    visit.is_quiet()


def test_the_table_below_the_chart_goes_to_the_layer(visit: Visit, moved: Path) -> None:
    tab = visit.open(moved / "features.html")
    assert tab.locator("#channels figure.chart svg[role=img]").count() == 1
    tab.locator("#channels summary").click()
    link = tab.locator("#channels tbody a").first
    anchor = f"#{link.get_attribute('href').partition('#')[2]}"
    link.click()
    assert tab.evaluate("location.hash") == anchor
    assert tab.locator(f"{anchor}:target").count() == 1
    visit.is_quiet()


def test_pages_of_64_channels(chromium: Any, tmp_path: Path, drawn: Path) -> None:
    command("run", "tests.factories:wide", drawn, "-o", tmp_path / "r", "-m", "grad_cam", "--inspect", "standard", "-q")
    inside = present(load_run(tmp_path / "r").record.inspection).images[0]
    visit = Visit(chromium)
    tab = visit.open(tmp_path / "r" / "images" / f"{inside.image}.html", "#feature_layer=0")
    until(tab, READY)
    assert tab.locator("[data-pages]").inner_text() == "1–64 of 70"
    assert tab.locator("[data-page-by='-1']").is_disabled()
    tab.locator("[data-page-by='1']").click()
    until(tab, "document.querySelectorAll('[data-grid] button').length === 6")
    assert tab.locator("[data-grid] span").all_inner_texts() == [str(channel) for channel in range(64, 70)]
    assert tab.locator("[data-page-by='1']").is_disabled()
    visit.is_quiet()
    visit.context.close()


def test_the_single_file_has_the_inside(visit: Visit, alone: Path, looked: Looked) -> None:
    _, inside = looked
    tab = visit.open(alone, "#page=features")
    assert tab.locator("main:visible .sheet").count() > 0
    until(tab, "[...document.querySelectorAll('main:not([hidden]) img')].every((i) => i.src.startsWith('data:'))")
    visit.open(alone, f"#page=image-{inside.image}&feature_layer=2")
    until(tab, "[...document.querySelectorAll('main:not([hidden]) [data-grid] button')].length > 0")
    said = "document.querySelector('main:not([hidden]) [data-said]').textContent"
    until(tab, f"{said}.startsWith('3 of')")
    visit.is_quiet()


@pytest.mark.parametrize("width", [360, 800])
def test_the_inside_fits_narrow_screens(chromium: Any, moved: Path, looked: Looked, width: Any) -> None:
    visit = Visit(chromium, viewport={"width": width, "height": 740})
    for path in (moved / "features.html", moved / "images" / f"{looked[1].image}.html"):
        tab = visit.open(path)
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), path.name
    visit.context.close()
