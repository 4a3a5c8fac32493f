"""The names of the classes of timm's networks: from a configuration, or of ImageNet's sets."""

from collections.abc import Mapping
from typing import Any


def timm_classes(config: Mapping[str, Any], count: int) -> tuple[str, ...] | None:
    """The names in index order, or None where nobody has said them.

    Args:
        config: as timm keeps it with weights: `label_names`, and `label_descriptions` by name.
        count: how many classes the network has. Where the configuration names none, timm tells ImageNet's sets by it.
    """
    names = _given(config, count)
    if names is not None:
        return names
    from timm.data import ImageNetInfo, infer_imagenet_subset

    subset = infer_imagenet_subset({"num_classes": count})
    return tuple(ImageNetInfo(subset).label_descriptions()) if subset else None


def _given(config: Mapping[str, Any], count: int) -> tuple[str, ...] | None:
    """The names that the configuration has for all classes; those without one are called by their index."""
    names, descriptions = config.get("label_names"), config.get("label_descriptions")
    if isinstance(names, list | tuple):
        names = dict(enumerate(names))
    if not isinstance(names, dict) or not names:
        return None
    by_index = {str(index): str(name) for index, name in names.items()}
    if not set(by_index) <= {str(index) for index in range(count)}:
        return None
    known = descriptions if isinstance(descriptions, dict) else {}
    called = (by_index.get(str(index), f"class {index}") for index in range(count))
    return tuple(str(known.get(name, name)) for name in called)
