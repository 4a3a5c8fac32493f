"""What two runs, networks or pieces of code differ in."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from cnnvis_report.pipeline.identity.network import settings_hash
from cnnvis_report.pipeline.identity.source_code import code_hash, network_files
from cnnvis_report.records.identity import Content, Identity, changed_images, changes
from tests.factories import tiny
from tests.networks import Tiny, seeded


def test_logits_are_compared_up_to_rounding() -> None:
    parts = {"weights": "1"}
    row = torch.randn(1000, generator=torch.Generator().manual_seed(0)) * 5
    logits: tuple[tuple[float, ...], ...] = (tuple(row.tolist()), tuple(row.flip(0).tolist()))
    run = Identity(parts, logits, "picture")
    rounded = replace(run, logits=tuple(tuple(value * (1 + 1e-6) for value in rows) for rows in logits))
    assert changes(run, rounded) == []
    first, second = logits
    moved = [tuple(value + 0.05 * (index == 7) for index, value in enumerate(rows)) for rows in logits]
    for others in ((moved[0], second), (first, moved[1]), (), (first[:-1], second)):
        assert changes(run, replace(run, logits=others)) == ["the network's logits"]
    of_another = replace(run, logits=(first, moved[1]), example="another picture")
    assert changes(run, of_another) == [], "another picture has other logits"
    assert changes(Identity(parts, ((None, 1.0),)), Identity(parts, ((2.0, 1.0),))) == ["the network's logits"]


def test_images_are_counted_by_what_became_of_them() -> None:
    before = [Content("a", "1"), Content("b", "2"), Content("b", "3"), Content("c", "4")]
    now = [Content("b", "2"), Content("b", "9"), Content("a", "1"), Content("d", "4")]
    assert changed_images(before, now, whole=True) == ["1 image with another content", "1 image gone", "1 image added"]
    assert changed_images(before[:1], now, whole=False) == [], "a run that was stopped hasn't seen the others"


def test_settings_are_told_alike_by_any_process_and_apart_when_they_differ() -> None:
    def of(**changed: Any) -> str:
        network = seeded(Tiny())
        for name, value in changed.items():
            setattr(network, name, value)
        return settings_hash(network)

    assert of() == of() and of(note=object()) == of(note=object())
    loop: list[object] = []
    loop.append(loop)
    assert of(loop=loop) == of(loop=loop), "objects that hold each other"
    values = [1, 1.0000001, "1", None, (1, 2), [1, {2: 3}], {1, 2}, torch.ones(2), torch.ones(2) * 2, np.ones(2)]
    values += [nn.functional.relu, nn.functional.gelu, lambda x: x + 1, lambda x: x + 2, torch.float32, slice]
    hashes = [of(note=value) for value in values]
    assert len(set(hashes)) == len(hashes)
    strong, weak = (seeded(Tiny()) for _ in range(2))
    weak.fc.register_forward_hook(lambda module, given, output: output / 2)
    assert settings_hash(strong) != settings_hash(weak)
    assert of(training=True) == of(training=False), "the mode is set for every pass"


def test_own_code_is_found_with_all_that_it_imports() -> None:
    names = {path.name for path in network_files(tiny(), "tests.factories:tiny")}
    assert {"networks.py", "factories.py"} <= names
    assert not {"module.py", "conv.py", "subject.py", "functional.py"} & names, "neither PyTorch's nor our own"
    assert network_files(nn.Sequential(nn.Conv2d(3, 3, 3)), "resnet18") == set()


def test_code_is_the_same_in_another_layout(tmp_path: Path) -> None:
    texts = ["x = 1\n", "x = 1  # one\n\n", "x = 2\n", "x = (\n"]
    files = [tmp_path / str(number) / "net.py" for number in range(len(texts))]
    for file, text in zip(files, texts, strict=True):
        file.parent.mkdir()
        file.write_text(text)
    one, commented, two, unreadable = (code_hash([file]) for file in files)
    assert one == commented and len({one, two, unreadable}) == 3
