"""Small networks whose features are tokens, or have their channels last, or are weighed by gates."""

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F


class Encoder(nn.Module):
    """A patch embedding and PyTorch's own transformer encoder.

    Args:
        sequence_first: tokens are L×N×C.
        token: where the class token stands, "first" or "last"; the tokens are averaged where it is "none".
        registers: how many tokens beside it have no position.
    """

    def __init__(self, sequence_first: Any = False, token: Any = "first", registers: Any = 0) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 16, 8, 8)
        layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=not sequence_first, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.extra = nn.Parameter(torch.randn(1 + registers, 1, 16))
        self.head = nn.Linear(16, 5)
        self.sequence_first, self.token = sequence_first, token

    def forward(self, x: Any) -> Any:
        tokens = self.patches(x).flatten(2).permute(2, 0, 1)
        extra = self.extra.expand(-1, len(x), -1)
        if self.token != "none":
            tokens = torch.cat([extra, tokens] if self.token == "first" else [tokens, extra])
        tokens = self.encoder(tokens if self.sequence_first else tokens.transpose(0, 1))
        tokens = tokens if self.sequence_first else tokens.transpose(0, 1)
        return self.head(tokens.mean(0) if self.token == "none" else tokens[0 if self.token == "first" else -1])


class WrittenOut(nn.Module):
    """Patches cut out by a view, and attention as products and a softmax, with separate queries, keys and values."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.token = nn.Linear(192, 12), nn.Parameter(torch.randn(1, 1, 12))
        self.norms = nn.ModuleList(nn.LayerNorm(12) for _ in range(3))
        self.q, self.k, self.v, self.out = (nn.ModuleList(nn.Linear(12, 12) for _ in range(2)) for _ in range(4))
        self.mlp = nn.Sequential(nn.Linear(12, 24), nn.GELU(), nn.Linear(24, 12))
        self.head = nn.Linear(12, 5)

    def forward(self, x: Any) -> Any:
        n, c, h, w = x.shape
        cut = x.reshape(n, c, h // 8, 8, w // 8, 8).permute(0, 2, 4, 3, 5, 1).reshape(n, -1, 64 * c)
        t = torch.cat([self.token.expand(n, -1, -1), self.embed(cut)], 1)
        for norm, q, k, v, out in zip(self.norms, self.q, self.k, self.v, self.out, strict=False):
            y = norm(t)
            t = t + out((q(y) @ k(y).transpose(1, 2) / 12**0.5).softmax(-1) @ v(y))
            t = t + self.mlp(t)
        return self.head(self.norms[2](t)[:, 0])


class ChannelsLast(nn.Module):
    """N×h×w×K from the patches on; as many channels as there are rows."""

    def __init__(self) -> None:
        super().__init__()
        self.patches, self.norm = nn.Conv2d(3, 4, 8, 8), nn.LayerNorm(4)
        self.mix, self.act, self.head = nn.Linear(4, 4), nn.GELU(), nn.Linear(4, 5)

    def forward(self, x: Any) -> Any:
        x = self.patches(x).permute(0, 2, 3, 1)
        return self.head(self.act(self.mix(self.norm(x))).mean((1, 2)))


class Scattered(nn.Module):
    """A few tokens that are no grid."""

    def __init__(self) -> None:
        super().__init__()
        self.patches, self.mix, self.head = nn.Conv2d(3, 4, 8, 8), nn.Linear(4, 4), nn.Linear(4, 5)

    def forward(self, x: Any) -> Any:
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        return self.head(self.mix(tokens[:, torch.tensor([0, 2, 5, 7, 9])]).mean(1))


def stage(before: Any, after: Any, stride: Any = 1) -> Any:
    return nn.Sequential(nn.Conv2d(before, after, 3, stride, 1), nn.ReLU())


class Weighed(nn.Module):
    """Features of two stages, and something beside them that `how` builds and `forward` uses."""

    def __init__(self, how: Any) -> None:
        super().__init__()
        self.first, self.features = stage(3, 8, 2), stage(8, 12)
        self.how, self.head = how, nn.Linear(12, 5)

    def forward(self, x: Any) -> Any:
        early = self.first(x)
        return self.how(self, early, self.features(early))


class Spatial(nn.Module):
    """Attention of one channel, from the mean and the maximum over channels."""

    def __init__(self, squash: Any = torch.sigmoid, residual: Any = False) -> None:
        super().__init__()
        self.gate = nn.Sequential(nn.Conv2d(2, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 1, 7, padding=3))
        self.squash, self.residual = squash, residual

    def forward(self, network: Any, early: Any, x: Any) -> Any:
        gate = self.squash(self.gate(torch.cat([x.mean(1, True), x.amax(1, True)], 1)))
        return network.head((x + x * gate if self.residual else gate * x).mean((2, 3)))


class Full(nn.Module):
    """A gate of all channels at all positions, three convolutions deep."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Sequential(stage(12, 12), stage(12, 12), nn.Conv2d(12, 12, 1))

    def forward(self, network: Any, early: Any, x: Any) -> Any:
        return network.head((x * (1 + self.gate(x).sigmoid())).mean((2, 3)))


