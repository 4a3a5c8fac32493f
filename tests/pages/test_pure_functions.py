"""The scripts' pure functions, called in Chromium; each page has all of them, so that one page does for all tests."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from cnnvis_report.records.methods import Sign
from cnnvis_report.report.pictures.encode import QUALITIES, Quality, encode_map
from cnnvis_report.report.pictures.palettes import SCALES, limit, table
from tests.pages.browser import Visit

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def scripts(chromium: Any, moved: Path) -> Iterator[Any]:
    visit = Visit(chromium)
    yield visit.open(moved / "methods.html")
    visit.is_quiet()
    visit.context.close()


@pytest.mark.parametrize("sign", Sign)
@pytest.mark.parametrize("palette", SCALES)
def test_colors_are_those_of_python(scripts: Any, palette: str, sign: Sign) -> None:
    colors = scripts.evaluate("([p, s]) => [...CnnVis.colorTable(CnnVis.palettes[p][s])]", [palette, sign.value])
    assert colors == table(palette, sign).ravel().tolist()


NOISE = np.random.default_rng(0).standard_t(3, (50, 70)).astype(np.float32)
SMOOTH = np.cumsum(np.cumsum(NOISE, 0), 1).astype(np.float32)
MAPS = {
    "noise": NOISE,
    "smooth": SMOOTH,
    "by columns": SMOOTH.T.copy(),
    "small": NOISE[:9, :7],
    "zeros": np.zeros((40, 40), np.float32),
}


@pytest.mark.parametrize("quality", QUALITIES, ids=["8 bits", "6 bits", "halved"])
@pytest.mark.parametrize("name", MAPS)
def test_a_map_is_unpacked_within_the_error_of_its_quality(scripts: Any, name: str, quality: Quality) -> None:
    values = MAPS[name]
    unpacked = scripts.evaluate(
        "async (map) => { const { values } = await CnnVis.unpack(map); return [...values] }",
        encode_map(values, Sign.SIGNED, quality),
    )
    if quality.halved and values.size > 1024:
        assert len(unpacked) == values.size // 4, "averaged over 2×2"
        return
    bound = 1e-6 if values.size <= 1024 else quality.error
    assert np.abs(np.array(unpacked).reshape(values.shape) - values).max() <= bound * np.abs(values).max() + 1e-9


@pytest.mark.parametrize("size", [(40, 21), (5, 7), (64, 64), (3, 4)], ids=lambda size: "x".join(map(str, size)))
def test_a_coarse_map_is_enlarged_as_pytorch_does(scripts: Any, size: tuple[int, int]) -> None:
    coarse = np.random.default_rng(1).normal(size=(5, 7)).astype(np.float32)
    enlarged = scripts.evaluate(
        "([v, s]) => [...CnnVis.upsample({ values: Float32Array.from(v), height: 5, width: 7 }, ...s).values]",
        [coarse.ravel().tolist(), size],
    )
    expected = interpolate(torch.from_numpy(coarse)[None, None], size=size, mode="bilinear", align_corners=False)
    np.testing.assert_allclose(enlarged, expected.ravel(), atol=1e-6)


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
        ("CnnVis.alpha(0.25, { overlay: true, opacity: 0.8, threshold: 0 })", 0.4),
        ("CnnVis.alpha(0.25, { overlay: false, opacity: 0.8, threshold: 0 })", 1),
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
        ("[...CnnVis.errorsOf({ code: 0 }, { values: [1, 2] })]", [0, 0]),
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
            "[...CnnVis.channelValues({ height: 1, width: 2, lowest: [0, -1], highest: [0, 1],"
            " steps: Uint8Array.of(0, 0, 0, 255) }, 1)]",
            [-1, 1],
        ),
    ],
)
def test_pure_functions_of_features(scripts: Any, code: str, expected: Any) -> None:
    assert scripts.evaluate(f"() => {code}") == expected
