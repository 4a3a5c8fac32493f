"""What methods say of themselves is the same with torch and without it."""

import subprocess
import sys
from dataclasses import fields
from typing import Any

import pytest

from cnnvis_report.methods.catalog import catalog
from cnnvis_report.methods.registry import methods
from cnnvis_report.records.methods import MethodInfo


@pytest.fixture(scope="module")
def real() -> Any:
    return {entry.name: entry.info for entry in methods()}


def test_the_same_methods_in_the_same_order(real: Any) -> None:
    assert [info.name for info in catalog()] == list(real)


@pytest.mark.parametrize("field", [field.name for field in fields(MethodInfo)])
def test_every_field_is_what_the_registry_has(real: Any, field: Any) -> None:
    assert {info.name: getattr(info, field) for info in catalog()} == {
        name: getattr(info, field) for name, info in real.items()
    }


def test_torch_is_not_imported() -> None:
    code = "import sys; from cnnvis_report.methods.catalog import catalog; catalog(); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
