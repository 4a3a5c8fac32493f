"""Statistics of channels whose behavior is known."""

from typing import Any

import numpy as np
import torch

from cnnvis_report.inspection.channel_stats import ChannelStatsCollector, duplicates


def drawn_at_random(*shape: Any, seed: Any = 0) -> Any:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_statistics_of_channels_whose_fate_is_known() -> None:
    values = drawn_at_random(6, 7, 8, 8).relu()
    values[:, 1] = 0.0  # dead
    values[:, 2] += 0.1  # never switched off
    values[:, 4] = values[:, 0] * 3  # goes with the first
    values[:, 5] = -values[:, 0]  # goes against it, which is no double
    stats = ChannelStatsCollector(6)
    for part in (values[:4], values[4:]):
        stats.add(part)
    measured = stats.found()
    assert measured.dead.tolist() == [False, True, False, False, False, True, False]
    assert measured.saturated.tolist() == [False, False, True, False, False, False, False]
    assert measured.duplicate_of.tolist() == [-1, -1, -1, -1, 0, -1, -1]
    torch.testing.assert_close(measured.highest, values.amax((0, 2, 3)))
    torch.testing.assert_close(measured.mean, values.mean((0, 2, 3)))
    torch.testing.assert_close(measured.active, (values > 0).float().mean((0, 2, 3)))


def test_duplicates_are_those_whose_correlation_is_high() -> None:
    samples = drawn_at_random(8, 400)
    samples[6] = samples[2] + 0.1 * samples[7]
    samples[7] = samples[3] + 0.5 * samples[0]
    together = np.corrcoef(samples.double().numpy())
    for channel, duplicate in enumerate(duplicates(samples).tolist()):
        alike = [other for other in range(channel) if together[channel, other] >= 0.99]
        assert duplicate == (alike[0] if alike else -1)
    assert duplicates(samples).tolist()[6:] == [2, -1]
    assert duplicates(torch.full((3, 9), 2.0)).tolist() == [-1, -1, -1], "what never varies goes with nothing"


def test_a_batch_that_is_forgotten_leaves_no_trace() -> None:
    values, failed = drawn_at_random(2, 64, 8, 8), drawn_at_random(3, 64, 8, 8, seed=1) * 9
    with_it, without = ChannelStatsCollector(4096), ChannelStatsCollector(4096)  # two positions of each image
    for image in values.split(1):
        forget = with_it.checkpoint()
        with_it.add(failed)
        forget()
        with_it.add(image)
        without.add(image)
    assert (without.found().duplicate_of >= 0).any(), "four positions, so which ones they are shows"
    for name, expected in vars(without.found()).items():
        torch.testing.assert_close(getattr(with_it.found(), name), expected, rtol=0, atol=0)
