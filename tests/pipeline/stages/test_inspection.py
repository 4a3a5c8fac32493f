"""What a run keeps of the layers, and how the pages show it."""

import io
import json
import re
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.inspection.feature_maps import layer_summary
from cnnvis_report.pipeline.inspection.budget import BUDGETS
from cnnvis_report.report.pictures.encode import QUALITIES
from cnnvis_report.report.pictures.feature_maps import SHOWN, STORED, layer_data
from cnnvis_report.report.pictures.kernels import kernel_sheet, kernel_sheet_size
from cnnvis_report.report.views.features.channel_stats import findings
from cnnvis_report.report.views.features.page import curve, features
from cnnvis_report.report.views.formatting import breakable
from cnnvis_report.report.views.links import SiteLinks
from cnnvis_report.report.views.report import Report
from cnnvis_report.store import NETWORK, StoredRun, load_arrays, load_inspection, load_run
from tests.conftest import command
from tests.networks import Tiny, seeded
from tests.pipeline.records import inspection_of
from tests.pipeline.stages.test_inspected_networks import RUN
from tests.report.pictures.decoding import bytes_of, unfiltered


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory, drawn: Path) -> tuple[StoredRun, str]:
    """A run that inspects the network, and what was printed meanwhile."""
    folder = tmp_path_factory.mktemp("inside") / "r"
    result = command("run", "tests.factories:tiny", drawn, "-o", folder, *RUN[:-1])
    return load_run(folder), result.stderr


@pytest.fixture(scope="module")
def run(started: tuple[StoredRun, str]) -> StoredRun:
    return started[0]


def test_a_run_keeps_what_the_network_holds(run: StoredRun) -> None:
    inside = inspection_of(run)
    network = Subject(seeded(Tiny(5)), torch.zeros(1, 3, 40, 40))
    assert inside.image_count == 6 and len(inside.images) == 4 and not inside.not_applicable
    assert [kernels_of_layer.layer for kernels_of_layer in inside.kernels] == ["features.0", "features.3"]
    for looked in inside.images:
        picture = torch.from_numpy(load_arrays(run.folder, looked.image)["picture"]).permute(2, 0, 1) / 255
        x = ((picture - 0.5) / 0.25)[None]
        tape = Tape(network, x, layers=looked.layers)
        target = int(tape.logits.argmax())
        gradients = tape.gradients(torch.tensor([target]))
        arrays = load_inspection(run.folder, looked.image)
        assert looked.layers == ("features.1", "features.2", "features.4"), (
            "a convolution is shown after its activation"
        )
        for name in looked.layers:
            values = tape.layer(name)[0]
            lowest, highest, _, relevance = arrays[f"channels/{name}"]
            spread = (highest - lowest)[:, None, None]
            back = lowest[:, None, None] + arrays[f"maps/{name}"] / 255 * spread
            assert (np.abs(back - values.numpy()) <= spread / 500 + 1e-5).all()
            expected = (values * gradients.layer(name)[0]).sum((1, 2)).numpy()
            np.testing.assert_allclose(relevance, expected, atol=1e-4)
            np.testing.assert_allclose(arrays[f"summary/{name}"], layer_summary(values).numpy(), atol=1e-3)
        for layer, units in looked.units:
            peaks = tape.layer(layer)[0].flatten(1).amax(1)
            assert [unit.channel for unit in units] == peaks.topk(4).indices.tolist()
            for unit in units:
                assert unit.value == pytest.approx(float(peaks[unit.channel]), abs=1e-4)
                assert unit.value == pytest.approx(
                    float(tape.layer(layer)[0, unit.channel, unit.row, unit.column]), abs=1e-4
                )


