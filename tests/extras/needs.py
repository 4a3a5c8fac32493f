"""Skip a test file whose libraries aren't installed, and fail it where they should be."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest

VARIABLE = "CNNVIS_NEEDS_EXTRA"


def needs(*modules: str) -> None:
    """Skip the calling test file where a module isn't installed; call it before anything else is imported.

    The folder of the file names the extra. Where it is among those that the environment variable CNNVIS_NEEDS_EXTRA
    names, with commas between them, as in the environment that is there for these tests, nothing may be missing.

    Raises:
        ModuleNotFoundError: a module of the extra that the environment names is missing.
    """
    missing = [module for module in modules if not _installed(module)]
    if not missing:
        return
    extra = Path(sys._getframe(1).f_code.co_filename).parent.name
    reason = f"not installed: {', '.join(missing)} (pip install 'cnnvis-report[{extra}]')"
    if extra in os.environ.get(VARIABLE, "").split(","):
        raise ModuleNotFoundError(f"{VARIABLE} names {extra}, and {reason}")
    pytest.skip(reason, allow_module_level=True)


def _installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # the package that the module is in
        return False
