"""Errors in the words of a Python call: settings by their names, not as options of the command line."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from cnnvis_report.errors import BadRequest, RunFailed
from cnnvis_report.pipeline.config import RunConfig
from cnnvis_report.settings import settings_of

OPTION = re.compile(r"(?<![\w-])(?:--([a-z][a-z-]*)|-o\b)")


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
