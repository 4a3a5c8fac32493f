"""The engine: one forward pass, then as many backward passes as there are rules and classes to explain.

A tape holds one batch. Methods read layers and gradients from it; what one has asked for, the next finds there.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol, TypeVar
from zlib import crc32

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, Node, get_gradient_edge
from torch.utils.hooks import RemovableHandle

from cnnvis_report.errors import NotApplicable
from cnnvis_report.graph import recorded
from cnnvis_report.ledger import Ledger, Stated
from cnnvis_report.running import recording
from cnnvis_report.subject import Subject

PIXELS = ""  # what is read where it isn't a layer: the image itself; layers have names that aren't empty
FORWARD = "forward"
T = TypeVar("T")


class Rule(Protocol):
    """Another way back through some of the recorded operations. Hashable: equal rules share their passes."""

    def coverage(self, nodes: Sequence[Node]) -> str:
        """How much of the graph the rule speaks of; raises NotApplicable where it isn't defined."""

    def attach(self, nodes: Sequence[Node]) -> Iterable[RemovableHandle]:
        """Hook the rule onto the nodes until the handles are removed."""


Reads = Mapping[Rule | None, frozenset[str]]
Key = tuple[tuple[int, ...], Rule | None, str]


class Gradients:
    """The gradients of one class score an image under one rule; the backward pass runs when they are first read."""

    def __init__(self, tape: "Tape", targets: Tensor, rule: Rule | None) -> None:
        self._tape, self._targets, self._rule = tape, targets, rule

    @property
    def pixels(self) -> Tensor:
        """[N, C, H, W]: with respect to the images."""
        return self._tape.read(self._targets, self._rule, PIXELS)

    def layer(self, name: str = "") -> Tensor:
        """[N, K, h, w]: with respect to a layer's output; the last convolutional stage where `name` is empty."""
        return self._tape.read(self._targets, self._rule, self._tape.subject.layer(name).name)


