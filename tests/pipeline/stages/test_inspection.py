"""What the layers hold: kernels, feature maps, summaries, top images, health, class maps, and how a run keeps them."""

import io
import json
import re
from base64 import b64decode

import numpy as np
import pytest
import torch
from cnnvis_report.report.pictures.focus import BLURS, focus
from cnnvis_report.report.pictures.layers import PAGE, kernel_sheet, kernel_sheet_size, stage_data
from cnnvis_report.report.views.inspection import curve, findings, layer_rows
from PIL import Image, ImageFilter
from torch import nn
from torch.nn import functional as F
from torchvision import models

from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import BadRequest
from cnnvis_report.inspection.channel_stats import ChannelHealth, twins
from cnnvis_report.inspection.class_maps import class_maps
from cnnvis_report.inspection.feature_maps import keep_maps, shrunk
from cnnvis_report.inspection.filters import kernels
from cnnvis_report.inspection.layer_summary import layer_summary
from cnnvis_report.inspection.top_images import TopImages
from cnnvis_report.pipeline.stages.inspection_budget import BUDGETS, choose_look
from cnnvis_report.pipeline.stages.layer_pass import chosen_layers, kept, stages
from cnnvis_report.store import NETWORK, load_arrays, load_inspection, load_run
from tests.conftest import command
from tests.networks import Tiny, seeded

RUN = ("-m", "grad_cam", "--inside", "standard", "-q")


def drawn_at_random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def run(tmp_path_factory, drawn):
    folder = tmp_path_factory.mktemp("inside") / "r"
    command("run", "tests.factories:tiny", drawn, "-o", folder, *RUN)
    return load_run(folder)


