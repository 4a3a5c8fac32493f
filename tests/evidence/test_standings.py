"""Rows stand in the order that their numbers show, and a standing says what its interval shows."""

import numpy as np
import pytest

from cnnvis_report.evidence import words
from cnnvis_report.records.evidence import Evidence, MethodEvidence, Standing
from tests.evidence import records
from tests.evidence.test_verdicts import N, judged, planted
from tests.narrow import present


def test_methods_stand_in_the_order_of_their_means_whatever_their_intervals() -> None:
    """A wide interval isn't surely behind the best, and a higher mean with a narrow one may be."""
    generator = np.random.default_rng(0)
    noise, wave = generator.normal(0, 0.1, (4, N)), np.array([1.0, -1.0] * (N // 2))
    gains = {"wide": 5 + 2 * wave, "best": 6.0 + noise[0], "narrow": 5.5 + noise[1], "random": noise[2]}
    made = records.images({name: row.tolist() for name, row in gains.items()}, noise[3][:, None])
    evidence = judged(made, ("wide", "best", "narrow", "random"))
    assert [(method.method, method.standing) for method in evidence.methods] == [
        ("best", Standing.BEST),
        ("narrow", Standing.BETTER),
        ("wide", Standing.COMPARABLE),
        ("random", Standing.REFERENCE),
    ]
    assert evidence.recommended == ("best",), "what scored more than the wide one isn't"


def test_a_standing_says_what_the_interval_beside_it_shows() -> None:
    """In 60 runs of methods near chance: 0 lies in the interval exactly where a map isn't told from a random one."""
    above = (Standing.BEST, Standing.COMPARABLE, Standing.BETTER, Standing.POSSIBLY_BETTER)
    below = (Standing.POSSIBLY_WORSE, Standing.WORSE)
    sides = {Standing.CHANCE: 0, **dict.fromkeys(above, 1), **dict.fromkeys(below, -1)}
    seen = set()
    for seed in range(60):
        effects = {f"method{number}": (number - 4) / 3 for number in range(9)}
        for method in judged(planted(seed, 8, **effects), [*effects, "random"]).methods:
            if method.method == "random":
                continue
            difference = present(method.measures["gain"].difference)
            side = (present(difference.low) > 0) - (present(difference.high) < 0)
            assert side == sides[method.standing], (seed, method)
            seen.add(method.standing)
    assert seen == set(sides)


@pytest.mark.parametrize(
    ("standings", "said"),
    [
        ((Standing.BEST, Standing.COMPARABLE), "best"),
        ((Standing.COMPARABLE, Standing.BEST), "best"),
        ((Standing.POSSIBLY_BETTER, Standing.BEST), "best of those surely better"),
        ((Standing.CHANCE, Standing.BEST, Standing.BETTER), "best of those surely better"),
    ],
)
def test_the_best_below_a_higher_mean_says_of_which(standings: tuple[Standing, ...], said: str) -> None:
    methods = tuple(MethodEvidence(f"method{number}", "", standing) for number, standing in enumerate(standings))
    evidence = Evidence(images=5, faithfulness="gain", localization="", measures=(), methods=methods)
    stated = [words.standing(method, evidence) for method in methods]
    assert stated == [said if standing is Standing.BEST else standing.value for standing in standings]


def test_where_none_is_surely_better_the_sentence_says_which_may_be() -> None:
    """In 40 runs: methods whose intervals lie above 0 are never said to be no better than a random map."""
    counts = set()
    for seed in range(40):
        effects = {f"method{number}": 0.6 for number in range(12)}
        evidence = judged(planted(seed, 6, **effects), [*effects, "random"])
        if evidence.recommended:
            continue
        possibly = [method.method.title() for method in evidence.methods if method.standing is Standing.POSSIBLY_BETTER]
        names = possibly if len(possibly) < 5 else [*possibly[:3], f"{len(possibly) - 3} more"]
        are = "is" if len(possibly) == 1 else "are"
        reason = (
            "on 6 images, none that passes its checks is surely better than a random map; "
            f"{words.listed(names)} {are} possibly better."
            if possibly
            else "none that passes its checks has a better gain than a random map."
        )
        assert evidence.text[0] == f"No method is recommended: {reason}", seed
        counts.add(len(possibly))
    assert {0, 1, 4, 5} <= counts, counts