def test_top_images_of_a_run_are_those_of_a_search(run: StoredRun) -> None:
    network = Subject(seeded(Tiny(5)), torch.zeros(1, 3, 40, 40))
    images = list(run.images())
    pictures = [
        torch.from_numpy(load_arrays(run.folder, image.id)["picture"]).permute(2, 0, 1) / 255 for image in images
    ]
    tape = Tape(network, torch.stack([(picture - 0.5) / 0.25 for picture in pictures]))
    arrays = load_inspection(run.folder, NETWORK)
    assert inspection_of(run).top_images
    for number, top in enumerate(inspection_of(run).top_images):
        peaks = tape.layer(top.layer)[:, top.channel].flatten(1).amax(1)
        order = [index for index in peaks.argsort(descending=True, stable=True).tolist() if peaks[index] > 0]
        assert [unit.image for unit in top.units] == [images[index].id for index in order]
        for rank, unit in enumerate(top.units):
            top_row, left, bottom, right = unit.box
            seen = arrays[f"top_images/{top.layer}/{top.channel}/{rank}/crop"]
            np.testing.assert_array_equal(
                seen, load_arrays(run.folder, unit.image)["picture"][top_row:bottom, left:right]
            )
            assert arrays[f"top_images/{top.layer}/{top.channel}/{rank}/deconvnet"].shape == seen.shape, number


def test_preferred_inputs_name_the_best_image_of_the_set(run: StoredRun) -> None:
    images = list(run.images())
    for maximized in inspection_of(run).maximized:
        logits = {image.id: score.logit for image in images for score in image.top if score.index == maximized.channel}
        best = max(logits, key=lambda image: logits[image])
        assert maximized.top_image == best and maximized.top_activation == pytest.approx(logits[best], abs=1e-3)


def test_pages_of_feature_maps_give_the_values_back(run: StoredRun) -> None:
    looked = inspection_of(run).images[0]
    arrays = load_inspection(run.folder, looked.image)
    for content in layer_data(run, looked, None):
        steps = arrays[f"maps/{content['name']}"]
        rows = np.frombuffer(zlib.decompress(bytes_of(content["data"]), -15), np.uint8).reshape(-1, steps.shape[2])
        levels = unfiltered(rows, content["filter"]).reshape(steps.shape)
        assert np.abs(levels / SHOWN - steps / STORED).max() <= 0.5 / SHOWN + 1e-9
        lowest, highest = arrays[f"channels/{content['name']}"][:2]
        values = lowest[:, None, None] + steps / STORED * (highest - lowest)[:, None, None]
        assert content["end"] == pytest.approx(np.quantile(np.abs(values), 0.99, method="inverted_cdf"), rel=1e-4)
    (small, *_) = layer_data(run, looked, 8)
    assert small["cell"] == [8, 8] and small["shape"] == [6, 40, 40]