def test_kernels_are_the_weights_with_the_largest_norms():
    network = nn.Sequential(
        nn.Conv2d(3, 5, 3),
        nn.ReLU(),
        nn.Conv2d(5, 70, (3, 2), stride=(2, 1)),
        nn.Conv2d(70, 4, 1, groups=2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )
    found = list(kernels(Subject(seeded(network), torch.randn(1, 3, 12, 12))))
    assert [each.layer for each in found] == ["0", "2", "3"] and [each.first for each in found] == [True, False, False]
    assert torch.equal(found[0].values, network[0].weight) and found[0].channels.tolist() == list(range(5))
    weight = network[2].weight.detach()
    expected = sorted(sorted(range(70), key=lambda k: -float(weight[k].norm()))[:64])
    assert found[1].channels.tolist() == expected and found[1].stride == (2, 1) and found[1].shape == (70, 5, 3, 2)
    assert torch.equal(found[1].values, weight[expected])
    last = network[3].weight.detach()
    for row, channel in enumerate(found[2].channels.tolist()):
        best = sorted(sorted(range(35), key=lambda k: -abs(float(last[channel, k])))[:16])
        assert found[2].inputs[row].tolist() == best
        assert torch.equal(found[2].values[row, :, 0, 0], last[channel, best, 0, 0])


def test_a_layer_that_runs_twice_shows_its_kernels_once():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.convolution = nn.Conv2d(3, 3, 3, padding=1)

        def forward(self, x):
            return self.convolution(self.convolution(x)).mean((2, 3))

    assert [each.layer for each in kernels(Subject(seeded(Twice()), torch.randn(1, 3, 8, 8)))] == ["convolution#1"]


def test_kept_maps_are_within_half_a_step():
    values = drawn_at_random(6, 9, 7) * torch.arange(1, 7)[:, None, None]
    values[2] = 4.0
    gradient = drawn_at_random(6, 9, 7, seed=1)
    kept = keep_maps(values, gradient, 100)
    spread = (kept.highest - kept.lowest)[:, None, None]
    back = kept.lowest[:, None, None] + kept.steps / 255 * spread
    assert (np.abs(back - values.numpy()) <= spread / 510 + 1e-6).all()
    np.testing.assert_allclose(kept.mean, values.mean((1, 2)), rtol=1e-5)
    slow = [sum(float(values[k, i, j] * gradient[k, i, j]) for i in range(9) for j in range(7)) for k in range(6)]
    np.testing.assert_allclose(kept.relevance, slow, rtol=1e-4)
    assert not keep_maps(values, None, 100).relevance.any()


def test_large_maps_are_averaged_over_areas():
    values = drawn_at_random(2, 8, 16)
    small = shrunk(values, 4)
    expected = torch.stack(
        [values[:, 4 * i : 4 * i + 4, 4 * j : 4 * j + 4].mean((1, 2)) for i in range(2) for j in range(4)], 1
    )
    torch.testing.assert_close(small.flatten(1), expected)
    assert shrunk(values, 16) is values


@pytest.mark.parametrize("shape", [(5, 4, 6), (1, 7, 3), (3, 1, 9)])
def test_a_layer_summary_equals_its_definition(shape):
    values = drawn_at_random(*shape).double()
    away = np.zeros(shape[1:])
    for i in range(shape[1]):
        for j in range(shape[2]):
            for channel in values.numpy():
                away[i, j] += abs(channel[i, j] - channel.mean()) / shape[0]
    expected = (away - away.min()) / (away.max() - away.min())
    np.testing.assert_allclose(layer_summary(values).numpy(), expected, atol=1e-12)
    assert not layer_summary(torch.full(shape, 3.0)).any(), "nothing stands out where all is alike"


def test_top_images_equal_a_search_through_all():
    batches = [drawn_at_random(3, 4, 5, 6, seed=seed) for seed in range(5)]
    batches[3][1] = batches[1][1]  # equal values: the earlier image comes first
    classes = [[0, 1, -1], [1, 1, 2], [0, 0, 0], [2, 1, 0], [-1, -1, 1]]
    tops = TopImages(["a"], n=4)
    for values, named in zip(batches, classes, strict=True):
        tops.add("a", values, named)
    every = torch.cat(batches)
    found = tops.top("a")
    for channel in range(4):
        peaks = [float(image[channel].max()) for image in every]
        order = sorted(range(len(every)), key=lambda place: (-peaks[place], place))[:4]
        assert found.images[channel].tolist() == order
        for rank, place in enumerate(order):
            row, column = int(found.rows[channel, rank]), int(found.columns[channel, rank])
            assert (
                float(every[place, channel, row, column])
                == float(found.values[channel, rank])
                == pytest.approx(peaks[place])
            )
    flat = [index for named in classes for index in named]
    for index, values in tops.excitement("a").items():
        mine = every[[place for place, each in enumerate(flat) if each == index]]
        torch.testing.assert_close(values, mine.flatten(2).amax(2).mean(0))
    assert set(tops.excitement("a")) == {0, 1, 2}


def test_the_health_of_channels_whose_fate_is_known():
    values = drawn_at_random(6, 7, 8, 8).relu()
    values[:, 1] = 0.0  # dead
    values[:, 2] += 0.1  # never switched off
    values[:, 4] = values[:, 0] * 3  # goes with the first
    values[:, 5] = -values[:, 0]  # goes against it, which is no double
    health = ChannelHealth(6)
    for part in (values[:4], values[4:]):
        health.add(part)
    found = health.found()
    assert found.dead.tolist() == [False, True, False, False, False, True, False]
    assert found.saturated.tolist() == [False, False, True, False, False, False, False]
    assert found.twin.tolist() == [-1, -1, -1, -1, 0, -1, -1]
    torch.testing.assert_close(found.highest, values.amax((0, 2, 3)))
    torch.testing.assert_close(found.mean, values.mean((0, 2, 3)))
    torch.testing.assert_close(found.active, (values > 0).float().mean((0, 2, 3)))


def test_twins_are_those_whose_correlation_is_high():
    samples = drawn_at_random(8, 400)
    samples[6] = samples[2] + 0.1 * samples[7]
    samples[7] = samples[3] + 0.5 * samples[0]
    together = np.corrcoef(samples.double().numpy())
    for channel, twin in enumerate(twins(samples).tolist()):
        alike = [other for other in range(channel) if together[channel, other] >= 0.99]
        assert twin == (alike[0] if alike else -1)
    assert twins(samples).tolist()[6:] == [2, -1]
    assert twins(torch.full((3, 9), 2.0)).tolist() == [-1, -1, -1], "what never varies goes with nothing"


def test_class_maps_average_to_the_logits_without_the_bias():
    network = seeded(Tiny()).eval()
    x = drawn_at_random(2, 3, 16, 12)
    maps = class_maps(Tape(Subject(network, x[:1]), x))
    with torch.no_grad():
        torch.testing.assert_close(maps.mean((2, 3)), network(x) - network.fc.bias, atol=1e-5, rtol=1e-4)


def test_stages_are_what_makes_maps_of_its_own():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.convolution, self.norm = nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4)

        def forward(self, x):
            return F.relu(self.norm(self.convolution(x)) + x)

    network = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.SiLU(inplace=True), nn.Sequential(nn.MaxPool2d(2)), Block(),
        nn.Dropout(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
    )  # fmt: skip
    found = [(layer.name, layer.kind) for layer in stages(Subject(seeded(network), torch.randn(1, 3, 18, 22)))]
    assert found == [
        ("0", "convolution"), ("2", "activation"), ("3.0", "pooling"), ("4.convolution", "convolution"), ("4", "block"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "layers"),
    [("resnet18", ["layer2", "layer3", "layer4"]), ("squeezenet1_1", ["features.4", "features.7", "features"])],
)
def test_three_layers_are_the_last_of_their_size(name, layers):
    network = models.get_model(name, weights=None)
    subject = Subject(network, torch.randn(1, 3, 128, 128))
    found = chosen_layers(subject)
    shapes = [subject.layer(layer).shape[1:] for layer in found]
    assert len(set(shapes)) == 3 and shapes == sorted(shapes, reverse=True)
    assert found[-1] == subject.default_layer
    assert found == layers


