"""Which network of torchvision or timm somebody's weights are of, by their names and shapes."""

import importlib
import importlib.util
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path

import torch
import torchvision

from cnnvis_report.loading.matching import State, prefixes
from cnnvis_report.loading.torchvision_networks import skeleton, without_values

MOST = 60  # networks that are built to find the nearest
SURE = 0.97
FEWEST = 9  # tensors; the smallest network of torchvision, alexnet, has 16
ENOUGH = 0.6  # of a network's tensors that have to be there before it is named
Shapes = dict[str, torch.Tensor]


def advice(state: State, asked: str = "") -> str:
    """A sentence that names the network that the tensors fit best; empty where none does.

    Args:
        asked: the name of the network that they don't fit.
    """
    if len(state) < FEWEST:
        return ""
    name, share = _best(state, _torchvision_families(), _of_torchvision)
    if name == asked and share >= ENOUGH:
        return (
            f" Where your {asked} is another than torchvision's, give it from a factory, path/to/file.py:function, "
            f"and this file with --weights."
        )
    if share < ENOUGH and importlib.util.find_spec("timm") is not None:
        own, fit = _best(state, _timm_families(_words(state)), _of_timm)
        if fit > share:
            name, share = f"timm's {own}", fit
    if share < ENOUGH:
        return ""
    return f" They fit {name} best: {share:.0%} of its tensors are there."


def _best(state: State, families: list[list[str]], shapes: Callable[[str], Shapes]) -> tuple[str, float]:
    """The network with the largest share of its tensors in the state; one of each family is tried, then the nearest's.

    A family's networks have names of tensors in common, so that the others needn't be built.
    """
    words = _words(state)
    ranked = sorted(families, key=lambda family: -_overlap(words, _words(shapes(family[0]))))
    best = ("", 0.0)
    for name in [name for family in ranked[:2] for name in family][:MOST]:
        best = max(best, (name, _share(state, shapes(name))), key=lambda each: each[1])
        if best[1] >= SURE:
            break
    return best


def _share(state: State, own: Shapes) -> float:
    """What part of the larger of the two is in both, by name and shape, behind whatever prefix."""
    found = prefixes(state, own)
    return max(found.values(), default=0) / max(len(own), len(state), 1)


def _words(keys: Iterable[str]) -> frozenset[str]:
    """The parts of names that aren't numbers, two and two."""
    parts = [[part for part in key.split(".") if not part.isdecimal()] for key in keys]
    return frozenset(".".join(each[-2:]) for each in parts)


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / max(len(one | other), 1)


def _torchvision_families() -> list[list[str]]:
    families: dict[str, list[str]] = {}
    for name in torchvision.models.list_models(module=torchvision.models):
        families.setdefault(torchvision.models.get_model_builder(name).__module__, []).append(name)
    return list(families.values())


@lru_cache(maxsize=256)
def _of_torchvision(name: str) -> Shapes:
    return skeleton(name).state_dict()


def _timm_families(words: frozenset[str]) -> list[list[str]]:
    """The families whose source has the most of the words: timm has a hundred, and to build one of each takes long."""
    timm = importlib.import_module("timm")
    folder = Path(str(timm.__file__)).parent / "models"
    wanted = {part for word in words for part in word.split(".")} - {"weight", "bias"}
    counts = {}
    for module in timm.list_modules():
        source = folder / f"{module}.py"
        found = set(re.findall(r"\w+", source.read_text(encoding="utf-8"))) if source.is_file() else set()
        counts[module] = len(wanted & found)
    nearest = sorted(counts, key=lambda module: -counts[module])[:3]
    return [family for family in (timm.list_models(module=module) for module in nearest) if family]


@lru_cache(maxsize=2048)
def _of_timm(name: str) -> Shapes:
    try:
        with without_values():
            found: Shapes = importlib.import_module("timm").create_model(name, pretrained=False).state_dict()
    except Exception:  # some want what isn't installed, or values to begin with
        return {}
    return found
