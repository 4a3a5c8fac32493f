"""Registries, with installed packages that add to them: real distributions as pip lays them out."""

import sys
from collections.abc import Iterator
from importlib import invalidate_caches
from pathlib import Path
from typing import Any

import pytest

from cnnvis_report.errors import BadRequest
from cnnvis_report.extensions.registry import Registry

GROUP = "cnnvis_report.things"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A folder of installed packages; modules that come from it are forgotten afterwards."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(tmp_path) in str(sys.modules[name].__file__):
            del sys.modules[name]


def install(site: Path, distribution: str, points: dict[str, str], **modules: str) -> None:
    """What `pip install` leaves of a distribution: its modules and the description of its entry points."""
    for name, text in modules.items():
        (site / f"{name}.py").write_text(text)
    info = site / f"{distribution.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    lines = [f"[{GROUP}]", *(f"{name} = {value}" for name, value in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    invalidate_caches()


def adds(name: str) -> str:
    """A module that announces a thing to the registry under test."""
    return f"import builtins\nbuiltins.things.add({name!r}, 1, __name__)\n\ndef {name}(): ...\n"


@pytest.fixture
def things(monkeypatch: pytest.MonkeyPatch) -> Any:
    import builtins

    registry = Registry[int]("thing", group=GROUP)
    monkeypatch.setattr(builtins, "things", registry, raising=False)
    return registry


@pytest.mark.parametrize("value", ["their_module", "their_module:theirs"], ids=["module", "function"])
def test_an_entry_point_names_a_module_or_a_function(site: Any, things: Any, value: Any) -> None:
    install(site, "their-package", {"theirs": value}, their_module=adds("theirs"))
    assert set(things.entries()) == {"theirs"}


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        pytest.param("1 / 0", "ZeroDivisionError: division by zero", id="raises"),
        pytest.param("raise SystemExit(3)", "SystemExit: 3", id="ends-the-program"),
        pytest.param("import there_is_no_such_module", "No module named", id="misses-a-module"),
        pytest.param(adds("half") + "1 / 0", "division by zero", id="breaks-half-way"),
    ],
)
def test_a_broken_package_is_one_warning_and_the_others_are_there(
    site: Any, things: Any, caplog: pytest.LogCaptureFixture, module: Any, reason: str
) -> None:
    install(site, "broken", {"one": "broken_module", "two": "broken_module:two"}, broken_module=module)
    install(site, "sound", {"sound": "sound_module"}, sound_module=adds("sound"))
    assert set(things.entries()) == {"sound"}
    (record,) = caplog.records
    assert "'broken'" in record.message and "\n" not in record.message and reason in record.message
    assert set(things.entries()) == {"sound"} and len(caplog.records) == 1  # said once


def test_two_of_one_name_are_refused_with_both_modules(
    site: Any, things: Any, caplog: pytest.LogCaptureFixture
) -> None:
    install(site, "a-package", {"same": "a_module"}, a_module=adds("same"))
    install(site, "b-package", {"same": "b_module"}, b_module=adds("same"))
    assert set(things.entries()) == {"same"}
    (record,) = caplog.records
    assert all(part in record.message for part in ("'b-package'", "'same'", "a_module", "b_module"))


def test_a_module_may_announce_a_thing_again() -> None:
    registry = Registry[int]("thing", group=GROUP)
    registry.add("mine", 1, "notebook")
    registry.add("mine", 2, "notebook")
    assert registry.entries() == {"mine": 2}
    with pytest.raises(BadRequest, match="one in notebook, one in other"):
        registry.add("mine", 3, "other")


def test_names_of_our_own_cannot_be_taken_by_whoever_comes_first(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins

    (site / "our_things").mkdir()
    (site / "our_things" / "__init__.py").write_text("")
    (site / "our_things" / "first.py").write_text(adds("first"))
    registry = Registry[int]("thing", package="our_things")
    monkeypatch.setattr(builtins, "things", registry, raising=False)
    with pytest.raises(BadRequest, match=r"one in our_things\.first, one in stranger"):
        registry.add("first", 2, "stranger")
    assert registry.entries() == {"first": 1}


def test_a_module_that_fails_is_met_again_by_who_asks_next(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins

    package = site / "owned"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "a.py").write_text(adds("first"))
    (package / "b.py").write_text("import nothing_of_this_name\n")
    registry = Registry[int]("thing", package="owned")
    monkeypatch.setattr(builtins, "things", registry, raising=False)
    for _ in range(2):
        with pytest.raises(ModuleNotFoundError, match="nothing_of_this_name"):
            registry.entries()
    (package / "b.py").write_text(adds("second"))
    invalidate_caches()
    assert set(registry.entries()) == {"first", "second"}
