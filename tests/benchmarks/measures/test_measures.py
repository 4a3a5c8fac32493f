"""What the benchmark of measures computes: Kendall's tau against a slow replica, planted maps, and its tables."""

import math
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from cnnvis_report.evaluation.localization import relevance_rank
from tests.benchmarks.measures import storing, table
from tests.benchmarks.measures.comparison import ALL, compare, tau_between_steps
from tests.benchmarks.measures.planted_maps import FADED, SHIFTED, known_order, moved_mask, planted_maps
from tests.benchmarks.measures.scoring import EXPLAINED, STEPS, TRUTHS, CountedScorer, Scored, faithfulness_metrics
from tests.benchmarks.measures.statistics import (
    Values,
    kendall_tau_b,
    means,
    tau_between_halves,
    tau_of_means,
    taus,
)
from tests.narrow import present

NAN = float("nan")
COLUMNS = len(EXPLAINED) + len(FADED) + len(SHIFTED) - 1


def slow_tau_b(first: Values, second: Values) -> float:
    """Pair by pair, as Kendall 1945 counts them."""
    concordant = discordant = only_first = only_second = 0
    for i, j in combinations(range(len(first)), 2):
        product = (first[i] - first[j]) * (second[i] - second[j])
        concordant += product > 0
        discordant += product < 0
        only_first += first[i] == first[j] and second[i] != second[j]
        only_second += first[i] != first[j] and second[i] == second[j]
    pairs = concordant + discordant
    return (concordant - discordant) / math.sqrt((pairs + only_first) * (pairs + only_second))


@pytest.mark.parametrize("levels", [3, 5, 1000], ids=["many ties", "some ties", "hardly a tie"])
def test_tau_against_a_slow_replica(levels: int) -> None:
    random = np.random.default_rng(levels)
    for _ in range(20):
        first, second = random.integers(levels, size=(2, 12)).astype(float)
        assert kendall_tau_b(first, second) == pytest.approx(slow_tau_b(first, second), abs=1e-12)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        pytest.param([1, 2, 3, 4], [10, 20, 30, 40], 1.0, id="one order"),
        pytest.param([1, 2, 3, 4], [4, 3, 2, 1], -1.0, id="reversed"),
        pytest.param([1, 2, 3, 4], [2, 1, 4, 3], 1 / 3, id="two of six pairs differ"),
        pytest.param([1, 1, 2], [1, 2, 3], 2 / math.sqrt(6), id="a tie"),
        pytest.param([1, 2, NAN, 3], [1, 2, -5, 3], 1.0, id="a map without a value"),
        pytest.param([1, 1, 1], [1, 2, 3], NAN, id="a single value"),
        pytest.param([1, 2, NAN], [1, 2, 3], NAN, id="two maps"),
    ],
)
def test_tau_of_a_few(first: list[float], second: list[float], expected: float) -> None:
    assert kendall_tau_b(np.array(first), np.array(second)) == pytest.approx(expected, nan_ok=True)


def test_tau_image_by_image_and_of_means() -> None:
    truth = np.array([[1.0, 2, 3], [1, 2, 3], [1, 2, 3]])
    values = np.array([[1.0, 2, 3], [9, 8, -1], [NAN, NAN, NAN]])
    np.testing.assert_allclose(taus(values, truth), [1, -1, NAN])
    np.testing.assert_allclose(means(values), [5, 5, 1])
    assert tau_of_means(values, truth) == pytest.approx(-2 / math.sqrt(6)), "means 5, 5, 1: a tie"


def test_halves() -> None:
    random = np.random.default_rng(0)
    stable = np.tile(np.arange(8.0), (20, 1))
    assert tau_between_halves(stable, 10, seed=0) == pytest.approx(1)
    noise = random.normal(size=(400, 8))
    assert abs(tau_between_halves(noise, 200, seed=0)) < 0.25, "means of noise over disjoint images don't agree"
    assert math.isnan(tau_between_halves(stable[:1], 10, seed=0))


