"""What a factory gives beside the network: how pictures become its input, the classes, the layer and the task."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torchvision.transforms import v2

from cnnvis_report.data.pixels import UnusablePicture
from cnnvis_report.data.preprocessing.prepare import prepare
from cnnvis_report.data.preprocessing.preprocessing import Preprocessing
from cnnvis_report.data.preprocessing.transform import Transform
from cnnvis_report.errors import BadRequest
from cnnvis_report.models.load import load_model
from cnnvis_report.models.own_code.transform import with_transform
from tests.conftest import command

NET = """
import torch
from torch import nn


class Tiny(nn.Module):
    mean = [0.9, 0.9, 0.9]
    class_names = list("xyz")

    def __init__(self, channels=3):
        super().__init__()
        torch.manual_seed(0)
        self.early = nn.Sequential(nn.Conv2d(channels, 4, 3, padding=1), nn.ReLU())
        self.late = nn.Sequential(nn.Conv2d(4, 8, 3, padding=1), nn.ReLU())
        self.fc = nn.Linear(8, 3)

    def forward(self, x):
        return self.fc(self.late(self.early(x)).mean((2, 3)))


SETTINGS = {}


def build():
    return Tiny(SETTINGS.get("channels", 3)), SETTINGS


pair = Tiny(), {"size": 40}
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """What the factory says; a test fills it in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "own_settings.py").write_text(NET)
    load_model("own_settings.py:build")
    try:
        yield sys.modules["own_settings"].SETTINGS
    finally:
        del sys.modules["own_settings"]


def test_settings_go_over_the_attributes_of_the_network(settings: dict[str, Any]) -> None:
    said = {"resize": 40, "crop": (32, 36), "interpolation": "bicubic", "mean": [0.1, 0.2, 0.3], "std": [0.5, 1, 2]}
    settings.update(said, classes={0: "a", 1: "b", 2: "c"}, layer="early", task="multilabel")
    model = load_model("own_settings.py:build")
    assert model.preprocessing == Preprocessing((0.1, 0.2, 0.3), (0.5, 1.0, 2.0), 40, (32, 36), "bicubic")
    assert (model.classes, model.layer, model.task) == (("a", "b", "c"), "early", "multilabel")


def test_attributes_count_where_nothing_is_said(settings: dict[str, Any]) -> None:
    settings["size"] = 48
    model = load_model("own_settings.py:build")
    assert model.preprocessing.mean == (0.9, 0.9, 0.9) and model.classes == ("x", "y", "z")
    assert model.preprocessing.size == (48, 48)
    assert load_model("own_settings.py:pair").preprocessing.size == (40, 40)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "unknown": ({"sizes": 32}, "No setting of a network .*'sizes'. Did you mean 'size'?"),
    "size and crop": ({"size": 32, "crop": 20}, "gives size and crop"),
    "transform and mean": ({"transform": id, "mean": [0.5]}, "gives a transform and mean, which the transform decides"),
    "mean of another length": ({"mean": [0.5], "std": [1, 1, 1]}, "its mean has 1 numbers, its std 3"),
    "interpolation": ({"interpolation": "bicubik"}, "'bicubik'. Did you mean 'bicubic'?"),
    "crop": ({"crop": "large"}, "its crop is 'large'; a side in pixels or .height, width. is needed"),
    "task": ({"task": "soft"}, "its task is 'soft'; it can be auto, classification"),
    "layer": ({"layer": 3}, "its layer is 3; the name of a layer is needed"),
    "no function": ({"transform": 3}, "its transform is of type int; a function of a picture is needed"),
    "random": ({"transform": v2.Compose([v2.ToImage(), v2.RandomCrop(8), v2.ToDtype(torch.float32, scale=True)])},
               "its transform gives another result each time for the same picture"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_settings_that_cant_be_meant_are_refused_by_name(what: str, settings: dict[str, Any]) -> None:
    settings.update(REFUSED[what][0])
    with pytest.raises(BadRequest, match=REFUSED[what][1]) as caught:
        load_model("own_settings.py:build")
    assert "own_settings.py:build" in str(caught.value)


def picture(size: tuple[int, int] = (70, 50)) -> Image.Image:
    random = np.random.default_rng(0)
    return Image.fromarray(random.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))


NORMALIZED = v2.Compose([v2.ToImage(), v2.Resize(40), v2.CenterCrop(32), v2.ToDtype(torch.float32, scale=True),
                         v2.Normalize([0.4, 0.5, 0.6], [0.2, 0.3, 0.1])])  # fmt: skip


def test_the_network_gets_what_the_transform_gives() -> None:
    preprocessing = with_transform(NORMALIZED, "net", 3)
    prepared = prepare(picture(), preprocessing)
    torch.testing.assert_close(prepared.values, NORMALIZED(picture()), rtol=0, atol=0)
    assert preprocessing.size == (32, 32) and "CenterCrop" in preprocessing.describe()


def test_constants_are_found_by_what_plain_pictures_become() -> None:
    preprocessing = with_transform(NORMALIZED, "net", 3)
    assert preprocessing.mean == pytest.approx((0.4, 0.5, 0.6)) and preprocessing.std == pytest.approx((0.2, 0.3, 0.1))
    shown = prepare(picture(), preprocessing).seen
    plain = v2.Compose(NORMALIZED.transforms[:-1])(picture())
    np.testing.assert_array_equal(shown, (plain * 255).round().byte().permute(1, 2, 0).numpy())


def whole(image: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float()


def standardized(image: Image.Image) -> torch.Tensor:
    values = whole(image)
    return (values - values.mean()) / (values.std() + 1e-6)


def test_values_up_to_255_are_a_normalization_too() -> None:
    preprocessing = with_transform(whole, "net", 3)
    assert preprocessing.size is None and preprocessing.std == pytest.approx((1 / 255,) * 3)
    np.testing.assert_array_equal(prepare(picture(), preprocessing).seen, np.array(picture()))


def test_other_arithmetic_is_shown_scaled_and_said() -> None:
    preprocessing = with_transform(standardized, "net", 3)
    seen = prepare(picture(), preprocessing).seen
    values = whole(picture())
    scaled = (values - values.min()) / (values.max() - values.min())
    np.testing.assert_allclose(seen, (scaled * 255).round().permute(1, 2, 0).numpy(), atol=1)
    assert "values beyond 0 to 1 are shown scaled to their own range, and black counts as 0" in preprocessing.describe()


def test_a_network_of_gray_pictures_gets_them_where_the_transform_keeps_colors() -> None:
    to_float = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
    assert with_transform(to_float, "net", 1).channels == 1
    made_gray = v2.Compose([v2.Grayscale(), *to_float.transforms])
    transform = with_transform(made_gray, "net", 1).transform
    assert transform is not None and transform.mode == "RGB"


@pytest.mark.parametrize(
    ("result", "reason"),
    {
        "nan": (torch.full((3, 4, 4), torch.nan), "values that aren't finite"),
        "text": ("text", "gives a str; a tensor is needed"),
        "vector": (torch.zeros(12), "gives 12; channels, height and width are needed"),
        "bytes": (torch.zeros(3, 4, 4, dtype=torch.uint8), "gives torch.uint8; numbers of floating point are needed"),
        "picture": (Image.new("RGB", (4, 4)), "gives a Image; a tensor is needed"),
    }.values(),
    ids=("nan", "text", "vector", "bytes", "picture"),
)
def test_a_result_that_is_no_input_is_a_reason_to_skip_the_image(result: object, reason: str) -> None:
    preprocessing = with_transform(lambda _: result, "net", 3)
    with pytest.raises(UnusablePicture, match=re.escape(reason)):
        prepare(picture(), preprocessing)


def test_arrays_and_mappings_are_taken() -> None:
    def to_array(image: Image.Image) -> dict[str, object]:
        return {"pixel_values": [np.asarray(image, np.float32) / 255]}

    torch.testing.assert_close(prepare(picture(), with_transform(to_array, "net", 3)).values, whole(picture()) / 255)


def test_a_mask_goes_through_the_transform_as_the_picture_does() -> None:
    transform = with_transform(NORMALIZED, "net", 3).transform
    assert isinstance(transform, Transform)
    mask = Image.new("L", (70, 50))
    mask.paste(1, (35, 0, 70, 50))  # the right half, in a program's 0 and 1
    inside = transform.of_mask(mask)
    assert inside.shape == (32, 32) and not inside[:, :15].any() and inside[:, 17:].all()


RUN = ("--methods", "grad_cam", "--device", "cpu", "--inspect", "none", "-q", "--metrics", "none")


def test_a_run_uses_transform_layer_and_task(settings: dict[str, Any], tmp_path: Path) -> None:
    from cnnvis_report.store.run_folder import load_run

    settings.update(transform=NORMALIZED, layer="early", task="multilabel")
    (tmp_path / "photos").mkdir()
    picture().save(tmp_path / "photos" / "a.png")
    command("run", "own_settings.py:build", tmp_path / "photos", "-o", tmp_path / "r", *RUN)
    stored = load_run(tmp_path / "r")
    (image,) = stored.images()
    network = sys.modules["own_settings"].Tiny()
    logits = network(NORMALIZED(picture())[None])[0].detach()
    assert image.top[0].logit == pytest.approx(float(logits.max()), rel=1e-4)
    assert image.top[0].probability == pytest.approx(float(logits.max().sigmoid()), rel=1e-4)
    assert stored.record.network.default_layer.startswith("early")
    assert "CenterCrop" in stored.record.network.preprocessing


def test_an_option_that_the_transform_decides_is_refused(settings: dict[str, Any], tmp_path: Path) -> None:
    settings["transform"] = NORMALIZED
    picture().save(tmp_path / "a.png")
    result = command("run", "own_settings.py:build", tmp_path / "a.png", "--size", 64, "-o", tmp_path / "r", code=2)
    assert "--size 64: a transform makes what the network reads" in result.stderr and result.stderr.count("\n") == 1


def test_images_that_the_transform_fails_on_are_one_line(settings: dict[str, Any], tmp_path: Path) -> None:
    def picky(image: Image.Image) -> torch.Tensor:
        if image.size == (9, 9):
            raise KeyError("nine")
        return NORMALIZED(image)  # type: ignore[no-any-return]

    settings["transform"] = picky
    Image.new("RGB", (9, 9)).save(tmp_path / "nine.png")
    alone = command("run", "own_settings.py:build", tmp_path / "nine.png", "-o", tmp_path / "r", *RUN, code=1)
    assert re.search(r"nine\.png: the transform fails \(KeyError: 'nine', in .*picky\)", alone.stderr)
    assert alone.stderr.count("\n") == 1


def test_albumentations_are_given_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    class Compose:
        """As that library's: pictures by keyword, height by width by channels."""

        __module__ = "albumentations.core.composition"

        def __call__(self, *, image: np.ndarray[Any, Any]) -> dict[str, object]:
            return {"image": image[:8, :8].astype(np.float32) / 255}

    values = prepare(picture(), with_transform(Compose(), "net", 3)).values
    torch.testing.assert_close(values, whole(picture())[:, :8, :8] / 255)


def test_a_module_as_a_transform() -> None:
    class ToTensor(nn.Module):
        def forward(self, image: Image.Image) -> torch.Tensor:
            return whole(image) / 255

    assert with_transform(nn.Sequential(ToTensor()), "net", 3).mean == (0, 0, 0)
