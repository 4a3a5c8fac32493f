"""`create_report`: a report on a module and images that a program holds."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cnnvis_report.cli import comparing, finish, results
from cnnvis_report.cli.terminal.announce import announce
from cnnvis_report.cli.terminal.console import Console
from cnnvis_report.data.image_set import ImageSet
from cnnvis_report.distributed.engine import engine_of
from cnnvis_report.engine.outputs.readers import TargetFunction
from cnnvis_report.errors import BadRequest, RunFailed
from cnnvis_report.isolation.eager import unwrapped
from cnnvis_report.isolation.restore import with_state_restored
from cnnvis_report.live.progress import ProgressChoice, console_of
from cnnvis_report.models.model import Model
from cnnvis_report.models.network_state import check_finite
from cnnvis_report.models.own_code.network_attributes import declared
from cnnvis_report.pipeline.arguments import check_network, check_target, config_of
from cnnvis_report.pipeline.config import RunConfig
from cnnvis_report.pipeline.opening.image_source import Aliases, image_source
from cnnvis_report.pipeline.opening.preprocessing import adjusted_preprocessing
from cnnvis_report.pipeline.opening.sample_source import SampleRequest, sample_source
from cnnvis_report.pipeline.setup import Setup, set_up_model
from cnnvis_report.report.loaded_report import LoadedReport, load_report
from cnnvis_report.settings import settings_of
from cnnvis_report.store.own_files import output as writing_into

OPTION = re.compile(r"(?<![\w-])(?:--([a-z][a-z-]*)|-o\b)")


def create_report(
    module: nn.Module,
    images: object,
    *,
    output: str | Path = "report",
    classes: Sequence[str] | None = None,
    labels: object = None,
    masks: object = None,
    targets: str = "auto",
    transform: Callable[..., Any] | str | None = None,
    target: TargetFunction | str | None = None,
    name: str = "",
    progress: ProgressChoice = "auto",
    **settings: Any,
) -> LoadedReport:
    """Explain what a network sees in images, and write a report; the same as `cnnvis-report run` for what is in memory.

    Args:
        module: a network, N×C×H×W images to N×classes scores, or to maps of them; left exactly as it was, training
            flags, gradients, random numbers and device included.
        images: a Dataset, a DataLoader, a list of PIL pictures, paths or tensors, a tensor N×C×H×W, or a pair of
            tensors, images and labels; a path of a file, a folder or a list of images. Samples may be an image, an
            image and its label, or a dictionary. Float tensors are what the network reads, and are explained as they
            are; pictures and paths go through `transform`, or are resized and normalized.
        output: folder of the report. A report of the same network, images and settings there goes on where it was.
        classes: class names in index order.
        labels: one for each image, an index or a name, where `images` has none; or, as text, where labels of files come
            from, as `--labels` has it.
        masks: where what decides the class is, one for each image: arrays or tensors H×W, pictures, paths or None; or a
            folder of masks that are called like the images. Samples may have one, too: `(image, label, mask)`, or under
            `mask` in a dictionary.
        targets: which classes are explained of each image: "top:K" for the K highest scores, "label", names or indices;
            "auto" for the predicted and the labeled one at low and medium effort, else "top:3".
        transform: makes a picture the network's input, such as torchvision's or Albumentations' pipelines, or where it
            is, as `--transform` has it.
        target: a function of the network's output that gives what is explained, as for `explain`, or where it is,
            as `--target` has it.
        name: what the report calls the network.
        progress: "terminal", "notebook", "none", "auto" for what fits, or a function of what part is done, from 0 to
            1, and what is being done.
        settings: every other setting of `cnnvis-report run` by its name, such as `methods="quick"`, `limit=100`,
            `mean` and `std` of the normalization that tensors went through, `title="…"`, `device="cuda"`.

    Returns:
        The report: `open()`, `figure()`, `metrics`, `report["dog.jpg"].maps["grad_cam"]`; a notebook shows it.

    Raises:
        BadRequest, UnknownName: something doesn't exist or doesn't fit. RunFailed: no image can be explained.
        RulesHold: a rule of `fail_if` holds; the report is there.
    """
    with in_words_of_python():
        check_network(module)
        network = unwrapped(module)
        called = name or type(network).__name__
        at = _device(network)
        settings.setdefault("device", str(at))
        function = None if isinstance(target, str) else target
        check_target(function)
        texts = {"target": target, "transform": transform, "masks": masks, "labels": labels}
        settings |= {key: value for key, value in texts.items() if isinstance(value, str | Path)}
        labels, masks = (None if isinstance(value, str | Path) else value for value in (labels, masks))
        picture_transform = transform if transform is not None and not isinstance(transform, str) else None
        request = _Request(network, images, labels, masks, picture_transform, classes, called, function)
        config = config_of(model=called, output=Path(output), classes=targets, **settings)
        console = console_of(progress)
        comparing.check_against(config)
        results.check_files(config.job)
        with writing_into(config.report.output):
            try:
                with_state_restored(network, at, lambda _: _make(request, config, console))
            finally:
                network.to(at)
    return load_report(config.report.output)


@dataclass(frozen=True)
class _Request:
    """What was handed over."""

    network: nn.Module
    images: object
    labels: object
    masks: object
    transform: Callable[..., Any] | None
    classes: Sequence[str] | None
    name: str
    target: TargetFunction | None


Source = tuple[Model, Callable[[Sequence[str]], ImageSet], Aliases]


def _make(request: _Request, config: RunConfig, console: Console) -> None:
    set_up = partial(_set_up, request)
    with engine_of(config, set_up) as engine:
        setup = set_up(config)
        comparing.check_network(setup)
        if config.data.select != "all":
            setup = finish.select(setup, console)
        result = finish.make(setup, console, engine)
    if config.report.open:
        announce(result.first_page, config.report, config.job)
    finish.conclude(result, config, console)


def _set_up(request: _Request, config: RunConfig) -> Setup:
    """The run, in this process or in a worker of its engine."""
    model, images_for, aliases = _source(request, config)
    return set_up_model(model, images_for, config, aliases, request.target)


def _source(request: _Request, config: RunConfig) -> Source:
    """The model as it reads the images, and the images."""
    network, images = request.network, request.images
    check_finite(network, request.name)
    known = declared(network, request.name, {} if request.transform is None else {"transform": request.transform})
    if isinstance(request.classes, str):
        raise BadRequest(f"classes is the text {request.classes!r}; a list with a name for each class is needed.")
    names = tuple(map(str, request.classes)) if request.classes is not None else known.classes
    model = Model(
        network,
        request.name,
        "in memory",
        known.preprocessing,
        names,
        notices=known.notices,
        layer=known.layer,
        task=known.task,
    )
    paths = _paths(images)
    if paths and request.labels is None and request.masks is None:
        model = replace(model, preprocessing=adjusted_preprocessing(model, config.preprocessing))
        return image_source(model, replace(config, data=replace(config.data, images=paths)))
    model, images_for = sample_source(model, SampleRequest(images, request.labels, request.masks), config)
    return model, images_for, ()


def _paths(images: object) -> tuple[str, ...]:
    """The paths and addresses, where nothing else was handed over."""
    entries = images if isinstance(images, list | tuple) else [images]
    paths = tuple(str(entry) for entry in entries if isinstance(entry, str | Path))
    return paths if len(paths) == len(entries) else ()


def _device(network: nn.Module) -> torch.device:
    tensor = next(iter([*network.parameters(), *network.buffers()]), None)
    return torch.device("cpu") if tensor is None else tensor.device


@contextmanager
def in_words_of_python() -> Iterator[None]:
    """Name settings in errors as keywords are called."""
    try:
        yield
    except (BadRequest, RunFailed) as error:
        error.args = (as_keywords(str(error)), *error.args[1:])
        raise


def as_keywords(message: str) -> str:
    """A message with its options as keywords; other words that look like options stay."""
    names = {info.key: info.key.replace("-", "_") for info in settings_of(RunConfig)} | {"output": "output"}

    def keyword(match: re.Match[str]) -> str:
        return "output" if match[1] is None else names.get(match[1], match[0])

    return OPTION.sub(keyword, message)
