"""What holds of every split into training and validation, whatever the classes."""

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cnnvis_report.training.splits import split

properties = settings(deadline=None, derandomize=True, max_examples=80)
SHARES = st.floats(0.01, 0.99)


@st.composite
def labeled(draw: Any) -> Any:
    """Targets of two to five classes, two images each at least, in any order."""
    counts = draw(st.lists(st.integers(2, 12), min_size=2, max_size=5))
    targets = [index for index, count in enumerate(counts) for _ in range(count)]
    return draw(st.permutations(targets)), [f"class {index}" for index in range(len(counts))]


@properties
@given(labeled(), SHARES, st.integers(0, 2**31))
def test_each_image_is_in_one_part(images: Any, share: Any, seed: int) -> None:
    targets, classes = images
    training, validation = split(targets, classes, share, seed)
    assert sorted(training + validation) == list(range(len(targets)))


@properties
@given(labeled(), SHARES, st.integers(0, 2**31))
def test_each_class_has_its_share_in_both_parts(images: Any, share: Any, seed: int) -> None:
    targets, classes = images
    parts = [Counter(targets[index] for index in part) for part in split(targets, classes, share, seed)]
    for index in range(len(classes)):
        training, validation = (part[index] for part in parts)
        assert training >= 1 and validation >= 1
        wanted = min(max(1, share * (training + validation)), training + validation - 1)
        assert abs(validation - wanted) <= 0.5


@properties
@given(labeled(), SHARES, st.integers(0, 2**31))
def test_the_same_seed_gives_the_same_parts(images: Any, share: Any, seed: int) -> None:
    targets, classes = images
    assert split(targets, classes, share, seed) == split(list(targets), tuple(classes), share, seed)


@properties
@given(labeled(), st.integers(0, 2**31))
def test_a_class_is_split_alike_whatever_its_images_are_called(images: Any, seed: int) -> None:
    targets, classes = images
    assert split(targets, classes, 0.2, seed) == split(targets, [f"other {name}" for name in classes], 0.2, seed)
