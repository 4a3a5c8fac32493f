"""Labels that count a data set's classes are the network's classes of these names."""

from pathlib import Path

import pytest

from cnnvis_report.data.image_file import FoundImages, ImageFile
from cnnvis_report.data.image_set import labeled
from cnnvis_report.data.labels.class_names import Classes
from cnnvis_report.data.labels.dataset_classes import DatasetClasses

UNNAMED = ["class 0", "class 1", "class 2"]


@pytest.mark.parametrize(
    ("dataset", "network", "indices"),
    [
        (["ant", "bee", "cat"], ["ant", "bee", "cat"], [0, 1, 2]),
        (["ant", "bee", "cat"], ["cat", "ant", "bee"], [1, 2, 0]),
        (["ant", "bee", "cat"], ["ant", "wasp", "cat"], [0, 1, 2]),
        (["ant", "bee", "cat"], ["x", "y", "z"], [0, 1, 2]),
        (["ant", "bee", "cat"], ["bee", "wasp", "ant"], [2, 0, None]),
        (["ant", "bee"], ["x", "bee", "ant"], [2, 1]),
        (["ant", "bee"], ["x", "y", "z"], [None, None]),
    ],
    ids=["the same", "another order", "one called otherwise", "all", "one missing", "fewer", "others"],
)
def test_names_decide_and_the_order_where_they_say_no_other(
    dataset: list[str], network: list[str], indices: list[int | None]
) -> None:
    classes = DatasetClasses(dataset, Classes(network))
    assert [classes.label(number).index for number in range(len(dataset))] == indices
    named = [classes.label(number).name for number in range(len(dataset))]
    assert named == [dataset[number] if index is None else network[index] for number, index in enumerate(indices)]


def files(*labels: str) -> FoundImages:
    images = tuple(
        ImageFile(Path(f"{number}.png"), f"{number}.png", labels=(text,)) for number, text in enumerate(labels)
    )
    return FoundImages(images, classes=("ant", "bee", "cat"))


def test_a_network_without_names_takes_those_of_the_data_set_where_they_are_as_many() -> None:
    images = labeled(files("2", "0"), UNNAMED)
    assert [(item.labels[0].name, item.labels[0].index) for item in images] == [("cat", 2), ("ant", 0)]
    assert images.order == ("ant", "bee", "cat") and not images.notices
    fewer = labeled(files("2", "0"), UNNAMED[:2])
    assert [item.labels[0].index for item in fewer] == [None, None] and fewer.order == ()


def test_what_is_read_in_another_order_or_under_another_name_is_said() -> None:
    turned = labeled(files("2", "0", "dog"), ["cat", "ant", "bee"])
    assert [item.labels[0].index for item in turned] == [0, 1, None]
    assert any("in another order than the network" in notice for notice in turned.of_labels)
    other = labeled(files("1", "0"), ["ant", "wasp", "cat"])
    assert any("in their order: bee for wasp." in notice for notice in other.of_labels)
    beyond = labeled(files("7"), ["ant", "bee", "cat"])
    assert [(item.labels[0].name, item.labels[0].index) for item in beyond] == [("7", None)]
