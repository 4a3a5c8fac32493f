"""Bytes as text and back."""

import html
import json
import re
import string
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnvis_report.report.pictures.pack import ALPHABET, Filter, deflate, filter_bytes, pack, text_of
from cnnvis_report.report.site.assets import delivery, script_json
from tests.report.pictures.decoding import bytes_of, unfiltered

properties = settings(deadline=None, derandomize=True, max_examples=60)


def test_the_alphabet_needs_no_escapes_anywhere() -> None:
    assert len(set(ALPHABET)) == len(ALPHABET) == 91
    assert not set(ALPHABET) & set(string.whitespace + '"<\\')
    assert script_json(ALPHABET) == f'"{ALPHABET}"', "as it is in a script element"
    assert json.loads(script_json(ALPHABET)) == ALPHABET
    assert delivery("x", ALPHABET).endswith(f'"{ALPHABET}");\n')
    assert not re.search(r"</?script|<!--", ALPHABET)
    assert html.escape(ALPHABET) != ALPHABET, "in HTML beside a script element it would have to be escaped"


@properties
@given(st.binary(max_size=80))
def test_text_comes_back_as_the_same_bytes(content: bytes) -> None:
    text = text_of(content)
    assert bytes_of(text) == content
    assert len(text) == 1 + 16 * -(-len(content) // 13), "eight pairs of characters for 13 bytes"


@properties
@given(st.binary(max_size=2000), st.integers(1, 9))
def test_deflated_bytes_come_back(content: bytes, times: int) -> None:
    assert zlib.decompress(deflate(content * times), -15) == content * times


def test_what_comes_twice_is_said_once_and_noise_is_not_searched_for_it() -> None:
    noise = np.random.default_rng(0).integers(0, 40, 50_000, np.uint8).tobytes()
    assert len(deflate(noise)) == pytest.approx(np.log2(40) / 8 * len(noise), rel=0.02)
    rare = bytes(number % 97 == 0 for number in range(50_000))
    assert len(deflate(rare)) < 500


@pytest.mark.parametrize("kind", Filter)
def test_rows_are_filtered_by_what_leaves_least_to_say(kind: Filter) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (40, 64), np.uint8)
    rows = {
        Filter.NONE: np.random.default_rng(0).integers(0, 3, (40, 64), np.uint8) * np.uint8(80),
        Filter.LEFT: noise[:, :1] + np.arange(64, dtype=np.uint8),
        Filter.UP: noise[:1] + np.arange(40, dtype=np.uint8)[:, None],
    }[kind]
    chosen, text = pack(rows)
    assert chosen is kind
    steps = np.frombuffer(zlib.decompress(bytes_of(text), -15), np.uint8).reshape(rows.shape)
    assert np.array_equal(unfiltered(steps, chosen), rows)


@properties
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 99))
def test_filters_lose_nothing(height: int, width: int, seed: int) -> None:
    rows = np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)
    kind, filtered = filter_bytes(rows)
    np.testing.assert_array_equal(unfiltered(filtered, kind), rows)