def test_maps_are_cut_down_until_they_fit():
    shapes, standard = [(64, 112, 112), (128, 56, 40)], BUDGETS["standard"]
    seen = []
    for many in (1, 2, 20, 200):
        count, side = kept(shapes * many, 4, standard)
        size = count * many * (64 * min(side, 112) ** 2 + 128 * min(side, 56) * round(40 * min(1, side / 56)))
        assert size <= standard.values or (count, side) == (1, 14)
        seen.append((count, side))
    assert seen == sorted(seen, reverse=True) and seen[0] == (4, 10_000) and seen[-1] == (1, 14)


def test_sets_of_methods_look_inside_and_named_ones_on_request():
    assert choose_look("auto", ["standard"]) is BUDGETS["standard"] and choose_look("auto", ["grad_cam"]) is None
    assert choose_look("all", ["grad_cam"]) is BUDGETS["all"] and choose_look("none", ["all"]) is None
    with pytest.raises(BadRequest, match="--inside 'some': it can be"):
        choose_look("some", [])


def test_a_run_keeps_what_the_network_holds(run):
    inside = run.record.inspection
    network = Subject(seeded(Tiny(5)), torch.zeros(1, 3, 40, 40))
    assert inside.images == 6 and len(inside.images) == 4 and not inside.gaps
    assert [each.layer for each in inside.kernels] == ["features.0", "features.3"]
    for looked in inside.images:
        picture = torch.from_numpy(load_arrays(run.folder, looked.image)["picture"]).permute(2, 0, 1) / 255
        x = ((picture - 0.5) / 0.25)[None]
        tape = Tape(network, x, layers=looked.layers)
        target = int(tape.logits.argmax())
        gradients = tape.gradients(torch.tensor([target]))
        arrays = load_inspection(run.folder, looked.image)
        assert looked.layers == tuple(f"features.{place}" for place in range(5))
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


