"""Memory that is kept: the system isn't asked for the same pages again."""

import ctypes
import os
import platform
import subprocess
import sys
from unittest.mock import Mock

import pytest

from cnnvis_report.cli import malloc

CHILD = """
import resource, torch
from cnnvis_report.cli.malloc import keep_memory
def once():
    large = torch.ones(12_000_000)  # 48 MB, and as much for the sum: above what glibc keeps by itself
    return float((large + 1)[0])
def faults():
    for _ in range(12):  # the heap grows until it has room for all, wherever other things lie in it
        once()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(8):
        once()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
print(faults(), keep_memory(), faults())
"""
PAGES = 8 * 2 * 48_000_000 // 4096

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")


def test_freed_memory_is_used_again() -> None:
    """Eight rounds ask for hardly a page, which ask for all of theirs before."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    words = [sys.executable, "-c", CHILD]
    before, kept, after = subprocess.run(words, check=True, capture_output=True, text=True, env=plain).stdout.split()
    assert int(before) > PAGES / 2 or os.sysconf("SC_PAGE_SIZE") != 4096
    assert kept == "True" and int(after) < PAGES / 4


@pytest.mark.parametrize("name", ["MALLOC_ARENA_MAX", "GLIBC_TUNABLES"])
def test_what_the_environment_says_of_memory_holds(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tuned = Mock()
    monkeypatch.setattr(ctypes, "CDLL", tuned)
    monkeypatch.setenv(name, "2")
    assert malloc.keep_memory() is False and not tuned.called


def test_other_libraries_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {})
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert malloc.keep_memory() is False
