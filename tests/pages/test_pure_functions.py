"""The scripts' pure functions, called in Chromium; each page has all of them, so that one page does for all tests."""

from typing import Any

import numpy as np
import pytest

from cnnvis_report.records.methods import Array, Sign
from cnnvis_report.report.pictures.encode import QUALITIES, Quality, encode_maps
from cnnvis_report.report.pictures.pack import text_of
from cnnvis_report.report.pictures.palettes import POSITIVE, SIGNED, limit, table
from cnnvis_report.report.pictures.resample import Growth, resize
from tests.report.pictures.decoding import decode_maps

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("sign", "palette"), [("positive", name) for name in POSITIVE] + [("signed", n) for n in SIGNED]
)
def test_colors_are_those_of_python(scripts: Any, palette: str, sign: str) -> None:
    colors = scripts.evaluate("([p, s]) => [...CnnVis.colorTable(CnnVis.palettes[s][p])]", [palette, sign])
    assert colors == table(palette).ravel().tolist()


NOISE = np.random.default_rng(0).standard_t(3, (50, 70)).astype(np.float32)
SMOOTH = np.cumsum(np.cumsum(NOISE, 0), 1).astype(np.float32)
MAPS = {
    "noise": NOISE,
    "smooth": SMOOTH,
    "by columns": SMOOTH.T.copy(),
    "small": NOISE[:9, :7],
    "zeros": np.zeros((40, 40), np.float32),
}


@pytest.mark.parametrize("quality", QUALITIES, ids=["31 steps", "15 steps", "7 steps", "halved", "halved, 15 steps"])
@pytest.mark.parametrize("name", MAPS)
def test_a_map_is_unpacked_within_the_error_of_its_quality(scripts: Any, name: str, quality: Quality) -> None:
    values = MAPS[name]
    unpacked = scripts.evaluate(
        "async (map) => { const { values } = await CnnVis.unpack(map); return [...values] }",
        encode_maps([values], Sign.SIGNED, quality)[0],
    )
    if quality.halved and values.size > 1024:
        assert len(unpacked) == values.size // 4, "averaged over 2×2"
        return
    bound = 1e-6 if values.size <= 1024 else quality.error
    assert np.abs(np.array(unpacked).reshape(values.shape) - values).max() <= bound * np.abs(values).max() + 1e-9


@pytest.mark.parametrize("quality", QUALITIES, ids=["31 steps", "15 steps", "7 steps", "halved", "halved, 15 steps"])
def test_maps_of_all_classes_are_those_of_numpy_to_the_bit(scripts: Any, quality: Quality) -> None:
    maps: list[Array] = [
        NOISE,
        (NOISE + SMOOTH / 100).astype(np.float32),
        NOISE.copy(),
        -NOISE,
        np.zeros_like(NOISE),
        SMOOTH,
    ]
    entries = encode_maps(maps, Sign.SIGNED, quality)
    classes = {str(number): {**entry, "first": "0"} if number else entry for number, entry in enumerate(entries)}
    unpacked = scripts.evaluate(
        """async (classes) => {
          CnnVis.linkMaps({ gradient: { "": classes } });
          const grids = await Promise.all(Object.values(classes).map(CnnVis.unpack));
          return grids.map(({ values }) => [...values]);
        }""",
        classes,
    )
    for values, expected in zip(unpacked, decode_maps(entries), strict=True):
        assert np.array_equal(np.array(values, np.float32), expected.ravel())


@pytest.mark.parametrize("size", [0, 1, 12, 13, 14, 500])
def test_text_is_turned_back_into_its_bytes(scripts: Any, size: int) -> None:
    content = np.random.default_rng(size).integers(0, 256, size, np.uint8).tobytes()
    assert scripts.evaluate("(text) => [...CnnVis.bytesOf(text)]", text_of(content)) == list(content)


@pytest.mark.parametrize("growth", Growth)
@pytest.mark.parametrize(
    "size", [(40, 21), (5, 7), (64, 64), (3, 4), (3, 30)], ids=lambda size: "x".join(map(str, size))
)
def test_arrays_are_grown_and_shrunk_as_in_python(scripts: Any, size: tuple[int, int], growth: Growth) -> None:
    coarse = np.random.default_rng(1).normal(size=(5, 7)).astype(np.float32)
    enlarged = scripts.evaluate(
        "([v, s, g]) => [...CnnVis.resample({ values: Float32Array.from(v), height: 5, width: 7 }, ...s, g)]",
        [coarse.ravel().tolist(), size, growth.value],
    )
    np.testing.assert_allclose(enlarged, resize(coarse, size, growth).ravel(), atol=1e-6)


