"""Maps of one method, with or without what it states of them."""

import torch

from cnnvis_report import explain
from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods.registry import select


def only(network, images, targets, name, **options):
    return explain(network, images, targets, [name], **options)[name]


def noted(network, images, targets, name, *, capacity=None, reference=None, seed=0, **options):
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
def scores(network, images):
    return network(images.clone())
