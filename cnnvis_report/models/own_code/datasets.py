"""Datasets of a user's own: `package.module:name` or `path/to/file.py:name`, a dataset or a function that gives one."""

import functools
import inspect
from pathlib import Path
from typing import Any

from cnnvis_report.data.collection import collection_for
from cnnvis_report.errors import BadRequest, UnusedOption, shown
from cnnvis_report.isolation.diagnosis import is_needed, parameters_of
from cnnvis_report.isolation.user_modules import guarded
from cnnvis_report.models.own_code.factories import is_factory
from cnnvis_report.models.own_code.functions import object_at


def is_own_dataset(text: str) -> bool:
    """Whether IMAGES name something in a module, and no file, folder or address."""
    return is_factory(text) and not Path(text).exists() and collection_for(text) is None


def dataset_at(spec: str, split: str = "") -> Any:
    """The dataset, loader or list that `module:name` names, or that what it names gives.

    Args:
        split: the part that is wanted; the function's argument of that name.

    Raises:
        BadRequest: there is none, or the function can't be called.
    """
    value = object_at(spec)
    if not (isinstance(value, type | functools.partial) or inspect.isroutine(value)):
        if split:
            raise UnusedOption("--split", shown(split), f"{spec} is no function that takes a split.")
        return value
    parameters = parameters_of(value)
    if split and "split" not in [parameter.name for parameter in parameters]:
        raise UnusedOption("--split", shown(split), f"{spec} has no parameter split.")
    arguments = {"split": split} if split else {}
    missing = [parameter.name for parameter in parameters if is_needed(parameter) and parameter.name not in arguments]
    if missing:
        split_too = ": give --split" if missing == ["split"] else "; give a function of no arguments that calls it"
        raise BadRequest(f"{spec}: can't be called without {', '.join(missing)}{split_too}.")
    return guarded(spec, lambda: value(**arguments))
