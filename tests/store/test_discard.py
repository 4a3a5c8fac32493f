"""--keep none: the pages stay, the arrays go, and what can't be made any more is said."""

from pathlib import Path

import pytest

from cnnvis_report.errors import BadRequest
from cnnvis_report.records.run import Keep
from cnnvis_report.store import NETWORK, load_run
from cnnvis_report.store import discard as discarding
from cnnvis_report.store.repair import repair
from tests.cli.words import one_line
from tests.conftest import command
from tests.store.run_files import FEW, RUN, Stop, files

NONE = (*FEW, "--inspect", "quick", "--keep", "none")


@pytest.fixture(scope="module")
def without(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that keeps no arrays."""
    folder = tmp_path_factory.mktemp("none") / "r"
    command(*RUN, drawn, "-o", folder, *NONE)
    return folder


def test_the_pages_stay_and_the_arrays_go(without: Path) -> None:
    names = files(without)
    assert not [name for name in names if name.endswith(".npz")] and "index.html" in names
    run = load_run(without)
    assert run.record.keep is Keep.NONE and run.record.files == {} and run.record.settings["keep"] == "none"
    images = list(run.images())
    assert len(images) == 6 and all(image.maps for image in images)
    message = r"keeps no arrays \(--keep none\).* --keep reduced"
    with pytest.raises(BadRequest, match=message):
        run.maps(images[0])
    with pytest.raises(BadRequest, match=message):
        run.inspection_arrays(NETWORK)


@pytest.mark.parametrize("words", [("render",), ("figure", "-o", "figure.png"), ("export", "-o", "maps")], ids=str)
def test_what_needs_arrays_says_how_to_have_them(words: tuple[str, ...], without: Path, tmp_path: Path) -> None:
    name, *more = words
    where = [tmp_path / word if "." in word or word == "maps" else word for word in more]
    assert "keeps no arrays (--keep none)" in one_line(command(name, without, *where, code=2))


def test_the_same_command_leaves_a_complete_run_alone(without: Path, drawn: Path) -> None:
    before = files(without)
    result = command(*RUN, drawn, "-o", without, *NONE)
    assert "keeps no arrays; its pages stay as they are" in result.stderr and files(without) == before
    assert repair(without) == [] and files(without) == before


@pytest.mark.parametrize("event", ["write_manifest", "remove"])
def test_a_removal_that_was_stopped_is_made_good(
    event: str, drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise Stop

    with monkeypatch.context() as patch:
        patch.setattr(discarding, event, stop)
        with pytest.raises(Stop):
            command(*RUN, drawn, "-o", tmp_path / "r", *NONE)
    assert load_run(tmp_path / "r").record.keep is (Keep.REDUCED if event == "write_manifest" else Keep.NONE)
    command(*RUN, drawn, "-o", tmp_path / "r", *NONE)
    assert load_run(tmp_path / "r").record.keep is Keep.NONE and not list((tmp_path / "r").rglob("*.npz"))


def test_the_run_is_made_again_where_it_has_to_keep_them(drawn: Path, tmp_path: Path) -> None:
    command(*RUN, drawn, "-o", tmp_path / "r", *NONE)
    result = command(*RUN, drawn, "-o", tmp_path / "r", *NONE[:-1], "reduced")
    assert "Wrote" in result.output
    run = load_run(tmp_path / "r")
    assert run.record.keep is Keep.REDUCED and all(run.maps(image) for image in run.images())
