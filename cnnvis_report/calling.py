"""Calling somebody's code, which may raise anything."""

from collections.abc import Callable
from typing import TypeVar

from cnnvis_report.errors import Ended

Made = TypeVar("Made")


def called(function: Callable[..., Made], *given: object) -> Made:
    """What somebody's code gives; whatever it raises beside an interruption is an error of its own.

    Raises:
        Ended: it would end the program, or an iteration that isn't its own.
    """
    try:
        return function(*given)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        if isinstance(error, Exception) and not isinstance(error, StopIteration | StopAsyncIteration):
            raise
        raise Ended(error).with_traceback(error.__traceback__) from error
