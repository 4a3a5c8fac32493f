"""What to say of a model that nothing is called by: what it probably is, and how it can be had all the same."""

import re
from collections.abc import Sequence
from pathlib import Path

import torchvision

from cnnvis_report.errors import BadRequest, nearest
from cnnvis_report.models.known_networks.network_index import timm_names
from cnnvis_report.models.loader import Loader
from cnnvis_report.models.timm_models.names import PREFIX

WEIGHTS = (".pt", ".pth", ".safetensors", ".ckpt", ".bin", ".onnx", ".pt2", ".keras", ".h5", ".tar")
TAGGED = re.compile(r"[a-z][a-z0-9_]*\.[a-z0-9_]+_(ft_)?in[0-9]+k")  # of a network that is newer than the index


def unknown(model: str, loaders: Sequence[Loader]) -> BadRequest:
    """The error for a MODEL that none of the loaders opens."""
    name = model.partition("@")[0]
    if name in torchvision.models.list_models():
        return BadRequest(
            f"{name} is no classifier of images, segmentation network or detector; others can't be explained."
        )
    if Path(model).suffix in WEIGHTS or model.startswith(("./", "../", "/", "~")):
        return BadRequest(f"{model}: there is no such file. MODEL is a file that 'cnnvis-report train' has written.")
    if re.fullmatch(r"[\w.-]+/[\w.-]+", model):
        return _hub(model)
    if is_of_timm(model):
        return BadRequest(f"{model} is a model of timm: give {PREFIX}{model}.")
    near = _nearest(name)
    if near:
        return BadRequest(
            f"No model is called {model!r}. Did you mean {near!r}? MODEL may be a file, a folder or a function, too: "
            "cnnvis-report run --help."
        )
    kinds = "; ".join(f"{loader.example} for {loader.title}" for loader in loaders)
    return BadRequest(f"No model is called {model!r}. Give {kinds}.")


def is_of_timm(name: str) -> bool:
    """Whether it is a name of timm's, with or without a tag; timm itself isn't asked, as to import it takes seconds."""
    return name.partition(".")[0] in timm_names() or TAGGED.fullmatch(name) is not None


def _nearest(name: str) -> str | None:
    """The name of torchvision or timm that was probably meant, as it is to be typed."""
    known = torchvision.models.list_models(module=torchvision.models)
    near = nearest(name.partition(".")[0], [*known, *timm_names()])
    return near if near is None or near in known else f"{PREFIX}{near}"


def _hub(model: str) -> BadRequest:
    if model.startswith("timm/"):
        return BadRequest(f"{model} is a model of timm: give {PREFIX}{model.removeprefix('timm/')}.")
    return BadRequest(
        f"{model} is neither a file or folder here nor a name of torchvision. If it is on the Hugging Face hub: a "
        f"model of timm is hf-hub:{model}; of transformers, fetch its folder (hf download {model} --local-dir FOLDER) "
        f"and give FOLDER."
    )
