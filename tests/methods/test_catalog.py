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
    return {entry.name: entry for entry in methods()}


def test_the_same_methods_in_the_same_order(real: Any) -> None:
    assert [entry.name for entry in catalog()] == list(real)
    assert {entry.name: entry.effort for entry in catalog()} == {name: entry.effort for name, entry in real.items()}


@pytest.mark.parametrize("field", [field.name for field in fields(MethodInfo)])
def test_every_field_is_what_the_registry_has(real: Any, field: Any) -> None:
    assert {entry.name: getattr(entry.info, field) for entry in catalog()} == {
        name: getattr(entry.info, field) for name, entry in real.items()
    }


def test_torch_is_not_imported() -> None:
    code = "import sys; from cnnvis_report.methods.catalog import catalog; catalog(); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
