"""The strongest images of each channel equal those of a search through all."""

from typing import Any

import pytest
import torch

from cnnvis_report.inspection.top_images import TopImages


def drawn_at_random(*shape: Any, seed: Any = 0) -> Any:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_top_images_equal_a_search_through_all() -> None:
    batches = [drawn_at_random(3, 4, 5, 6, seed=seed) for seed in range(5)]
    batches[3][1] = batches[1][1]  # equal values: the earlier image comes first
    classes = [[0, 1, -1], [1, 1, 2], [0, 0, 0], [2, 1, 0], [-1, -1, 1]]
    tops = TopImages(["a"], n=4)
    for values, named in zip(batches, classes, strict=True):
        tops.add("a", values, named)
    every = torch.cat(batches)
    actual = tops.top("a")
    for channel in range(4):
        peaks = [float(image[channel].max()) for image in every]
        order = sorted(range(len(every)), key=lambda image_index: (-peaks[image_index], image_index))[:4]
        assert actual.images[channel].tolist() == order
        for rank, image_index in enumerate(order):
            row, column = int(actual.rows[channel, rank]), int(actual.columns[channel, rank])
            assert (
                float(every[image_index, channel, row, column])
                == float(actual.values[channel, rank])
                == pytest.approx(peaks[image_index])
            )
    flat = [index for named in classes for index in named]
    for index, values in tops.excitement("a").items():
        mine = every[[image_index for image_index, label in enumerate(flat) if label == index]]
        torch.testing.assert_close(values, mine.flatten(2).amax(2).mean(0))
    assert set(tops.excitement("a")) == {0, 1, 2}