def test_top_images_of_a_run_are_those_of_a_search(run):
    network = Subject(seeded(Tiny(5)), torch.zeros(1, 3, 40, 40))
    images = list(run.images())
    pictures = [
        torch.from_numpy(load_arrays(run.folder, image.id)["picture"]).permute(2, 0, 1) / 255 for image in images
    ]
    tape = Tape(network, torch.stack([(picture - 0.5) / 0.25 for picture in pictures]))
    arrays = load_inspection(run.folder, NETWORK)
    assert run.record.inspection.top_images
    for number, top in enumerate(run.record.inspection.top_images):
        peaks = tape.layer(top.layer)[:, top.channel].flatten(1).amax(1)
        order = [place for place in peaks.argsort(descending=True, stable=True).tolist() if peaks[place] > 0]
        assert [unit.image for unit in top.units] == [images[place].id for place in order]
        for rank, unit in enumerate(top.units):
            top_row, left, bottom, right = unit.box
            seen = arrays[f"top_images/{top.layer}/{top.channel}/{rank}/crop"]
            np.testing.assert_array_equal(
                seen, load_arrays(run.folder, unit.image)["picture"][top_row:bottom, left:right]
            )
            assert arrays[f"top_images/{top.layer}/{top.channel}/{rank}/deconvnet"].shape == seen.shape, number


def test_preferred_inputs_name_the_best_image_of_the_set(run):
    images = list(run.images())
    for each in run.record.inspection.maximized:
        logits = {image.id: score.logit for image in images for score in image.top if score.index == each.channel}
        best = max(logits, key=logits.get)
        assert each.top_image == best and each.top_activation == pytest.approx(logits[best], abs=1e-3)


