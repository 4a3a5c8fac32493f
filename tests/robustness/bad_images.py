"""A network that fails on some images of a set: these are listed, the others are explained, and the command ends."""

import random
from collections.abc import Iterator
from pathlib import Path

from tests.pipeline.picky import MORE, POSITIONS, TROUBLES, draw
from tests.pipeline.stages.test_bad_images import run, skipped
from tests.robustness.attack import Attack

MOST = 9  # images
SHAPELESS = {kind for kind, (_, reason) in enumerate(TROUBLES) if "scores" not in reason}  # what gives none


def trial(seed: int, folder: Path) -> str:
    """A set with bad images of any kinds at any places, in batches of any size, started twice."""
    count, bad = _drawn(random.Random(seed))
    # a whole batch has the number of scores that one image in it asks for
    size = 1 if any(not TROUBLES[kind][1].startswith(("ValueError", "scores that")) for kind in bad.values()) else 4
    pictures, out = draw(folder / "pictures", count, bad), folder / "out"
    for _ in range(2):
        said = run(pictures, out, "-m", "gradient", "--batch-size", size)
        if "Traceback" in said.output:
            return f"{bad}, {size} at a time: a traceback"
        if sorted(skipped(out)) != sorted(f"p{place:02}.png" for place in bad):
            return f"{bad}, {size} at a time: skipped {sorted(skipped(out))}"
    return ""


def _drawn(dice: random.Random) -> tuple[int, dict[int, int]]:
    """How many images, and the kinds of the bad ones by their places, such that a network's own answer can be told."""
    while True:
        count = dice.randint(2, MOST)
        places = dice.sample(range(count), dice.randint(1, count - 1))
        bad = {place: dice.randrange(len(TROUBLES)) for place in places}
        if not _outvoted(count, bad):
            return count, bad


def _outvoted(count: int, bad: dict[int, int]) -> bool:
    """Whether nobody can tell that the good ones are good.

    Those that first are two of a kind decide about the number of scores, the first whether they are of positions.
    """
    shaped = [bad.get(place) for place in range(count) if bad.get(place) not in SHAPELESS]
    kinds = [bad.get(place) for place in range(count) if bad.get(place) in (None, MORE)]
    good, more = ([place for place, kind in enumerate(kinds) if kind == each] for each in (None, MORE))
    return POSITIONS in shaped[:1] or (bool(more) and (len(good) < 2 or (len(more) > 1 and more[1] < good[1])))


def trials(numbers: range, folder: Path) -> Iterator[str]:
    """Sets by their seeds."""
    for seed in numbers:
        yield trial(seed, folder / str(seed))


BAD_IMAGES = Attack(
    name="one bad image",
    survived="The images that the network fails on are listed with the reason, the others are explained, and a second "
    "start says the same.",
    trials=trials,
    few=2,
    quick=4,
    full=200,
)
