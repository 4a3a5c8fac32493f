"""What a run keeps of its maps: what pages show of them, whatever --keep says."""

import json
from pathlib import Path

import numpy as np
import pytest

from cnnvis_report.store import StoredRun, load_run
from cnnvis_report.store.array_files.reduced import color_pixels
from tests.conftest import command

RUN = ("run", "tests.factories:tiny")
FEW = ("--methods", "grad_cam,saliency,guided_backprop,input_x_gradient,random", "--device", "cpu")


@pytest.fixture(scope="module")
def runs(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, StoredRun]:
    """The same run, kept reduced and kept as a whole."""
    folder = tmp_path_factory.mktemp("kept")
    for keep in ("reduced", "full"):
        command(*RUN, drawn, "-o", folder / keep, *FEW, "--keep", keep)
    return {keep: load_run(folder / keep) for keep in ("reduced", "full")}


def test_reduced_maps_are_what_pages_show_of_full_ones(runs: dict[str, StoredRun]) -> None:
    reduced, full = runs["reduced"], runs["full"]
    for small, large in zip(reduced.images(), full.images(), strict=True):
        few, all_channels = reduced.maps(small), full.maps(large)
        np.testing.assert_array_equal(few["picture"], all_channels["picture"])
        for record, whole in zip(small.maps, large.maps, strict=True):
            method, values = full.record.method(record.method), all_channels[record.key]
            assert record.shape == few[record.key].shape == values.shape[-2:] and whole.shape == values.shape
            assert few[record.key].dtype == np.float32
            shown = method.shown(values)
            smallest = float(np.abs(shown).max()) / 2**25
            np.testing.assert_allclose(few[record.key], shown, rtol=2.0**-11, atol=smallest)
            assert record.colors is (record.method == "guided_backprop")
            if record.colors:
                np.testing.assert_array_equal(few[f"{record.key}/color"], color_pixels(values))


def test_what_was_measured_doesn_t_depend_on_what_is_kept(runs: dict[str, StoredRun]) -> None:
    pairs = zip(*(run.images() for run in runs.values()), strict=True)
    assert all(one.metrics == other.metrics and one.targets == other.targets for one, other in pairs)


def test_a_page_of_reduced_maps_draws_the_same_pictures(runs: dict[str, StoredRun]) -> None:
    def data(run: StoredRun) -> dict[str, dict[str, object]]:
        image = next(run.images())
        text = (run.folder / "data" / f"{image.id}.js").read_text(encoding="utf-8")
        maps = json.loads(text[text.index("{") : text.rindex("}") + 1])["maps"]
        return {method: next(iter(next(iter(layers.values())).values())) for method, layers in maps.items()}

    reduced, full = data(runs["reduced"]), data(runs["full"])
    assert reduced.keys() == full.keys()
    assert reduced["guided_backprop"]["picture"] == full["guided_backprop"]["picture"]
    assert all(reduced[method]["peak"] == full[method]["peak"] for method in ("grad_cam", "saliency"))


def test_a_run_that_is_kept_otherwise_is_made_again(runs: dict[str, StoredRun], drawn: Path, tmp_path: Path) -> None:
    command(*RUN, drawn, "-o", tmp_path / "r", *FEW)
    command(*RUN, drawn, "-o", tmp_path / "r", *FEW, "--keep", "full")
    run, full = load_run(tmp_path / "r"), runs["full"]
    assert run.record.keep == "full" and run.record.files == full.record.files