def test_pages_of_feature_maps_give_the_steps_back(run):
    looked = run.record.inspection.images[0]
    arrays = load_inspection(run.folder, looked.image)
    for content in stage_data(run, looked, None):
        steps = arrays[f"maps/{content['name']}"]
        rows = [
            np.asarray(Image.open(io.BytesIO(b64decode(page.partition(",")[2]))))[..., 0] for page in content["pages"]
        ]
        np.testing.assert_array_equal(np.concatenate(rows).reshape(steps.shape), steps)
        assert len(content["pages"]) == -(-len(steps) // PAGE)
    (small, *_) = stage_data(run, looked, 8)
    assert small["cell"] == [8, 8] and small["shape"] == [6, 40, 40]


def test_kernels_are_drawn_on_one_symmetric_scale_or_each_on_its_own(run):
    record, deeper = run.record.inspection.kernels
    arrays = load_inspection(run.folder, NETWORK)
    below = Image.open(io.BytesIO(kernel_sheet(arrays["kernels/features.3"], deeper, own=False)))
    assert below.size == kernel_sheet_size(deeper), "a page leaves room for it before it is loaded"
    values = arrays["kernels/features.0"]
    for own in (False, True):
        assert Image.open(io.BytesIO(kernel_sheet(values, record, own=own))).size == kernel_sheet_size(record)
        pixels = np.asarray(Image.open(io.BytesIO(kernel_sheet(values, record, own=own))).convert("RGB")).astype(int)
        scale = 26 // 3
        for channel in range(6):
            end = np.abs(values[channel] if own else values).max()
            left = channel * (3 * scale + 6)
            shown = pixels[scale // 2 : 3 * scale : scale, left + scale // 2 : left + 3 * scale : scale]
            expected = (values[channel].transpose(1, 2, 0) / end + 1) * 127.5
            assert np.abs(shown - expected).max() <= 1


def test_the_pages_show_it_all(run):
    page = (run.folder / "inside.html").read_text(encoding="utf-8")
    rows = layer_rows(run.record, run.record.inspection)
    assert [row.layer.name for row in rows if row.shown] == ["features.0", "features.1", "features.3", "features"]
    for row in rows:
        assert re.search(rf">{re.escape(row.layer.name)} ?<", page) and (not row.field or row.field in page)
    assert {row.layer.name: row.field for row in rows}["features.3"] == "8×8", "3, doubled by pooling, and 2 × 2 more"
    for image in run.images():
        text = (run.folder / "images" / f"{image.id}.html").read_text(encoding="utf-8")
        looked = run.record.inspection.of(image.id)
        assert ("data-maps" in text) == (looked is not None)
    addresses = set(re.findall(r'src="(stills/inspection/[^"]+)"', page))
    assert addresses and all((run.folder / address).is_file() for address in addresses)


def test_the_set_of_one_image_says_what_it_lacks(drawn, tmp_path):
    command("run", "tests.factories:tiny", drawn / "circle" / "plain.png", "-o", tmp_path / "r", *RUN)
    inside = load_run(tmp_path / "r").record.inspection
    assert inside.images == 1 and not inside.top_images and inside.images[0].units
    assert "the set has one image" in (tmp_path / "r" / "inside.html").read_text(encoding="utf-8")


def test_a_network_without_maps_says_so(drawn, tmp_path):
    command("run", "tests.factories:flat", drawn, "-o", tmp_path / "r", "-m", "gradient", "--inside", "standard", "-q")
    run = load_run(tmp_path / "r")
    assert (
        run.record.inspection.kernels == ()
        and run.record.inspection.channel_stats == ()
        and run.record.inspection.maximized
    )
    assert "class score maps" in {view for view, _ in run.record.inspection.gaps}


def test_the_same_run_gives_the_same_bytes(run, drawn, tmp_path):
    command("run", "tests.factories:tiny", drawn, "-o", tmp_path / "r", *RUN)
    ours = sorted(path.relative_to(run.folder) for path in run.folder.glob("inspection/*.npz"))
    assert ours and all((tmp_path / "r" / path).read_bytes() == (run.folder / path).read_bytes() for path in ours)
    assert (tmp_path / "r" / "inside.html").read_bytes() == (run.folder / "inside.html").read_bytes()


def test_a_single_file_holds_the_inside_too(run, tmp_path):
    command("render", run.folder, "--single-file")
    page = (run.folder / "index.html").read_text(encoding="utf-8")
    try:
        first = run.record.inspection.images[0].image
        assert 'data-page="inside"' in page and f'data-package="inside-{first}-0"' in page
        assert "stills/inspection" not in page
    finally:
        command("render", run.folder)


def test_findings_and_curves_in_words(run):
    inside = json.loads((run.folder / "run.json").read_text())["run"]["inspection"]
    assert len(inside["channel_stats"]) == 5
    assert all(
        each["examples"] == [[], [], []] for each in inside["channel_stats"] if not each["dead"] + each["saturated"]
    )
    sick = run.record.inspection.channel_stats[1].__class__("layer<1>", 10, 4, 0, 2, 0.5)
    record = run.record.inspection.__class__(**{**run.record.inspection.__dict__, "channel_stats": (sick,)})
    assert findings(record) == [
        "layer<1>: 4 of 10 channels never above zero on these images.",
        "layer<1>: 2 of 10 channels like another one (correlation of 0.99 or more).",
    ]
    points = [tuple(map(float, point.split(","))) for point in curve(run.record.inspection.maximized[0]).split()]
    assert (
        points[0][0] == 0
        and points[-1][0] == 100
        and {y for _, y in points} <= set(np.round(np.arange(0, 30.05, 0.1), 1))
    )


def test_networks_that_deconvnets_do_not_speak_of_show_plain_projections(drawn, tmp_path):
    command("run", "tests.factories:smooth", drawn, "--size", "40", "-o", tmp_path / "r", *RUN)
    inside = load_run(tmp_path / "r").record.inspection
    assert inside.projection_rules == ("gradient",) and inside.top_images and inside.images[0].units
    said = (tmp_path / "r" / "inside.html").read_text(encoding="utf-8")
    assert "No deconvnet projections" in said and "SiLU" in said


@pytest.mark.parametrize("shape", [(30, 40, 3), (30, 40)])
def test_the_focus_picture_is_sharp_where_it_matters(shape):
    picture = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    assert np.array_equal(focus(picture, np.ones(shape[:2], np.float32)), picture)
    softest = np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(BLURS[-1] * 40)))
    assert np.array_equal(focus(picture, np.zeros(shape[:2], np.float32)), softest)
    importance = np.linspace(0, 1, 40, dtype=np.float32)[None].repeat(30, 0)
    found = focus(picture, importance).astype(int)
    levels = [np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(share * 40))) for share in BLURS]
    for column in range(40):
        depth = (1 - float(importance[0, column])) * 4
        low = min(3, int(depth))
        expected = levels[low][:, column] * (1 - (depth - low)) + levels[low + 1][:, column] * (depth - low)
        assert np.abs(found[:, column] - expected).max() <= 0.51


