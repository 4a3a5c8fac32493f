"""Drawn sets: what decides the class is under the mask, all else says nothing, no stranger's file is touched."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from cnnvis_report.synthetic import layers, shapes

SIDE = 96


def white(mask: Any) -> Any:
    return np.asarray(mask.convert("L")) > 127


def grown(mask: Any, by: Any) -> Any:
    """The mask and all within so many pixels of it."""
    return np.asarray(Image.fromarray(np.uint8(mask) * 255).filter(ImageFilter.MaxFilter(2 * by + 1))) > 0


def drawn(index: int, variant: Any, side: Any = SIDE, seed: Any = 5) -> Any:
    drawing = layers.draw(index, seed, side, variant)
    assert drawing.picture.mode == "L" and drawing.picture.size == drawing.mask.size == (side, side)
    return drawing, np.asarray(drawing.picture).astype(float), white(drawing.mask)


def outline_of(mask: Any) -> Any:
    """The edge of the patch, one pixel wide at 96 a side."""
    return mask & grown(~mask, 1)


@pytest.mark.parametrize("side", [24, 40, 64, 96])
def test_the_patch_lies_on_the_side_of_the_thick_line_that_the_class_says(side: int) -> None:
    for index in range(50):
        drawing, picture, patch = drawn(index, "shift", side)
        rows, columns = (patch.any(axis).nonzero()[0] for axis in (1, 0))
        assert patch.sum() == len(rows) * len(columns) > 0
        ink = np.where(patch, 0, 255 - picture)  # what is left of this scheme is the thick line
        assert (ink.sum(axis=0) > 0).all() and ink.max() > 200
        middle = (ink * np.arange(side)[:, None]).sum(axis=0) / ink.sum(axis=0)
        above, below = rows.max() < middle[columns].min(), rows.min() > middle[columns].max()
        assert (above, below) == (drawing.target == 0, drawing.target == 1)
        if side >= 64:  # clear of its ink too
            inked = np.flatnonzero((ink[:, columns] > 0).any(axis=1))
            assert rows.max() < inked.min() or rows.min() > inked.max()


def test_all_variants_of_a_number_share_the_scene() -> None:
    for index in range(12):
        masks = {variant: drawn(index, variant)[0] for variant in layers.VARIANTS}
        for drawing in masks.values():
            assert np.array_equal(white(drawing.mask), white(masks["gray"].mask)) and drawing.target == index % 2
        decoys = [white(drawing.others["decoys"]) for name, drawing in masks.items() if name != "shift"]
        assert all(np.array_equal(each, decoys[0]) and each.any() for each in decoys) and not masks["shift"].others
        assert not (decoys[0] & white(masks["gray"].mask)).any()


def test_stripes_are_shifted_by_a_share_of_their_period_in_the_patch_and_nowhere_else() -> None:
    for index in range(12):
        scene = layers._scene(np.random.default_rng([5, index]), index % 2, SIDE)
        still, quarter, half, shifted = (
            layers._ground(replace(scene, shift=shift), np.random.default_rng([5, index, 1]))
            for shift in (0.0, 0.25, 0.5, scene.shift)
        )
        drawing, picture, patch = drawn(index, "gray")
        assert np.array_equal(shifted[~patch], still[~patch])
        # sin p + sin(p + π) = 0, so the mean is all but the stripes; sin(p + s) = cos s · sin p + sin s · cos p
        rest, turn = (still + half) / 2, math.tau * scene.shift
        expected = rest + math.cos(turn) * (still - rest) + math.sin(turn) * (quarter - rest)
        np.testing.assert_allclose(shifted[patch], expected[patch], atol=1e-4)
        assert np.ptp((still - rest)[patch]) > 0.2
        assert np.corrcoef((shifted - rest)[patch], (still - rest)[patch])[0, 1] < -0.6
        bare = ~grown(white(drawing.others["decoys"]), 2)
        assert np.array_equal(picture[bare], np.floor(np.clip(shifted * 255, 0, 255))[bare])


def test_schemes_are_white_but_for_what_they_name() -> None:
    for index in range(12):
        _, shift, patch = drawn(index, "shift")
        annotated, picture, _ = drawn(index, "annotated")
        decoys, outline = white(annotated.others["decoys"]), outline_of(patch)
        assert (shift[patch & ~outline] == 255).all() and (shift[outline] < 30).all()
        assert np.array_equal(picture[~grown(decoys, 2)], shift[~grown(decoys, 2)]) and (picture[decoys] < 160).all()
        rows = (shift < 255).sum(axis=0)[~patch.any(axis=0)]
        assert rows.min() >= 3 and rows.max() <= 7  # beside the patch the line alone, 0.028 of a side thick


def test_the_marked_scene_differs_on_the_outline_alone() -> None:
    for index in range(12):
        _, gray, patch = drawn(index, "gray")
        _, marked, _ = drawn(index, "marked")
        assert np.array_equal(marked[~outline_of(patch)], gray[~outline_of(patch)])
        assert (marked[outline_of(patch)] == 255).all()


def test_the_misleading_mark_goes_with_the_class_by_its_shape_in_four_pictures_of_five() -> None:
    bearing, count = 0, 250
    for index in range(count):
        drawing, picture, patch = drawn(index, "misleading")
        mark = white(drawing.others["marks"])
        if not mark.any():
            continue
        bearing += 1
        top, left = (mark.any(axis).nonzero()[0].min() for axis in (1, 0))
        # 2/11 of the side in from a corner a disc has begun, a cross of thirds hasn't
        diagonal = [mark[top + row, left + column] for row in (2, 8) for column in (2, 8)]
        assert diagonal == [drawing.target == 0] * 4 and not (mark & patch).any()
        if index < 12:
            _, gray, _ = drawn(index, "gray")
            assert np.array_equal(picture[~grown(mark, 2)], gray[~grown(mark, 2)]) and (picture[mark] > 120).all()
    assert abs(bearing / count - 0.8) < 4 * math.sqrt(0.16 / count)


def test_decoys_say_nothing_of_the_class() -> None:
    found = []  # of each scene: how many above the line, below it, and of three corners
    for index in range(400):
        scene = layers._scene(np.random.default_rng([2, index]), index % 2, SIDE)
        centers = [np.mean(corners, axis=0) for corners in scene.decoys]
        below = sum(y > scene.line[int(x)] for x, y in centers)
        found.append((len(centers) - below, below, sum(len(corners) == 3 for corners in scene.decoys)))
    counts = np.array(found, float)
    first, second = counts[0::2], counts[1::2]
    chance = np.sqrt(first.var(axis=0) / 200 + second.var(axis=0) / 200)
    assert (np.abs(first.mean(axis=0) - second.mean(axis=0)) < 4 * chance).all()
    assert counts.min() >= 0 and counts[:, :2].mean() > 2


def test_the_corner_of_the_mark_says_nothing_of_the_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "_decoys", lambda *_: ())  # drawn before the corner, and slow
    count, corners = 12_000, np.zeros((2, 2, 2))
    for index in range(count):
        mark = layers._scene(np.random.default_rng([2, index]), index % 2, SIDE).mark
        if mark is not None:
            corners[index % 2, int(mark[1] > SIDE / 2), int(mark[0] > SIDE / 2)] += 1
    shares = corners / corners.sum(axis=(1, 2), keepdims=True)
    chance = math.sqrt(2 * 0.25 / (0.4 * count))
    assert np.abs(shares[0] - shares[1]).sum() / 2 < 4 * chance


def test_a_shape_has_one_color_under_its_mask() -> None:
    for index in range(25):
        drawing = shapes.draw(index, 3, 80)
        mask, pixels = white(drawing.mask), np.asarray(drawing.picture).astype(float)
        inner = ~grown(~mask, 3)
        if shapes.CLASSES[drawing.target] == "ring":  # its hole is part of what decides, and shows the ground
            center, radius = np.argwhere(mask).mean(axis=0), math.sqrt(mask.sum() / math.pi)
            away = np.linalg.norm(np.argwhere(mask) - center, axis=1) / radius
            inner = np.zeros_like(mask)
            inner[tuple(np.argwhere(mask)[(away > 0.66) & (away < 0.88)].T)] = True
        plain = inner & (pixels.max(axis=2) < 255) & (pixels.min(axis=2) > 0)  # not cut off by the grain
        apart = pixels[..., 0] - pixels[..., 1]  # the grain is the same in all channels
        if plain.sum() > 20:
            assert apart[plain].std() < 1.5 < apart[~grown(mask, 2)].std()
