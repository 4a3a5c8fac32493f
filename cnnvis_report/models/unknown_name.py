"""What to say of a model that nothing is called by: what it probably is, and how it can be had all the same."""

import importlib
import importlib.util
import re
from collections.abc import Sequence
from pathlib import Path

import torchvision

from cnnvis_report.errors import BadRequest, nearest
from cnnvis_report.models.loader import Loader

WEIGHTS = (".pt", ".pth", ".safetensors", ".ckpt", ".bin", ".onnx", ".pt2", ".keras", ".h5", ".tar")


def unknown(model: str, loaders: Sequence[Loader]) -> BadRequest:
    """The error for a MODEL that none of the loaders opens."""
    name = model.partition("@")[0]
    if name in torchvision.models.list_models():
        return BadRequest(f"{name} is no classifier; the models that can be explained are torchvision's classifiers.")
    if Path(model).suffix in WEIGHTS or model.startswith(("./", "../", "/", "~")):
        return BadRequest(f"{model}: there is no such file. MODEL is a file that 'cnnvis-report train' has written.")
    if model.startswith("hf-hub:") or re.fullmatch(r"[\w.-]+/[\w.-]+", model):
        return _hub(model)
    if is_of_timm(model):
        return BadRequest(f"{model} is a model of timm, which isn't loaded by name yet. {_timm_factory(model)}")
    near = nearest(name, torchvision.models.list_models(module=torchvision.models))
    hint = f" Did you mean {near!r}?" if near else ""
    kinds = "; ".join(f"{loader.example} for {loader.title}" for loader in loaders)
    return BadRequest(f"No model is called {model!r}.{hint} Give {kinds}.")


def _hub(model: str) -> BadRequest:
    repository = model.removeprefix("hf-hub:")
    if repository.startswith("timm/") or model.startswith("hf-hub:"):
        return BadRequest(
            f"{model} is a model of timm on the Hugging Face hub, which isn't loaded by name yet. "
            f"{_timm_factory(repository.removeprefix('timm/') if repository.startswith('timm/') else model)}"
        )
    return BadRequest(
        f"{model} is neither a file here nor a name of torchvision. If it is on the Hugging Face hub: it isn't loaded "
        f"by name yet; give a factory that calls from_pretrained({model!r}), as path/to/file.py:function."
    )


def is_of_timm(name: str) -> bool:
    """Whether timm knows it; where timm isn't installed, whether it has the form of its names with a tag."""
    if importlib.util.find_spec("timm") is not None:
        return bool(importlib.import_module("timm").is_model(name))
    return re.fullmatch(r"[a-z][a-z0-9_]*\.\w+", name) is not None


def _timm_factory(name: str) -> str:
    return (
        f"Give a factory, path/to/file.py:function, that returns timm.create_model({name!r}, pretrained=True); its "
        f"mean, std and size can be attributes of the network."
    )