def test_preferred_inputs_of_what_was_named(drawn, tmp_path):
    named = (
        "--prefer",
        "circle+ring",
        "--prefer",
        "features.3:1+2",
        "--prefer",
        "features.0:1:3,4",
        "--unit",
        "features.1:5",
    )
    command("inside", "tests.factories:tiny", drawn, "-o", tmp_path / "r", "-q", *named)
    run = load_run(tmp_path / "r")
    inside = run.record.inspection
    network = Subject(seeded(Tiny(5)), torch.zeros(1, 3, 40, 40))
    pictures = {image.id: load_arrays(tmp_path / "r", image.id)["picture"] for image in run.images()}
    x = torch.stack([torch.from_numpy(each).permute(2, 0, 1) / 255 for each in pictures.values()])
    tape = Tape(network, (x - 0.5) / 0.25)
    values = [
        tape.logits[:, [0, 2]].mean(1),
        tape.layer("features.3")[:, [1, 2]].mean((1, 2, 3)),
        tape.layer("features.0")[:, 1, 3, 4],
        tape.layer("features.1")[:, 5].mean((1, 2)),
    ]
    titles = ["circle and ring", "channels 1 and 2 of features.3", "channel 1 of features.0 at row 3, column 4"]
    assert [each.title for each in inside.maximized] == [*titles, "channel 5 of features.1"]
    for each, found in zip(inside.maximized, values, strict=True):
        assert each.top_activation == pytest.approx(float(found.max()), abs=1e-4)
        assert each.top_image == list(pictures)[int(found.argmax())] and each.activation > each.top_activation
    assert {(top.layer, top.channel) for top in inside.top_images} >= {("features.1", 5)}
    units = dict(inside.images[0].units)
    assert [unit.channel for unit in units["features.1"]] == [5]


def test_preferred_inputs_may_start_from_an_image_in_the_classical_form(drawn, tmp_path):
    wanted = ("--prefer", "circle", "--form", "pixels", "--start", "image")
    command("inside", "tests.factories:tiny", drawn, "-o", tmp_path / "r", "-q", *wanted)
    (found,) = load_run(tmp_path / "r").record.inspection.maximized
    assert found.curve[0] == pytest.approx(found.top_activation, abs=0.5) and found.activation > found.top_activation


