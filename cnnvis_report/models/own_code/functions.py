"""Functions of a user's own: `package.module:name` or `path/to/file.py:name`."""

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cnnvis_report.engine.outputs.functions import FunctionScores, name_of
from cnnvis_report.engine.outputs.readers import OutputReader, TargetFunction
from cnnvis_report.errors import BadRequest, shown
from cnnvis_report.isolation.process_state import OF_FACTORIES, settings_restored, sys_path_kept
from cnnvis_report.isolation.user_code import register_network_files
from cnnvis_report.isolation.user_modules import attribute_of, guarded, user_module
from cnnvis_report.models.own_code.factories import is_factory


def object_at(spec: str) -> Any:
    """Whatever `module:name` or `path/to/file.py:name` names.

    Raises:
        BadRequest: there is nothing; the message says what went wrong, and where in the user's own file.
    """
    source, _, name = spec.rpartition(":")
    if not is_factory(spec):
        raise BadRequest(f"{shown(spec)} names no function; give package.module:function or path/to/file.py:function.")
    with sys_path_kept(), settings_restored(OF_FACTORIES):
        module = user_module(spec, source)
        register_network_files({Path(getattr(module, "__file__", None) or "")})
        return guarded(spec, lambda: attribute_of(spec, module, name))


def function_at(spec: str) -> Callable[..., Any]:
    """The function, or callable object, that `module:name` or `path/to/file.py:name` names.

    Raises:
        BadRequest: there is none.
    """
    value = object_at(spec)
    if isinstance(value, type):
        raise BadRequest(f"{spec} is a class; give a function, or an object of it that can be called.")
    if not callable(value):
        raise BadRequest(f"{spec} is of type {type(value).__name__}; a function is needed.")
    function: Callable[..., Any] = value
    return function


def transform_at(spec: str) -> Callable[..., Any]:
    """The transform that `module:name` or `path/to/file.py:name` names, or that what it names gives without arguments.

    Raises:
        BadRequest: there is none.
    """
    value = object_at(spec)
    if _takes_nothing(value):
        value = guarded(spec, value)
    if not callable(value) or isinstance(value, type):
        what = f"the class {value.__name__}" if isinstance(value, type) else f"of type {type(value).__name__}"
        raise BadRequest(f"{spec} is {what}; a function of a picture is needed, or one that gives it.")
    transform: Callable[..., Any] = value
    return transform


def _takes_nothing(value: object) -> bool:
    """Whether a function or a class can be called without arguments, and so is no transform itself."""
    if not (isinstance(value, type | functools.partial) or inspect.isroutine(value)):
        return False
    try:
        parameters = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):
        return False
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    if not isinstance(value, type) and any(parameter.kind is several[0] for parameter in parameters):
        return False
    return all(parameter.default is not parameter.empty or parameter.kind in several for parameter in parameters)


def target_reader(target: TargetFunction | str | None) -> OutputReader | None:
    """What makes scores by a function, or by the one that --target names; None where there is none.

    Raises:
        BadRequest: there is no such function.
    """
    if target is None:
        return None
    if isinstance(target, str):
        return FunctionScores(function_at(target), target.rpartition(":")[2])
    return FunctionScores(target, name_of(target))
