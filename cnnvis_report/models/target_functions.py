"""Functions of a user's own that make scores of a network's output: `package.module:name` or `path/to/file.py:name`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cnnvis_report.errors import BadRequest, shown
from cnnvis_report.isolation.process_state import OF_FACTORIES, settings_restored, sys_path_kept
from cnnvis_report.isolation.user_code import register_network_files
from cnnvis_report.isolation.user_modules import attribute_of, guarded, user_module
from cnnvis_report.models.factories import is_factory


def function_at(spec: str) -> Callable[..., Any]:
    """The function, or callable object, that `module:name` or `path/to/file.py:name` names.

    Raises:
        BadRequest: there is none; the message says what went wrong, and where in the user's own file.
    """
    source, _, name = spec.rpartition(":")
    if not is_factory(spec):
        raise BadRequest(f"{shown(spec)} names no function; give package.module:function or path/to/file.py:function.")
    with sys_path_kept(), settings_restored(OF_FACTORIES):
        module = user_module(spec, source)
        register_network_files({Path(getattr(module, "__file__", None) or "")})
        value = guarded(spec, lambda: attribute_of(spec, module, name))
    if isinstance(value, type):
        raise BadRequest(f"{spec} is a class; give a function, or an object of it that can be called.")
    if not callable(value):
        raise BadRequest(f"{spec} is of type {type(value).__name__}; a function is needed.")
    function: Callable[..., Any] = value
    return function