def test_without_images_there_are_filters_and_preferred_inputs(tmp_path):
    command("inside", "tests.factories:tiny", "-o", tmp_path / "r", "-q", "--prefer", "ring")
    run = load_run(tmp_path / "r")
    inside = run.record.inspection
    assert run.record.images == 0 and len(inside.kernels) == 2 and not inside.images and not inside.channel_stats
    assert [(each.title, each.top_activation) for each in inside.maximized] == [("ring", None)]
    page = (tmp_path / "r" / "inside.html").read_text(encoding="utf-8")
    assert "No top images: no images were given." in page and "8×8" in page


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (("--unit", "features.9:1"), "No layer is called 'features.9'"),
        (("--unit", "features.0:6"), "has no channel 6: it has 6"),
        (("--unit", "features.0:1:40,2"), "row"),
        (("--unit", "features.0"), "LAYER:CHANNEL"),
        (("--unit", "fc:1"), "has no spatial size"),
        (("--prefer", "triangel"), "Did you mean 'triangle'?"),
        (("--prefer", "features.0:1+77"), "has no channel 77"),
    ],
)
def test_units_that_do_not_exist_give_one_clear_line(drawn, tmp_path, wanted, says):
    result = command("inside", "tests.factories:tiny", drawn, "-o", tmp_path / "r", *wanted, code=2)
    assert says in result.stderr and len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "r").exists()


def test_each_unit_stands_beside_its_own_projections(run):
    looked = run.record.inspection.images[0]
    page = (run.folder / "images" / f"{looked.image}.html").read_text(encoding="utf-8")
    shown = re.findall(r'src="[^"]*/(unit-[^"]+)\.webp"', page)
    ways = ("crop", *run.record.inspection.projection_rules)
    units = [(number, place) for number, (_, units) in enumerate(looked.units) for place in range(len(units))]
    assert shown == [f"unit-{number}-{place}-{way}" for number, place in units for way in ways]


def test_dead_channels_are_named(drawn, tmp_path):
    command("run", "tests.factories:half_dead", drawn, "-o", tmp_path / "r", *RUN)
    health = {each.layer: each for each in load_run(tmp_path / "r").record.inspection.channel_stats}
    assert health["features.1"].examples[0] == (1, 4) and health["features.1"].dead == 2
    assert health["features.1"].examples[2] == (5,), "a channel that equals another"
    page = (tmp_path / "r" / "inside.html").read_text(encoding="utf-8")
    assert '<small title="Which channels">1, 4</small>' in page
    assert "features.1: 2 of 6 channels never above zero on these images." in page


def test_the_plan_says_how_long_the_inside_takes(drawn, tmp_path):
    result = command("run", "tests.factories:tiny", drawn, "-o", tmp_path / "r", *RUN[:-1])
    assert re.search(r"inside the network, standard views: about .+ more", result.stderr)
    assert re.search(r"Inside    .+ on what the layers hold", result.stderr)
    units = 3 * (4 * 4 * 3 + 9 * 6)
    assert BUDGETS["standard"].passes(20, 5) == (20 + 4 + units + 5 * 96, 4 + units + 5 * 96)
    assert BUDGETS["standard"].passes(0, 1000) == (6 * 96, 6 * 96)


def test_all_views_show_every_class(drawn, tmp_path):
    picture = drawn / "circle" / "plain.png"
    words = ("-m", "grad_cam", "--inside", "all", "--unit", "features.3:2", "-q")
    command("run", "tests.factories:tiny", picture, "-o", tmp_path / "r", *words)
    run = load_run(tmp_path / "r")
    (looked,) = run.record.inspection.images
    scores = next(iter(run.images())).top
    assert [each.index for each in looked.classes] == [score.index for score in scores], (
        "all five, the first at the head"
    )
    maps = load_inspection(tmp_path / "r", looked.image)
    for each in looked.classes:
        bias = seeded(Tiny(5)).fc.bias[each.index].item()
        assert maps[f"classes/{each.index}"].mean() == pytest.approx(each.logit - bias, abs=1e-4)
    assert [each.layer for each in looked.inverted] == ["features.1", "features"]
    assert all(each.error < 0.2 for each in looked.inverted)
