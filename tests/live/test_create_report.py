"""`create_report`: the same maps as `explain`, of whatever a program holds, and a module that is left as it was."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Subset, SubsetRandomSampler, TensorDataset

from cnnvis_report import create_report, explain, load_report
from cnnvis_report.errors import BadRequest, RunFailed, UnknownName
from tests.live.small import MEAN, QUICK, STD, Samples, created, inputs, network, pictures, transform


def with_dict_batches(samples: list[Any]) -> dict[str, Any]:
    return {"pixel_values": torch.stack([sample[0] for sample in samples]), "labels": [sample[1] for sample in samples]}


LABELS = torch.tensor([2, 0, 1])
FORMS: dict[str, Any] = {
    "a tensor": inputs,
    "a pair of tensors": lambda: (inputs(), LABELS),
    "a list of tensors": lambda: list(inputs()),
    "pairs": lambda: list(zip(inputs(), LABELS.tolist(), strict=True)),
    "dictionaries": lambda: [{"image": image, "label": 1} for image in inputs()],
    "a TensorDataset": lambda: TensorDataset(inputs(), LABELS),
    "a DataLoader": lambda: DataLoader(TensorDataset(inputs(), LABELS), batch_size=2),
    "a DataLoader of dictionaries": lambda: DataLoader(
        TensorDataset(inputs(), LABELS), batch_size=2, collate_fn=with_dict_batches
    ),
    "a Subset": lambda: Subset(TensorDataset(torch.cat([inputs(5)[3:], inputs()]), torch.arange(5)), [2, 3, 4]),
    "a generator": lambda: (image for image in inputs()),
}


@pytest.mark.parametrize("form", FORMS)
def test_maps_are_those_of_explain(tmp_path: Path, form: str) -> None:
    report = created(FORMS[form](), tmp_path, classes=list("abcd"), keep="full")
    expected = explain(network().eval(), inputs(), None, methods=["grad_cam", "gradient"])
    assert len(report) == 3
    for number, image in enumerate(report):
        for method in ("grad_cam", "gradient"):
            np.testing.assert_allclose(image.maps[method], expected[method][number].numpy(), rtol=1e-4, atol=1e-6)


def test_maps_are_kept_folded_and_in_half_precision(tmp_path: Path) -> None:
    report = created(inputs(), tmp_path)
    expected = explain(network().eval(), inputs(), None, methods=["grad_cam", "gradient"])
    for number, image in enumerate(report):
        values = {"grad_cam": expected["grad_cam"][number], "gradient": expected["gradient"][number].sum(0)}
        for method, map_values in values.items():
            largest = float(map_values.abs().max())
            np.testing.assert_allclose(image.maps[method], map_values.numpy(), rtol=2**-11, atol=largest * 1e-6)


def test_labels_come_from_the_samples_or_beside_them(tmp_path: Path) -> None:
    assert labels_of(created((inputs(), LABELS), tmp_path / "1")) == ["class 2", "class 0", "class 1"]
    assert labels_of(created(inputs(), tmp_path / "2", labels=["b", "d", "x"], classes=list("abcd"))) == ["b", "d", "x"]
    known = [image.record.label for image in load_report(tmp_path / "2" / "report")]
    assert [label.index for label in known if label] == [1, 3, None], "a name that is no class is never wrong"
    onehot = torch.eye(4)[LABELS]
    assert labels_of(created((inputs(), onehot), tmp_path / "3", classes=list("abcd"))) == ["c", "a", "b"]
    assert labels_of(created([{"image": image} for image in inputs()], tmp_path / "4")) == [None] * 3


def labels_of(report: Any) -> list[str | None]:
    return [image.record.label.name if image.record.label else None for image in report]


def test_a_dataset_names_the_classes_where_they_are_as_many(tmp_path: Path) -> None:
    report = created(Samples(), tmp_path / "1")
    assert labels_of(report) == ["ant", "bee", "cat"]
    assert {score.name for image in report for score in image.record.top} == {"ant", "bee", "cat", "dog"}
    fewer = created(Samples(), tmp_path / "2", network(6), classes=["dog", "cat", "bee", "ant", "x", "y"])
    indices = [image.record.label.index for image in fewer if image.record.label]
    assert indices == [3, 2, 1], "its own numbers aren't the network's"


def test_pictures_go_through_the_preprocessing_that_is_asked_for(tmp_path: Path) -> None:
    report = created(pictures(), tmp_path, size="16", mean=MEAN, std=STD, keep="full")
    images = torch.stack([transform(picture) for picture in pictures()])
    expected = explain(network().eval(), images, None, methods=["gradient"])["gradient"]
    for number, image in enumerate(report):
        np.testing.assert_allclose(image.maps["gradient"], expected[number].numpy(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("way", ["of the dataset", "of the call", "of paths"])
def test_what_a_transform_gives_is_explained_and_shown_as_the_picture_that_it_was(tmp_path: Path, way: str) -> None:
    images: Any = Samples(transform=transform) if way == "of the dataset" else pictures()
    if way == "of paths":
        images = [tmp_path / f"{number}.png" for number in range(3)]
        for path, picture in zip(images, pictures(), strict=True):
            picture.save(path)
    report = created(images, tmp_path, transform=None if way == "of the dataset" else transform, keep="full")
    expected = explain(network().eval(), torch.stack([transform(picture) for picture in pictures()]), None)["grad_cam"]
    for number, image in enumerate(report):
        np.testing.assert_allclose(image.maps["grad_cam"], expected[number].numpy(), rtol=1e-4, atol=1e-6)
        assert np.array_equal(image.picture, np.asarray(pictures()[number])), "un-normalized by what the transform says"
    assert "mean 0.4 0.5 0.6, std 0.2 0.3 0.4" in report.record.network.preprocessing
    if way == "of paths":
        assert [image.record.name for image in report] == ["0.png", "1.png", "2.png"]


def test_an_unknown_normalization_is_said(tmp_path: Path) -> None:
    report = created(inputs(1), tmp_path)
    values = inputs(1)[0]
    expected = (values - values.min()) / (values.max() - values.min()) * 255
    assert np.abs(report[0].picture - expected.permute(1, 2, 0).numpy()).max() <= 0.51
    (notice,) = (notice for notice in report.record.notices if "their normalization isn't" in notice)
    assert "What starts from black or gray, as integrated gradients and occlusion do, starts from 0" in notice


def test_the_module_and_the_process_are_left_as_they_were(tmp_path: Path) -> None:
    module = network().train()
    module.get_submodule("0").eval()
    module.get_parameter("4.weight").requires_grad_(False)
    module.get_parameter("0.0.weight").grad = torch.ones(6, 3, 3, 3)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    flags = [part.training for part in module.modules()]
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    created(inputs(), tmp_path, module)
    assert torch.equal(torch.rand(3), expected)
    assert [part.training for part in module.modules()] == flags
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert not module.get_parameter("4.weight").requires_grad
    gradient = module.get_parameter("0.0.weight").grad
    assert gradient is not None and torch.equal(gradient, torch.ones(6, 3, 3, 3))
    assert not any(part._forward_hooks for part in module.modules())


def test_the_same_call_goes_on_and_another_network_starts_over(tmp_path: Path) -> None:
    created(inputs(), tmp_path)
    manifest = (tmp_path / "report" / "run.json").read_bytes()
    created(inputs(), tmp_path)
    assert (tmp_path / "report" / "run.json").read_bytes() == manifest
    other = network()
    other.get_parameter("4.bias").data += 1
    created(inputs(), tmp_path, other)
    assert (tmp_path / "report" / "run.json").read_bytes() != manifest


class Broken(Samples):
    """A dataset with one sample that raises, one of another type, and one that isn't finite."""

    def __getitem__(self, index: int) -> tuple[Any, int]:
        if index == 0:
            raise KeyError("no such row")
        if index == 1:
            return {1, 2}, 0
        values = inputs(1)[0]
        return (values * torch.nan if index == 2 else values), 0


