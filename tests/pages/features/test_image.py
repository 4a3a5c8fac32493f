"""The features of an image in Chromium: every view by keyboard and pointer."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnvis_report.store import load_inspection, load_run
from tests.conftest import command
from tests.exhaustive import represented
from tests.narrow import present
from tests.pages.browser import Visit, until
from tests.pages.enlarged import saved
from tests.pages.features.grid import READY, SAID, Looked

pytestmark = pytest.mark.browser


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
    page.select_option("[data-maps-controls] [name='layer']", "2")
    until(page, f"{SAID}.startsWith('3 of')")
    page.locator("[data-grid] button").nth(5).focus()
    page.keyboard.press("Enter")
    until(page, "document.querySelector('dialog .large')?.data?.length === 1")
    z = np.array(
        page.evaluate("Array.from(document.querySelector('dialog .large').data[0].z, (row) => Array.from(row))")
    )
    arrays = load_inspection(run.folder, inside.image)
    lowest, highest = arrays[f"channels/{inside.layers[2]}"][:2, 5]
    expected = lowest + arrays[f"maps/{inside.layers[2]}"][5] / 255 * (highest - lowest)
    np.testing.assert_allclose(z, expected, atol=(highest - lowest) / 126 + 1e-9)
    assert f"{inside.layers[2]}, channel 5" in page.locator("dialog h2").inner_text()
    name = next(image.name for image in run.images() if image.id == inside.image)
    assert name in page.locator("dialog h2").inner_text()
    page.keyboard.press("Escape")
    until(page, "!document.querySelector('dialog')")


def test_a_channel_is_taken_away(page: Any, looked: Looked, tmp_path: Path) -> None:
    _, inside = looked
    page.select_option("[data-maps-controls] [name='layer']", "2")
    until(page, f"{SAID}.startsWith('3 of')")
    page.locator("[data-grid] button").nth(5).click()
    until(page, "document.querySelector('dialog .large')?.data?.length === 1")
    values = np.load(saved(page, "npy", tmp_path))
    shown = page.evaluate("Array.from(document.querySelector('dialog .large').data[0].z, (row) => Array.from(row))")
    np.testing.assert_array_equal(values, np.array(shown, np.float32))
    picture = saved(page, "png", tmp_path)
    assert Image.open(picture).size[0] >= 600 and inside.layers[2].replace(".", "-") in picture.name
    assert page.locator("[data-export='latex']:visible, [data-export='link']:visible").count() == 0
    page.keyboard.press("Escape")
    until(page, "!document.querySelector('dialog')")


@pytest.mark.parametrize(("sort", "row"), represented([("mean", 2), ("highest", 1), ("relevance", 3)], by=1))
def test_channels_are_sorted(page: Any, looked: Looked, sort: Any, row: Any) -> None:
    run, inside = looked
    page.select_option("[data-maps-controls] [name='layer']", "2")
    page.select_option("[data-maps-controls] [name='sort']", sort)
    values = load_inspection(run.folder, inside.image)[f"channels/{inside.layers[2]}"][row]
    expected = np.argsort(-values, kind="stable").tolist()
    until(page, f"{SAID}.startsWith('3 of')")
    shown = "[...document.querySelectorAll('[data-grid] span')].map((each) => each.textContent).join()"
    until(page, f"{shown} === '{','.join(map(str, expected))}'")


BRIGHTEST = """() => [...document.querySelectorAll('[data-grid] canvas')].map((canvas) => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let most = 0;
  for (let at = 0; at < data.length; at += 4) most = Math.max(most, data[at] + data[at + 1] + data[at + 2]);
  return most; })"""


def test_one_scale_for_all_unless_each_is_to_have_its_own(page: Any, looked: Looked) -> None:
    run, inside = looked
    highest = load_inspection(run.folder, inside.image)[f"channels/{inside.layers[0]}"][1]
    until(page, f"{SAID}.includes('one scale')")
    shared = page.evaluate(BRIGHTEST)
    assert shared[int(np.argmax(highest))] == max(shared) and min(shared) < max(shared)
    page.select_option("[data-maps-controls] [name='normalize']", "channel")
    until(page, f"{SAID}.includes('each channel')")
    own = page.evaluate(BRIGHTEST)
    assert {light for light, high in zip(own, highest, strict=True) if high > 0} == {max(shared)}
    assert all(light == 3 for light, high in zip(own, highest, strict=True) if high == 0), "a dead channel is black"


LAYER = """(([lowest, highest, levels]) => ({ cell: [1, 3], shape: [2, 1, 3], height: 1, width: 3, steps: 63,
  lowest, highest, levels: Uint8Array.from(levels), end: 4, signed: lowest.some((low) => low < 0) }))"""
COLORS = f"""([layer, channel, normalize]) => {{
  const canvas = document.createElement('canvas');
  CnnVis.paintChannel(canvas, {LAYER}(layer), channel, normalize);
  return [...canvas.getContext('2d').getImageData(0, 0, 3, 1).data].filter((_, at) => at % 4 < 3);
}}"""


@pytest.mark.parametrize("normalize", ["layer", "channel"])
def test_zero_is_zero_in_every_view(scripts: Any, normalize: str) -> None:
    positive = [[0, 0], [4, 0], [0, 63, 0, 0, 0, 0]]
    signed = [[-4, 0], [0, 2], [63, 0, 63, 0, 63, 0]]
    black, white = [0, 0, 4] * 3, [255] * 9
    alive = scripts.evaluate(COLORS, [positive, 0, normalize])
    assert alive[:3] == alive[6:] == black[:3] and sum(alive[3:6]) > 600
    assert scripts.evaluate(COLORS, [positive, 1, normalize]) == black, "a channel of zeros"
    below = scripts.evaluate(COLORS, [signed, 0, normalize])
    assert below[:3] == below[6:] == white[:3] and below[5] > below[3], "blue below zero, white at zero"
    above = scripts.evaluate(COLORS, [signed, 1, normalize])
    assert above[:3] == white[:3] and above[3] > above[5], "red above zero, on the layer's scale"


def test_the_maps_say_of_which_image_they_are(page: Any, looked: Looked) -> None:
    run, inside = looked
    name = next(image.name for image in run.images() if image.id == inside.image)
    assert name in page.locator("[data-maps] h3").inner_text()
    figure = page.locator("[data-maps-picture]")
    assert figure.inner_text().strip() == name
    until(page, "document.querySelector('[data-maps-picture] img').naturalWidth > 0")
    scale = page.locator("[data-maps-scale] span").all_inner_texts()
    assert scale[0] == "0" and float(scale[2]) > 0


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
    visit.close()
