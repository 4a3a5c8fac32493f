"""Networks as users write them, for `package.module:factory`."""

from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from tests.narrow import layer, present
from tests.networks import Awkward, Tiny, seeded

NAMES = ("circle", "cross", "ring", "square", "triangle")


Network = TypeVar("Network", bound=nn.Module)


def described(network: Network, **attributes: object) -> Network:
    """The network with attributes as users set them, to say what it is given and what it answers."""
    for name, value in attributes.items():
        setattr(network, name, value)
    return network


def tiny() -> Tiny:
    """Five classes of drawn shapes, 40 pixels a side."""
    return described(seeded(Tiny(5)), class_names=NAMES, size=40, mean=(0.5,) * 3, std=(0.25,) * 3)


def awkward() -> nn.Module:
    return seeded(Awkward(5))


def gray() -> nn.Module:
    return seeded(Tiny(4, channels=1))


def smooth() -> nn.Module:
    """SiLU everywhere: the ReLU rules have no answer."""
    network = nn.Sequential(
        nn.Conv2d(3, 6, 3, stride=2), nn.SiLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4)
    )
    return seeded(network)


def flat() -> nn.Module:
    """No layer with a spatial size."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 40 * 40, 8), nn.ReLU(), nn.Linear(8, 5))
    return described(seeded(network), size=40)


class Dictionary(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Conv2d(3, 4, 3)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {"out": self.inner(x), "aux": self.inner(x)}


def strips() -> nn.Module:
    return nn.Conv2d(3, 21, 3, padding=1, stride=(1, 3))


def broken() -> nn.Module:
    network = seeded(Tiny())
    layer(network, "features.0", nn.Conv2d).weight.data[0, 0, 0, 0] = float("nan")
    return network


def detached() -> nn.Module:
    class Detached(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = Tiny()

        def forward(self, x: Tensor) -> Any:
            with torch.no_grad():
                return self.inner(x)

    return Detached()


def nothing() -> str:
    return "no network"


def needs_an_argument(width: int) -> nn.Module:
    return Tiny(width)


def uncopyable() -> nn.Module:
    """Like networks whose weights are worked out from others: copy.deepcopy refuses it."""
    network = tiny()
    return described(network, worked_out=network.fc.weight * 2)


def exacting() -> nn.Module:
    """Takes no other type than float32 within."""

    class Exacting(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            if x.dtype != torch.float32:
                raise RuntimeError("float32 alone")
            return x

    network = tiny()
    network.features.insert(1, Exacting())
    return network


def misled() -> nn.Module:
    """Right in float32, and of the opposite opinion in bfloat16."""

    class Misled(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return -x if x.dtype == torch.bfloat16 else x

    network = tiny()
    network.features.insert(1, Misled())
    return network


def indifferent() -> nn.Module:
    """The same scores for every image."""

    class Indifferent(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return 0 * x + torch.arange(5.0, device=x.device)

    return described(nn.Sequential(tiny(), Indifferent()), class_names=NAMES, size=40, mean=(0.5,) * 3, std=(0.25,) * 3)


def certain() -> nn.Module:
    """A probability of 1 for whatever an image shows, of another class than its neighbor at most."""

    class Certain(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x * 1e-3 + torch.tensor([0.0, 0, 900, 0, 0], device=x.device)

    return described(nn.Sequential(tiny(), Certain()), class_names=NAMES, size=40, mean=(0.5,) * 3, std=(0.25,) * 3)


def wide() -> nn.Module:
    """More channels than a page of feature maps has."""
    network = nn.Sequential(nn.Conv2d(3, 70, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(70, 5))
    return described(seeded(network), size=40)


def half_dead() -> nn.Module:
    """Two channels of the first layer never wake, and the last equals the first."""
    network = tiny()
    first = layer(network, "features.0", nn.Conv2d)
    weights, biases = first.weight.data, present(first.bias).data
    biases[[1, 4]] = -100.0
    weights[5], biases[5] = weights[0], biases[0]
    return network


def bright() -> nn.Module:
    """Ten classes by how bright a picture is: class i is nearest to (i + 0.5) / 10, exactly."""

    class Bright(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.fc = nn.Conv2d(3, 1, 1), nn.Linear(1, 10)
            middle = (torch.arange(10) + 0.5) / 10
            self.conv.weight.data.fill_(1 / 3), present(self.conv.bias).data.zero_()
            self.fc.weight.data[:, 0], self.fc.bias.data = 800 * middle, -400 * middle**2

        def forward(self, x: Tensor) -> Any:
            return self.fc(self.conv(x).relu().mean((2, 3)))

    return described(Bright(), size=8, mean=(0.0,) * 3, std=(1.0,) * 3)


def masked() -> nn.Module:
    """Holds minus infinity in a buffer, as what is added before a softmax does."""
    network = tiny()
    network.register_buffer("mask", torch.full((2, 2), -float("inf")).triu(1))
    return network


class EvenSided(Tiny):
    """Takes no image whose height is odd."""

    def forward(self, x: Tensor) -> Any:
        if x.shape[2] % 2:
            raise ValueError("an odd height")
        return super().forward(x)


def even_sided() -> nn.Module:
    return seeded(EvenSided(4))


def bands(channels: int) -> nn.Module:
    """Four classes of pictures of so many bands, 24 pixels a side."""
    return described(seeded(Tiny(4, channels=channels)), size=24, class_names=("water", "forest", "field", "city"))


def four_bands() -> nn.Module:
    return bands(4)


def seven_bands() -> nn.Module:
    return bands(7)
