"""Names, titles and LaTeX of what is taken away, of names that strangers might give."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.pages.browser import Visit

pytestmark = pytest.mark.browser
NAMES = {
    "plain": "square/29.png",
    "script": "<script>alert(1)</script>.png",
    "quotes": "a \"b\" 'c' & d.png",
    "out of the folder": "../../etc/passwd",
    "backslashes": "C:\\con\\nul.png",
    "device": "aux.png",
    "right to left": "שלום/عالم.png",
    "override": "photo\u202egnp.exe",
    "isolates": "\u2067\u2069\u2069x.png",
    "long": "x" * 300 + ".png",
    "controls": "a\x00b\x07c\nd\u2028e.png",
    "half a pair": "a\ud800b.png",
    "formula": "=cmd|' /C calc'!A0",
    "latex": r"\input{x}$_^~#%&{}.png",
    "empty": "",
    "dots": "...",
}
FILE = re.compile(r"[a-z0-9][a-z0-9-]*_grad-cam_[a-z0-9][a-z0-9-]*")


@pytest.fixture(scope="module")
def scripts(chromium: Any, moved: Path) -> Iterator[Any]:
    visit = Visit(chromium)
    yield visit.open(moved / "methods.html")
    visit.is_quiet()
    visit.close()


def call(scripts: Any, code: str, *values: Any) -> Any:
    """The result of a function of the scripts. Values travel as JSON, so that half a pair of surrogates does."""
    return scripts.evaluate(f"(text) => {{ const values = JSON.parse(text); return ({code}) }}", json.dumps(values))


def file_name(scripts: Any, image: str, target: str) -> Any:
    facts = {"id": "an-id-123", "name": image, "targets": {"0": target, "7": "dog (1%)"}}
    return call(scripts, "CnnVis.fileName(values[0], 'grad_cam', ['0', ''])", facts)


def test_a_file_says_what_it_is(scripts: Any) -> None:
    assert file_name(scripts, "square/29.png", "triangle (69.6%)") == "square-29_grad-cam_triangle"
    assert file_name(scripts, "Müsli Café.JPEG", "age = 41.2") == "musli-cafe_grad-cam_age"


@pytest.mark.parametrize("name", NAMES)
def test_a_file_name_is_safe_everywhere(scripts: Any, name: str) -> None:
    for file in (file_name(scripts, NAMES[name], "cat (3%)"), file_name(scripts, "cat.png", f"{NAMES[name]} (3%)")):
        assert FILE.fullmatch(file) and len(file) < 140


def test_classes_that_differ_in_signs_alone_have_files_of_their_own(scripts: Any) -> None:
    facts = {"id": "i", "name": "a.png", "targets": {"0": "C++ (50%)", "1": "C# (40%)", "2": "猫 (5%)"}}
    files = [call(scripts, f"CnnVis.fileName(values[0], 'cam', ['{n}', ''])", facts) for n in range(3)]
    assert files == ["a_cam_c-0", "a_cam_c-1", "a_cam_2"]
    assert call(scripts, "CnnVis.fileName(values[0], 'cam', ['0', '1'], 'features.3')", facts) == (
        "a_cam_c-0-minus-c-1_features-3"
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_title_is_one_line_in_the_order_of_its_parts(scripts: Any, name: str) -> None:
    title = call(scripts, "CnnVis.titleOf(['CAM', ...values])", NAMES[name], "class cat")
    assert title.startswith("CAM · ") and title.endswith("class cat")
    assert not re.search(r"[\x00-\x1f\u202a-\u202e\u2066\u2067\ud800-\udfff]", title)
    assert title.count("\u2068") == title.count("\u2069") == (name == "right to left")


@pytest.mark.parametrize("name", NAMES)
def test_latex_takes_no_part_of_a_name_for_a_command(scripts: Any, name: str) -> None:
    text = call(
        scripts,
        "CnnVis.latex({ file: 'f', method: values[0], key: 'k', image: values[0], target: values[0], model: values[0],"
        " scale: values[0], pair: true })",
        NAMES[name],
    )
    caption = next(line for line in text.split("\n") if "\\caption" in line)
    known = (
        r"\\(caption|cite|text(backslash|asciitilde|asciicircum|less|greater|bar)|ldots|times|geq|leq|cdot|[{}&%$#_])"
    )
    bare = re.sub(known, "", caption.replace("~\\cite{k}", ""))
    assert not re.search(r"[\\&%#_^~]", bare), bare
    assert bare.count("{") == bare.count("}")
    assert text.count("\n") == 7 and text.endswith("\\end{figure}\n")


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (3, 400)], ids=lambda shape: "x".join(map(str, shape)))
def test_values_are_read_back_bit_by_bit(scripts: Any, shape: tuple[int, int], tmp_path: Path) -> None:
    values = np.random.default_rng(0).standard_t(1, shape).astype(np.float32)
    values.flat[0] = np.float32(1e-42)
    grid = "{ values: Float32Array.from(values[0]), height: values[1], width: values[2] }"
    given = (values.ravel().tolist(), *shape)
    (tmp_path / "a.npy").write_bytes(bytes(call(scripts, f"[...CnnVis.npy({grid})]", *given)))
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), values, strict=True)
    (tmp_path / "a.csv").write_text(call(scripts, f"CnnVis.csv({grid}, ['a\\nb, c'])", *given), "utf-8")
    read = np.loadtxt(tmp_path / "a.csv", delimiter=",", dtype=np.float32, ndmin=2)
    np.testing.assert_array_equal(read, values, strict=True)


def test_lines_are_no_wider_than_they_may_be(scripts: Any) -> None:
    lines = call(
        scripts, "CnnVis.wrap(values[0], 10, (text) => text.length)", "one two three fourfourfourfour five 🐱🐱"
    )
    assert all(len(line.encode("utf-16-le")) // 2 <= 10 for line in lines)
    assert "".join(lines).replace(" ", "") == "onetwothreefourfourfourfourfive🐱🐱"


@pytest.mark.parametrize("text", ["", "1_2_3", "a_b_c_d", "5_1_0_9", "0_0_0_0", "NaN_1_2_3", "_1_2_3", "1e999_2_3_4"])
def test_a_zoom_that_makes_no_sense_is_none(scripts: Any, text: str) -> None:
    assert call(scripts, "CnnVis.parseZoom(values[0], [40, 40])", text) is None