def test_a_bad_sample_costs_that_sample(tmp_path: Path) -> None:
    report = created(Broken(4), tmp_path)
    reasons = [skipped.reason for skipped in report.record.skipped]
    assert len(report) == 1 and len(reasons) == 3
    assert "the dataset fails (KeyError: 'no such row'" in reasons[0] and "small.py" not in reasons[0]
    assert reasons[1].startswith("it is of type set; a PIL picture")
    assert reasons[2] == "it holds values that aren't finite (NaN or infinity)"


class Drawn(Samples):
    """A dataset whose transform draws."""

    def __getitem__(self, index: int) -> tuple[Any, int]:
        return torch.rand(3, 16, 16), 0


def test_a_dataset_that_draws_its_images_is_found_out(tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match="gives another image each time it is read, as a random transform does"):
        created(Drawn(), tmp_path)


@pytest.mark.parametrize(
    ("images", "settings", "message"),
    [
        ([], {}, r"There are no images"),
        (inputs()[0], {}, r"images are a Tensor, a single one; give a list of it"),
        (pictures()[0], {}, r"images are an Image, a single one"),
        (3, {}, r"images are an int; a Dataset, a DataLoader"),
        ({"a": 1}, {}, r"images are a dict; a Dataset"),
        (inputs(), {"labels": [1]}, r"There are 1 labels for 3 images"),
        (inputs(), {"labels": 1}, r"labels are an int; a list"),
        (inputs(), {"size": "32"}, r"size: the images are tensors"),
        (inputs(), {"mean": 0.5}, r"mean and std: give both"),
        (inputs(), {"mean": (0.5,) * 3, "std": (0.0,) * 3}, r"std above 0"),
        (inputs(), {"progress": "loud"}, r"progress is 'loud'; give 'auto', 'terminal'"),
        ([{"text": "a"}], {}, r"A sample has 'text', and none of 'pixel_values'"),
        (pictures(), {"transform": 3}, r"its transform is of type int"),
        (pictures(), {"transform": lambda picture: torch.rand(3, 8, 8)}, r"gives another result each time"),
    ],
)
def test_what_cannot_be_meant_is_one_line(tmp_path: Path, images: Any, settings: Any, message: str) -> None:
    with pytest.raises(BadRequest, match=message) as caught:
        created(images, tmp_path, **settings)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "report").exists()


