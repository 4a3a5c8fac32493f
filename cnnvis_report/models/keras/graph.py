"""A network of Keras's graph: layers that run one after the other, each on results of those before."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from cnnvis_report.models.keras.axes import Read


@dataclass(frozen=True)
class Step:
    """One call of a layer: its name among the children, what it reads, and the number that its result gets."""

    child: str
    inputs: tuple[Read, ...]
    output: int


class KerasGraph(nn.Module):
    """Layers by Keras's names, and the calls that lead from the images, tensor 0, to the result.

    A layer that is called several times is one child. Models within the model are graphs themselves.

    title: the model's name in Keras. task: what it does, where its last activation says it.
    """

    title: str
    task: str

    def __init__(self, title: str, layers: dict[str, nn.Module], steps: Sequence[Step], output: Read) -> None:
        super().__init__()
        self.title, self.task = title, ""
        for name, layer in layers.items():
            self.add_module(name, layer)
        self.steps = tuple(steps)
        self.output = output
        last = {read.number: index for index, step in enumerate(self.steps) for read in step.inputs}
        last.pop(output.number, None)
        self._unused = [[number for number, step in last.items() if step == index] for index in range(len(self.steps))]

    def forward(self, images: Tensor) -> Tensor:
        """Run all layers on images [N, C, H, W]."""
        tensors = {0: images}
        for step, unused in zip(self.steps, self._unused, strict=True):
            layer = self._modules[step.child]
            assert layer is not None
            tensors[step.output] = layer(*[read(tensors[read.number]) for read in step.inputs])
            for number in unused:
                del tensors[number]
        return self.output(tensors[self.output.number])
