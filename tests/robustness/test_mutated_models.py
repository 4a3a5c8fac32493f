"""The damage to model files is the same each time, of every kind, and found where it does harm."""

from pathlib import Path

import pytest

from cnnvis_report.models.trained_file import write_trained
from tests.models.test_trained_file import described, trainee
from tests.robustness.mutated_models import KINDS, check, failures, mutations

CONTENT = bytes(range(256)) * 40


def test_the_same_seed_gives_the_same_damage() -> None:
    first, again, other = (list(mutations(CONTENT, 30, seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert list(mutations(CONTENT, 10, 1)) == first[:10]


def test_damage_is_of_every_kind_and_rarely_none() -> None:
    damaged = list(mutations(CONTENT, 70, 0))
    assert sum(content == CONTENT for content in damaged) <= 10  # zeros and swapped blocks may hit their like
    sizes = {len(content) - len(CONTENT) for content in damaged}
    assert min(sizes) < 0 < max(sizes)
    assert len(KINDS) == 7


@pytest.mark.parametrize("content", [b"", b"x", CONTENT], ids=["empty", "a byte", "no model"])
def test_what_is_no_model_is_refused_in_a_line(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "net.pt").write_bytes(content)
    assert check(tmp_path / "net.pt") == ""


def test_a_loader_that_fails_otherwise_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("two\nlines")

    monkeypatch.setattr("cnnvis_report.models.load.load_model", broken)
    assert "KeyError" in check(tmp_path)


def test_damaged_files_of_train_are_loaded_or_refused(tmp_path: Path) -> None:
    write_trained(tmp_path / "net.pt", described(*trainee("small", "linear")))
    assert not failures(tmp_path / "net.pt", count=28)