def test_kernels_are_drawn_on_one_symmetric_scale_or_each_on_its_own(run: StoredRun) -> None:
    record, deeper = inspection_of(run).kernels
    arrays = load_inspection(run.folder, NETWORK)
    below = Image.open(io.BytesIO(kernel_sheet(arrays["kernels/features.3"], deeper, per_kernel=False)))
    assert below.size == kernel_sheet_size(deeper), "a page leaves room for it before it is loaded"
    values = arrays["kernels/features.0"]
    for own in (False, True):
        assert Image.open(io.BytesIO(kernel_sheet(values, record, per_kernel=own))).size == kernel_sheet_size(record)
        pixels = np.asarray(Image.open(io.BytesIO(kernel_sheet(values, record, per_kernel=own))).convert("RGB")).astype(
            int
        )
        scale = 26 // 3
        for channel in range(6):
            end = np.abs(values[channel] if own else values).max()
            left = channel * (3 * scale + 6)
            shown = pixels[scale // 2 : 3 * scale : scale, left + scale // 2 : left + 3 * scale : scale]
            expected = (values[channel].transpose(1, 2, 0) / end + 1) * 127.5
            assert np.abs(shown - expected).max() <= 1


def test_the_pages_show_it_all(run: StoredRun) -> None:
    page = (run.folder / "features.html").read_text(encoding="utf-8")
    rows = features(Report(run, QUALITIES[0]), SiteLinks("pages/features")).layers
    assert [row.layer.name for row in rows if row.shown] == ["features.0", "features.1", "features"]
    for row in rows:
        name = re.escape(breakable(row.layer.name))
        assert re.search(rf">\s*{name}\s*<", page) and (not row.field or row.field in page)
    assert {row.layer.name: row.field for row in rows}["features.3"] == "8×8", "3, doubled by pooling, and 2 × 2 more"
    for image in run.images():
        text = (run.folder / "images" / f"{image.id}.html").read_text(encoding="utf-8")
        looked = inspection_of(run).of(image.id)
        assert ("data-maps" in text) == (looked is not None)
    addresses = set(re.findall(r'src="(stills/pages/features/[^"]+)"', page))
    assert addresses and all((run.folder / address).is_file() for address in addresses)


def test_the_same_run_gives_the_same_bytes(run: StoredRun, drawn: Path, tmp_path: Path) -> None:
    command("run", "tests.factories:tiny", drawn, "-o", tmp_path / "r", *RUN)
    ours = sorted(path.relative_to(run.folder) for path in run.folder.glob("inspection/*.npz"))
    assert ours and all((tmp_path / "r" / path).read_bytes() == (run.folder / path).read_bytes() for path in ours)
    assert (tmp_path / "r" / "features.html").read_bytes() == (run.folder / "features.html").read_bytes()


def test_a_single_file_holds_the_inside_too(run: StoredRun, tmp_path: Path) -> None:
    command("render", run.folder, "--single-file")
    page = (run.folder / "index.html").read_text(encoding="utf-8")
    try:
        first = inspection_of(run).images[0].image
        assert 'data-page="features"' in page and f'data-package="features-{first}-0"' in page
        assert not re.search(r"src=.stills/", page)
    finally:
        command("render", run.folder)


def test_findings_and_curves_in_words(run: StoredRun) -> None:
    inside = json.loads((run.folder / "run.json").read_text())["run"]["inspection"]
    assert len(inside["channel_stats"]) == 5
    assert all(
        answer["examples"] == [[], [], []]
        for answer in inside["channel_stats"]
        if not answer["dead"] + answer["saturated"]
    )
    sick = inspection_of(run).channel_stats[1].__class__("layer<1>", 10, 4, 0, 2, 0.5)
    record = inspection_of(run).__class__(**{**inspection_of(run).__dict__, "channel_stats": (sick,)})
    assert findings(record) == [
        "layer<1>: 4 of 10 channels are dead: never above zero on these images.",
        "layer<1>: 2 of 10 channels duplicate an earlier one (r ≥ 0.99).",
    ]
    points = [tuple(map(float, point.split(","))) for point in curve(inspection_of(run).maximized[0]).split()]
    assert (
        points[0][0] == 0
        and points[-1][0] == 100
        and {y for _, y in points} <= set(np.round(np.arange(0, 30.05, 0.1), 1))
    )


def test_each_unit_stands_beside_its_own_projections(run: StoredRun) -> None:
    looked = inspection_of(run).images[0]
    page = (run.folder / "images" / f"{looked.image}.html").read_text(encoding="utf-8")
    shown = re.findall(r'src="[^"]*/(unit-[^"]+)\.webp"', page)
    ways = ("crop", *inspection_of(run).projection_rules)
    units = [(number, index) for number, (_, units) in enumerate(looked.units) for index in range(len(units))]
    assert shown == [f"unit-{number}-{index}-{way}" for number, index in units for way in ways]


def test_the_plan_says_how_long_the_inside_takes(started: tuple[StoredRun, str]) -> None:
    _, printed = started
    assert re.search(r"inspection \(standard\): (about .+|less than a second) more", printed)
    assert re.search(r"Inspect   .+ for layers and units", printed)
    units = 3 * (4 * 4 * 3 + 9 * 6)
    assert BUDGETS["standard"].passes(20, 5) == (20 + 4 + units + 5 * 96, 4 + units + 5 * 96)
    assert BUDGETS["standard"].passes(0, 1000) == (6 * 96, 6 * 96)
