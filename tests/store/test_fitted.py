"""What methods have fitted is kept with a run that goes on, and with no other."""

import shutil
from pathlib import Path
from unittest.mock import Mock

import pytest

from cnnvis_report.methods import pattern_fit
from cnnvis_report.methods.pattern_moments import moments
from tests.conftest import command
from tests.store.run_files import RUN, Stop, interrupted, without_provenance

PATTERNS = ("--methods", "pattern_net,pattern_attribution", "--device", "cpu", "--batch-size", "2", "--inspect", "none")


@pytest.fixture(scope="module")
def whole_with_patterns(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("patterns") / "r"
    command(*RUN, drawn, "-o", folder, *PATTERNS)
    return folder


@pytest.fixture(scope="module")
def left_with_patterns(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a run leaves that is stopped after three images."""
    folder = tmp_path_factory.mktemp("stopped") / "r"
    with pytest.MonkeyPatch.context() as patch:
        interrupted(patch, 3)
        with pytest.raises(Stop):
            command(*RUN, drawn, "-o", folder, *PATTERNS)
    return folder


@pytest.fixture
def stopped_with_patterns(left_with_patterns: Path, tmp_path: Path) -> Path:
    return shutil.copytree(left_with_patterns, tmp_path / "parts")


def test_what_was_fitted_is_kept_with_a_run_that_goes_on(
    stopped_with_patterns: Path, whole_with_patterns: Path, drawn: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (stopped_with_patterns / "fitted" / "patterns.safetensors").stat().st_size > 1000
    with monkeypatch.context() as patch:
        patch.setattr(pattern_fit, "moments", lambda *_, **__: 1 / 0)
        command(*RUN, drawn, "-o", stopped_with_patterns, *PATTERNS)
    assert without_provenance(whole_with_patterns) == without_provenance(stopped_with_patterns)
    assert not (stopped_with_patterns / "fitted").exists(), "a report is handed on without it"


@pytest.mark.parametrize("content", [b"", b"no tensors", None], ids=["empty", "garbage", "gone"])
def test_what_was_fitted_and_got_damaged_is_fitted_again(
    stopped_with_patterns: Path, whole_with_patterns: Path, content: bytes | None, drawn: Path
) -> None:
    fitted = stopped_with_patterns / "fitted" / "patterns.safetensors"
    fitted.unlink()
    if content is not None:
        fitted.write_bytes(content)
    command(*RUN, drawn, "-o", stopped_with_patterns, *PATTERNS)
    assert without_provenance(whole_with_patterns) == without_provenance(stopped_with_patterns)


def test_another_run_takes_nothing_that_was_fitted(
    stopped_with_patterns: Path, drawn: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted = Mock(wraps=moments)
    monkeypatch.setattr(pattern_fit, "moments", fitted)
    command(*RUN, drawn, "-o", stopped_with_patterns, *PATTERNS, "--seed", "1")
    assert fitted.called