class Squeeze(nn.Module):
    """Squeeze and excitation, its sigmoid a clipped line."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.up = nn.Conv2d(12, 4, 1), nn.Conv2d(4, 12, 1)

    def forward(self, network: Any, early: Any, x: Any) -> Any:
        gate = F.hardsigmoid(self.up(F.relu(self.down(x.mean((2, 3), True)))))
        return network.head((x * gate).mean((2, 3)))


class Side(nn.Module):
    """An auxiliary branch of early features, computed last and added to the scores."""

    def __init__(self) -> None:
        super().__init__()
        self.branch, self.scores = nn.Conv2d(8, 20, 1), nn.Linear(20, 5)

    def forward(self, network: Any, early: Any, x: Any) -> Any:
        scores = network.head(x.mean((2, 3)))
        return scores + 0.4 * self.scores(self.branch(early).relu().mean((2, 3)))


class Decoder(nn.Module):
    """A decoder that draws a mask nobody reads; it runs last."""

    def __init__(self) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(12, 2, 4, 2, 1)

    def forward(self, network: Any, early: Any, x: Any) -> Any:
        scores = network.head(x.mean((2, 3)))
        self.mask = self.up(x)
        return scores


class Halved(nn.Module):
    """Half of a convolution's channels weighs the other half."""

    def __init__(self) -> None:
        super().__init__()
        self.both = nn.Conv2d(12, 24, 3, padding=1)

    def forward(self, network: Any, early: Any, x: Any) -> Any:
        value, gate = self.both(x).chunk(2, 1)
        return network.head((value * gate.sigmoid() + F.glu(self.both(x), 1)).mean((2, 3)))


class Pooling(nn.Module):
    """Positions are averaged with weights from a softmax over positions."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Linear(12, 1)

    def forward(self, network: Any, early: Any, x: Any) -> Any:
        tokens = x.flatten(2).transpose(1, 2)
        return network.head((self.weight(tokens).softmax(1).transpose(1, 2) @ tokens)[:, 0])


class Located(nn.Module):
    """A localization network, deeper than the features, says where the classifier looks."""

    def __init__(self) -> None:
        super().__init__()
        self.where = nn.Sequential(stage(3, 8, 2), *(stage(8, 8) for _ in range(4)))
        self.turn, self.classifier = nn.Linear(8, 6), Weighed(lambda network, _, x: network.head(x.mean((2, 3))))

    def forward(self, x: Any) -> Any:
        turn = self.turn(self.where(x).mean((2, 3))).view(-1, 2, 3)
        grid = F.affine_grid(turn, list(x.shape), align_corners=False)
        return self.classifier(F.grid_sample(x, grid, align_corners=False))