def test_settings_and_modules_are_checked(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match=r"No setting is called 'method'. Did you mean 'methods'"):
        created(inputs(), tmp_path, method="cam")
    with pytest.raises(BadRequest, match="Linear is a class; give a network of it"):
        created(inputs(), tmp_path, nn.Linear)  # type: ignore[arg-type]
    with pytest.raises(BadRequest, match="class names"):
        created(inputs(), tmp_path, classes=["a", "b"])


def difference(output: torch.Tensor) -> torch.Tensor:
    return output[:, 1] - output[:, 0]


def test_a_function_of_the_output_is_explained(tmp_path: Path) -> None:
    report = created(inputs(), tmp_path, target=difference, keep="full")
    expected = explain(network().eval(), inputs(), [0, 0, 0], methods=["gradient"], target=difference)["gradient"]
    assert {score.name for image in report for score in image.record.targets} == {"difference"}
    for number, image in enumerate(report):
        np.testing.assert_allclose(image.maps["gradient"], expected[number].numpy(), rtol=1e-4, atol=1e-6)


def test_progress_goes_to_a_function(tmp_path: Path) -> None:
    seen: list[tuple[float, str]] = []
    create_report(
        network(), inputs(), output=tmp_path / "report", **QUICK | {"progress": lambda *told: seen.append(told)}
    )
    parts = [fraction for fraction, what in seen if what.startswith("Explain")]
    assert parts[0] == 0 and parts[-1] == 1 and parts == sorted(parts)
    assert any(what.startswith("Pages") for _, what in seen)


class Wrong(Samples):
    """A dataset whose length is counted wrongly."""

    def __len__(self) -> int:
        return -1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": Wrong()}, r"The dataset's length can't be told \(ValueError: __len__"),
        ({"classes": "cat"}, "classes is the text 'cat'; a list with a name for each class is needed"),
        ({"classes": ["cat"]}, "has 4 classes, and was given 1 class name; one for each is needed"),
        ({"network": network().half()}, r"its weights are torch.float16: give network.to\(torch.float32\)"),
    ],
    ids=["length", "text", "names", "half"],
)
def test_what_does_not_fit_is_refused_in_one_line(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    given: dict[str, Any] = {"network": network(), "images": Samples(), **change}
    with pytest.raises(BadRequest, match=message) as caught:
        create_report(given.pop("network"), given.pop("images"), output=tmp_path / "r", methods="gradient", **given)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("way", ["sampler", "drop_last", "batch_sampler"])
def test_a_loader_gives_its_own_samples_not_those_of_the_whole_dataset(tmp_path: Path, way: str) -> None:
    dataset = TensorDataset(torch.cat([inputs(), -inputs(2)]), torch.arange(5))
    loaders = {
        "sampler": lambda: DataLoader(dataset, batch_size=2, sampler=SubsetRandomSampler([0, 1, 2])),
        "drop_last": lambda: DataLoader(dataset, batch_size=3, drop_last=True),
        "batch_sampler": lambda: DataLoader(dataset, batch_sampler=[[0, 1], [2]]),
    }
    report = created(loaders[way](), tmp_path, network(5))
    assert sorted(label or "" for label in labels_of(report)) == ["class 0", "class 1", "class 2"]


class Remapped(Samples):
    """A dataset that keeps the labels of its files, and gives others."""

    targets = (3, 3, 3)


def test_the_labels_that_samples_have_count_before_a_list_that_differs(tmp_path: Path) -> None:
    assert labels_of(created(Remapped(), tmp_path / "1")) == ["ant", "bee", "cat"]
    assert labels_of(created(Subset(Remapped(), [1, 2]), tmp_path / "2")) == ["bee", "cat"]


def test_a_comparison_tells_of_itself_where_the_progress_goes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    created((inputs(), LABELS), tmp_path / "old")
    with caplog.at_level("INFO", logger="cnnvis_report"):
        created((inputs(), LABELS), tmp_path / "new", against=tmp_path / "old" / "report")
    assert any(line.startswith("Accuracy:") for line in caplog.messages)
    assert "Accuracy" not in capsys.readouterr().err, "progress is none"