class Tape:
    """One batch, run forward once.

    Args:
        subject: the network.
        images: [N, C, H, W], normalised.
        layers: names of the layers whose values or gradients will be read.
        reads: what each rule's gradients will be asked for, where a rehearsal has found that out, so that a
            pass goes no deeper than somebody looks, and none runs twice.
        capacity: the most images that `scores` and `replay` take at a time; N where None.
        seed: what the noise of `noise` comes from, with the image itself.
        within: the tape that this one replays; its open account then bears all passes.
    """

    def __init__(
        self,
        subject: Subject,
        images: Tensor,
        *,
        layers: Iterable[str] = (),
        reads: Reads | None = None,
        capacity: int | None = None,
        seed: int = 0,
        within: "Tape | None" = None,
    ) -> None:
        self.subject = subject
        self.images = images.detach()
        self.seed = seed
        self.capacity = max(capacity or 0, len(images))
        self.ledger: Ledger = within.ledger if within else Ledger(_waiting_for(images.device))
        self._share = len(images) / len(within.images) if within else 1.0
        self._private = within is not None
        self._reads = dict(reads or {})
        self._layers = list(dict.fromkeys(subject.layer(name).name for name in layers))
        self._gradients: dict[Key, Tensor] = {}
        self._passes: dict[Key, Hashable] = {}
        self._book(FORWARD, self._run, forward=1.0)

    @property
    def logits(self) -> Tensor:
        """[N, classes]: the scores of the images."""
        self._use(FORWARD)
        return self._logits

    @property
    def black(self) -> Tensor:
        """[C, 1, 1]: a black pixel as the network reads it."""
        return self.subject.preprocessing.black(self.images)

    def layer(self, name: str = "") -> Tensor:
        """[N, K, h, w]: the value of a layer; the last convolutional stage where `name` is empty.

        Raises:
            UnknownName, NotApplicable: as `Subject.layer`.
        """
        name = self.subject.layer(name).name
        self._use(FORWARD)
        self._capture(name)
        return self._values[name]

    def score_layer(self) -> tuple[Tensor, Tensor]:
        """The feature maps [N, K, h, w] that are averaged before the last layer, and its weight [classes, K].

        Raises:
            NotApplicable: the network ends otherwise.
        """
        place = self.subject.score_layer()
        maps = self.layer(place.layer)
        return (maps.relu() if place.rectified else maps), place.weight

    def gradients(self, targets: Tensor, rule: Rule | None = None) -> Gradients:
        """The gradients of the scores of `targets` with respect to pixels and layers.

        Args:
            targets: [N], a class index an image.
            rule: another way back through some operations; None for the gradient itself.

        Raises:
            NotApplicable: the rule isn't defined for an operation of this network.
        """
        if rule is not None:
            self.note(coverage=rule.coverage(self._nodes))
        return Gradients(self, targets, rule)

    def scores(self, images: Tensor) -> Tensor:
        """[M, classes]: the scores of other images [M, C, H, W], by forward passes of `capacity` images."""

        def run() -> Tensor:
            with recording(), torch.no_grad():
                return torch.cat([self.subject.forward(part) for part in torch.split(images, self.capacity)])

        return self._book(None, run, forward=len(images) / len(self.images))

    def replay(self, images: Tensor) -> "Tape":
        """A tape of other images [M, C, H, W], whose passes the method that runs has for itself."""
        return Tape(self.subject, images, capacity=self.capacity, seed=self.seed, within=self)

    def noise(self, draws: int) -> Iterator[Tensor]:
        """So many draws of standard normal noise [N, C, H, W].

        It depends on the seed and on the image alone, not on its neighbours, its place in the batch or the device.
        """
        generators = [noise_generator(image, self.seed) for image in self.images]
        shape, dtype = self.images.shape[1:], self.images.dtype
        for _ in range(draws):
            drawn = [torch.randn(shape, generator=generator, dtype=dtype) for generator in generators]
            yield torch.stack(drawn).to(self.images.device)

    def note(self, **stated: Stated) -> None:
        """State something of the method that runs: a word, a number, or a tensor [N] or [N, K] with one for each."""
        self.ledger.note(**stated)

    def read(self, targets: Tensor, rule: Rule | None, what: str) -> Tensor:
        """One gradient: of the pixels where `what` is empty, of the layer called so otherwise."""
        wanted = (tuple(targets.tolist()), rule)
        if (*wanted, what) not in self._gradients:
            found = {what, *self._reads.get(rule, ())} - {seen[2] for seen in self._passes if seen[:2] == wanted}
            key = (*wanted, frozenset(found))
            gradients = self._book(key, lambda: self._backward(targets, rule, sorted(found)), backward=1.0)
            for name, gradient in gradients.items():
                self._gradients[*wanted, name] = gradient
                self._passes[*wanted, name] = key
        self._use(FORWARD)
        self._use(self._passes[*wanted, what])
        return self._gradients[*wanted, what]

    def _run(self) -> None:
        """The forward pass, with the layers' values and the places where their gradients arrive."""
        self._values: dict[str, Tensor] = {}
        self._places: dict[str, GradientEdge | Tensor] = {}

        def keep(name: str, output: Tensor) -> None:
            if output.requires_grad:
                self._places[name] = get_gradient_edge(output)
            self._values[name] = output.detach().clone()  # an operation in place may follow

        with recording():
            leaf = self.images.clone().requires_grad_()
            with self.subject.watching(self._layers, keep):
                self._output = self.subject.forward(leaf)
        self._places[PIXELS] = leaf
        self._logits = self._output.detach()
        self._nodes = recorded(self._output.grad_fn)

    def _capture(self, name: str) -> None:
        """Run once more where nobody said that this layer would be read."""
        if name != PIXELS and name not in self._layers:
            self._layers.append(name)
            self._book(None, self._run, forward=1.0)

    def _backward(self, targets: Tensor, rule: Rule | None, names: list[str]) -> dict[str, Tensor]:
        """One pass back from the scores of the targets to everything named."""
        for name in names:
            self._capture(name)
        places = [self._places.get(name) for name in names]
        onehot = torch.zeros_like(self._logits).scatter_(1, targets.to(self._logits.device).unsqueeze(1), 1.0)
        handles = list(rule.attach(self._nodes)) if rule else []
        try:
            with recording():
                found = torch.autograd.grad(
                    self._output,
                    [place for place in places if place is not None],  # type: ignore[arg-type] # tensors and edges mix
                    grad_outputs=onehot,
                    retain_graph=True,
                    allow_unused=True,
                )
        finally:
            for handle in handles:
                handle.remove()
        if None in places or any(gradient is None for gradient in found):
            raise NotApplicable(f"the score doesn't depend on all of: {', '.join(n or 'the image' for n in names)}")
        return dict(zip(names, found, strict=True))

    def _book(self, key: Hashable, action: Callable[[], T], *, forward: float = 0.0, backward: float = 0.0) -> T:
        share = self._share
        key = None if self._private else key
        with self.ledger.passing(key, forward=forward * share, backward=backward * share):
            return action()

    def _use(self, key: Hashable) -> None:
        if not self._private:
            self.ledger.use(key)


def noise_generator(image: Tensor, seed: int) -> torch.Generator:
    """The source of an image's noise: the run's seed and the image's own values, and nothing else."""
    content = crc32(image.detach().cpu().contiguous().numpy().tobytes())
    return torch.Generator().manual_seed((seed * 1_000_003 + content) % 2**63)


def _waiting_for(device: torch.device) -> Callable[[], None]:
    if device.type == "cuda":
        return lambda: torch.cuda.synchronize(device)
    if device.type == "mps":
        return torch.mps.synchronize
    return lambda: None
