"""Maps of one method, with or without what it states of them."""

from typing import Any

import torch

from cnnvis_report import explain
from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods.selection import select


def only(network: Any, images: Any, targets: Any, name: Any, **options: Any) -> Any:
    return explain(network, images, targets, [name], **options)[name]


def noted(
    network: Any,
    images: Any,
    targets: Any,
    name: Any,
    *,
    capacity: Any = None,
    reference: Any = None,
    seed: Any = 0,
    **options: Any,
) -> Any:
    """A method's maps and what it states, for targets [N, K]."""
    (entry,) = select([name])
    subject = Subject(network, images[:1])
    layers = [subject.default_layer] if subject.default_layer else []
    tape = Tape(subject, images, layers=layers, capacity=capacity, reference=reference, seed=seed)
    with tape.costs.measure() as account, torch.no_grad():
        if entry.batched_targets:
            maps = entry.function(tape, targets, **options)
        else:
            maps = torch.stack([entry.function(tape, column, **options) for column in targets.unbind(1)], 1)
    return maps, account.notes, account


@torch.no_grad()
def scores(network: Any, images: Any) -> Any:
    return network(images.clone())