def test_planted_maps_are_in_the_order_that_is_known() -> None:
    mask = np.zeros((40, 50), dtype=bool)
    mask[10:25, 8:20] = True
    maps = planted_maps(mask, seed=0)
    assert len(maps) == COLUMNS - len(EXPLAINED)
    for members in (FADED, SHIFTED):
        shares = np.array([relevance_rank(maps[member], mask) for member in members])
        assert shares[0] == 1
        assert kendall_tau_b(shares, known_order(members)) == pytest.approx(1)
    assert not (moved_mask(mask, 12) & mask).any()
    assert moved_mask(mask, -30).sum() == 0, "what leaves the image doesn't come in on the other side"


def test_a_scorer_counts_and_remembers() -> None:
    batches: list[int] = []

    def forward(images: Tensor) -> Tensor:
        batches.append(len(images))
        return images.flatten(1).sum(dim=1, keepdim=True)

    scorer = CountedScorer(forward)
    images = torch.rand(3, 1, 2, 2, generator=torch.Generator().manual_seed(0))
    first = scorer(images)
    again = scorer(images[[2, 0, 2]])
    torch.testing.assert_close(again, first[[2, 0, 2]])
    assert (scorer.asked, batches) == (6, [3])
    scorer.forget()
    scorer(images[:1])
    assert batches == [3, 1]


def invented(images: int, seed: int) -> Scored:
    """Numbers of a measure that is the truth, of one that is noise, and of one that is the truth on half the images."""
    random = np.random.default_rng(seed)
    truth = random.random((images, COLUMNS))
    for members in (FADED, SHIFTED):
        truth[:, [len(EXPLAINED) + member for member in members]] = known_order(members)
    half = truth.copy()
    half[::2] = NAN
    right, noise, partly = "deletion_blur", "insertion_black", "relevance_gain_mean"
    values = {f"{right}@{steps}": truth for steps in STEPS}
    values |= {f"{noise}@{steps}": random.random((images, COLUMNS)) for steps in STEPS}
    values |= {f"{partly}@{steps}": half for steps in STEPS}
    return Scored(values, dict.fromkeys(TRUTHS, truth), dict.fromkeys(values, 5.0), {"as they are": 0.9})


def test_comparison() -> None:
    sets = {"shapes": [invented(30, 0), invented(30, 1)], "layers": [invented(40, 2)]}
    best, partly, noise = compare(sets)
    assert (best.name, partly.name, noise.name) == ("deletion_blur", "relevance_gain_mean", "insertion_black")
    assert present(best.agreement[ALL]).mean == pytest.approx(1)
    assert (best.behind, best.of_means, best.halves, best.faded, best.shifted) == (None, 1, best.halves, 1, 1)
    assert present(partly.agreement["layers"]).mean == pytest.approx(0.5), "a blind image counts as an order by chance"
    assert (partly.images, partly.total) == (50, 100)
    assert present(present(noise.behind).low) > 0
    assert abs(present(noise.agreement[ALL]).mean) < 0.15
    assert tau_between_steps(sets["layers"], "deletion_blur", 8, 64) == pytest.approx(1)
    assert tau_between_steps(sets["layers"], "relevance_gain_mean", 8, 64) == pytest.approx(1)


def test_every_measure_of_faithfulness_is_compared() -> None:
    names = [info.name for info in faithfulness_metrics()]
    assert {"relevance_gain_blur_log_odds", "deletion_black", "infidelity", "average_drop"} <= set(names)
    assert not set(names) & {*TRUTHS, "pointing_game", "sparseness"}


def test_what_was_measured_is_kept(tmp_path: Path) -> None:
    scored = invented(5, 0)
    storing.write(tmp_path / "new" / "a.npz", scored)
    stored = storing.read(tmp_path / "new" / "a.npz")
    assert (stored.passes, stored.accuracies) == (scored.passes, scored.accuracies)
    for part in ("values", "truth"):
        original, again = getattr(scored, part), getattr(stored, part)
        assert original.keys() == again.keys()
        for name in original:
            np.testing.assert_array_equal(original[name], again[name])
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.npz"]


def test_the_page_has_a_place_for_every_table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(table.PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(table, "PAGE", page)
    sets = {"shapes": [invented(30, 0)], "layers": [invented(30, 1)]}
    table.write_tables(sets)
    text = page.read_text(encoding="utf-8")
    for name, rows in table.tables(sets).items():
        assert f"<!-- {name}: begin -->\n{rows}\n<!-- {name}: end -->" in text
    assert text.count("| Deletion (blur) |") == 3
