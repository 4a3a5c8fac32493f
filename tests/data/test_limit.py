"""A limit takes a sample that is fair to the classes."""

from collections import Counter
from pathlib import Path
from typing import Any

from cnnvis_report.data.image_set import find_images, labeled
from cnnvis_report.data.limit import Limit
from tests.data.discovery.test_find_images import tree


def sampled(top: Path, classes: Any, **given: Any) -> tuple[list[str], str]:
    found = labeled(find_images([top]), classes, limit=Limit(**given))
    return [item.name for item in found], " ".join(found.notices)


def test_a_limit_takes_as_many_of_each_class(tmp_path: Path) -> None:
    tree(tmp_path, *(f"class {index}/{number}.png" for index in range(4) for number in range(9)), "class 0/x/9.png")
    classes = [f"class {index}" for index in range(4)]
    first, notice = sampled(tmp_path, classes, count=8)
    assert Counter(name[:7] for name in first) == dict.fromkeys(classes, 2)
    assert "8 of 37 images: 2 of each of 4 classes, seed 0." in notice
    assert sampled(tmp_path, classes, count=8)[0] == first != sampled(tmp_path, classes, count=8, seed=1)[0]
    whole = [each.name for each in find_images([tmp_path])]
    assert first == [name for name in whole if name in first], "in the set's order"
    uneven, notice = sampled(tmp_path, classes, count=10)
    assert set(Counter(name[:7] for name in uneven).values()) == {2, 3} and "2 to 3 of each of 4 classes" in notice
    few, notice = sampled(tmp_path, classes, count=3)
    assert len({name[:7] for name in few}) == 3 and "1 of each of 3 of the 4 classes" in notice
    head, notice = sampled(tmp_path, classes, count=8, order="first")
    assert head == whole[:8] and "8 of 37 images: the first ones, 8 of one of the 4 classes." in notice
    assert sampled(tmp_path, classes, count=99)[0] == whole


def test_a_limit_gives_small_classes_whole_and_large_ones_the_rest(tmp_path: Path) -> None:
    tree(tmp_path, "class 0/0.png", *(f"class 1/{number}.png" for number in range(9)))
    taken, _ = sampled(tmp_path, ["class 0", "class 1"], count=6)
    assert Counter(name[:7] for name in taken) == {"class 0": 1, "class 1": 5}


def test_a_limit_without_labels(tmp_path: Path) -> None:
    tree(tmp_path / "flat", *(f"{number}.png" for number in range(20)))
    taken, notice = sampled(tmp_path / "flat", ["a"], count=5)
    assert [int(name[:-4]) // 4 for name in taken] == [0, 1, 2, 3, 4], "one from each fifth"
    assert "5 of 20 images: spread over the set, seed 0." in notice
    tree(tmp_path / "by", *(f"{place}/{number}.png" for place in ("x", "y") for number in range(9)))
    taken, notice = sampled(tmp_path / "by", ["a"], count=4)
    assert Counter(name[0] for name in taken) == {"x": 2, "y": 2} and "2 of each of 2 folders" in notice