@pytest.mark.parametrize("growth", Growth)
@pytest.mark.parametrize("rows", [4, 8, 20])
def test_a_part_is_the_part_of_the_whole(scripts: Any, rows: int, growth: Growth) -> None:
    values = np.random.default_rng(2).normal(size=16).astype(np.float32)
    part = scripts.evaluate(
        "([v, n, g]) => [...CnnVis.resample({ values: Float32Array.from(v), height: 16, width: 1 }, n, 1, g,"
        " { parts: [[4, 12], [0, 1]] })]",
        [values.tolist(), rows, growth.value],
    )
    whole = resize(values[:, None], (2 * rows, 1), growth).ravel()
    np.testing.assert_allclose(part, whole[rows // 2 : rows // 2 + rows], atol=1e-6)


def ends_cases() -> dict[str, np.ndarray]:
    random = np.random.default_rng(3)
    sparse = np.zeros(2000, np.float32)
    sparse[7] = -3
    return {
        "heavy tails": random.standard_t(2, 5000).astype(np.float32),
        "tiny": random.normal(size=99).astype(np.float32) * np.float32(1e-30),
        "steps": random.integers(-2, 3, 1000).astype(np.float32),
        "sparse": sparse,
        "one": np.array([-4], np.float32),
    }


ENDS = ends_cases()


@pytest.mark.parametrize("clipped", [True, False], ids=["clipped", "whole"])
@pytest.mark.parametrize("name", ENDS)
def test_ends_are_found_as_python_finds_them(scripts: Any, name: str, clipped: bool) -> None:
    values = ENDS[name]
    ends = scripts.evaluate("([v, c]) => CnnVis.endsOf(Float32Array.from(v), c)", [values.tolist(), clipped])
    assert ends == [np.abs(values).max(), pytest.approx(limit(values, clipped=clipped), rel=0, abs=0)]


def test_a_map_of_zeros_ends_at_zero(scripts: Any) -> None:
    assert scripts.evaluate("CnnVis.endsOf(new Float32Array(9), true)") == [0, 0]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("CnnVis.formatAddress({ b: 'x y', a: '1', c: '' })", "#a=1&b=x+y"),
        ("CnnVis.parseAddress('#a=1&b=x+y')", {"a": "1", "b": "x y"}),
        ("CnnVis.parseAddress('#grad_cam')", {"at": "grad_cam"}),
        ("CnnVis.parseAddress('')", {}),
        ("CnnVis.parseAddress('#%E0%A4%A')", {"at": "%E0%A4%A"}),
        ("CnnVis.inWords(0)", "0"),
        ("CnnVis.inWords(8.4249)", "8.42"),
        ("CnnVis.inWords(-317.4)", "−317"),
        ("CnnVis.inWords(0.0000613)", "6.1e−5"),
        ("CnnVis.inWords(120000)", "1.2e5"),
        ("CnnVis.inWords(0.5)", "0.5"),
        (
            "CnnVis.zoomOf({ 'xaxis.range[0]': 1, 'xaxis.range[1]': 2, 'yaxis.range[0]': 9, 'yaxis.range[1]': 4 })",
            {"x": [1, 2], "y": [4, 9]},
        ),
        ("CnnVis.zoomOf({ 'xaxis.autorange': true })", None),
        ("CnnVis.zoomOf({ dragmode: 'pan' }) === undefined", True),
        ("CnnVis.alpha(0.2, { overlay: true, opacity: 1, threshold: 0.3 })", 0),
        ("CnnVis.alpha(0.25, { overlay: true, opacity: 0.8, threshold: 0 })", 0.8),
        ("CnnVis.alpha(0.25, { overlay: true, signed: true, opacity: 0.4, threshold: 0 }).toFixed(9)", "0.150000000"),
        ("CnnVis.alpha(0.25, { overlay: true, signed: true, opacity: 0.9, threshold: 0 })", 0.25),
        ("CnnVis.alpha(0.25, { overlay: false, opacity: 0.8, threshold: 0 })", 1),
        ("CnnVis.zoomTo({ x: 8, y: 5 }, { x: 4, y: 6 }, [40, 20])", {"x": [4, 8], "y": [1.5, 9.5]}),
        ("CnnVis.zoomTo({ x: -0.5, y: -0.5 }, { x: 1.5, y: 1.5 }, [40, 20])", {"x": [-0.5, 1.5], "y": [-0.5, 3.5]}),
        ("CnnVis.zoomTo({ x: -9, y: 0 }, { x: 30, y: 9 }, [40, 20])", None),
        ("CnnVis.parseZoom(CnnVis.formatZoom({ x: [4, 8], y: [1.5, 9.5] }), [40, 20])", {"x": [4, 8], "y": [1.5, 9.5]}),
        ("CnnVis.parseZoom('<b>', [40, 20])", None),
        ("CnnVis.parseZoom('', [40, 20])", None),
        ("CnnVis.formatZoom(null)", ""),
        (
            "CnnVis.valueAt({ size: [4, 8], grid: { height: 2, width: 2, values: [1, 2, 3, 4] } }, { x: 3.6, y: 0 })",
            2,
        ),
        ("CnnVis.placeOf(CnnVis.shareOf({ x: 3, y: 7 }, [[2, 9], [1, 5]]), [[2, 9], [1, 5]])", {"x": 3, "y": 7}),
        ("CnnVis.endOf({ ends: [4, 2] }, [{ ends: [4, 2] }, { ends: [9, 3] }], { normalize: 'classes' })", 3),
        (
            "CnnVis.endOf({ ends: [4, 2] }, [{ ends: [4, 2] }, { ends: [9, 3] }], { normalize: 'map', range: 'full' })",
            4,
        ),
        ("CnnVis.endOf({ ends: [0, 0] }, [{ ends: [0, 0] }], { normalize: 'map', range: 'full' })", 1),
        ("[...CnnVis.unfilter(Uint8Array.from([1, 1, 255, 2, 0, 3]), 2, 3, 1)]", [1, 2, 1, 2, 2, 5]),
        ("[...CnnVis.unfilter(Uint8Array.from([1, 2, 3, 255, 1, 1]), 2, 3, 2)]", [1, 2, 3, 0, 3, 4]),
        ("CnnVis.keeping('a.html', { ...CnnVis.imageDefaults, view: 'map', class: '7' })", "a.html#view=map"),
        ("CnnVis.keeping('#page=image-3', CnnVis.imageDefaults)", "#page=image-3"),
    ],
)
def test_pure_functions_of_the_pages(scripts: Any, code: str, expected: Any) -> None:
    assert scripts.evaluate(code) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("CnnVis.withMinus({ class: '3', minus: '3' }, ['3', '5']).minus", ""),
        ("CnnVis.withMinus({ class: '3', minus: '5' }, ['3', '5']).minus", "5"),
        ("CnnVis.withMinus({ class: '3' }, ['3', '5']).minus", ""),
        ("CnnVis.boundInWords(0.01201)", "0.013"),
        ("CnnVis.boundInWords(0.00000612)", "6.2e−6"),
        ("CnnVis.boundInWords(120.1)", "130"),
        ("[...CnnVis.subtract({ values: [3, 1] }, { values: [1, 4] }).values]", [2, -3]),
        ("[...CnnVis.errorsOf({ steps: 0 }, { values: [1, 2] })]", [0, 0]),
    ],
)
def test_pure_functions_of_differences(scripts: Any, code: str, expected: Any) -> None:
    assert scripts.evaluate(code) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("CnnVis.channelOrder({ lowest: [0, 0, 0], mean: [1, 3, 1] }, 'mean')", [1, 0, 2]),
        (
            "(() => { const out = new Uint8ClampedArray(8);"
            " CnnVis.blend(out, [[100, 0, 0, 0, 100, 0, 0, 0], [0, 80, 0, 0, 0, 80, 0, 0]], [1, 0.25]);"
            " return [...out]; })()",
            [100, 0, 0, 255, 25, 60, 0, 255],
        ),
        (
            "[...CnnVis.channelValues({ height: 1, width: 2, lowest: [0, -1], highest: [0, 1], steps: 63,"
            " levels: Uint8Array.of(0, 0, 0, 63) }, 1)]",
            [-1, 1],
        ),
    ],
)
def test_pure_functions_of_features(scripts: Any, code: str, expected: Any) -> None:
    assert scripts.evaluate(f"() => {code}") == expected
