"""Networks that do what no network should: end the program, hold themselves, change what belongs to everybody."""

import os
import sys
import warnings
from collections.abc import Iterator
from typing import Any, NoReturn, Self

import torch
from torch import Tensor, nn

from tests.networks import Tiny, seeded


class Odd(nn.Module):
    size = 32

    def __init__(self) -> None:
        super().__init__()
        self.inner = seeded(Tiny())

    def forward(self, x: Tensor) -> Any:
        return self.inner(x)


class Exits(Odd):
    def forward(self, x: Tensor) -> Tensor:
        sys.exit(0)


class ExitsAmongOthers(Odd):
    def forward(self, x: Tensor) -> Any:
        return self.inner(x) if len(x) == 1 else sys.exit()


class Ends(BaseException):
    pass


class RaisesWhatEnds(Odd):
    def forward(self, x: Tensor) -> Tensor:
        raise Ends("of it")


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


class RaisesMute(Odd):
    def forward(self, x: Tensor) -> Tensor:
        raise Mute


class Equal(Odd):
    def __eq__(self, other: object) -> bool:
        return self is other


class Alike(nn.ReLU):
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Alike)

    def __hash__(self) -> int:
        return 1


class HoldsAlike(Odd):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = Alike(), Alike()


class HoldsItself(Odd):
    def __init__(self) -> None:
        super().__init__()
        self.inner.me = self


class Endless(Odd):
    def named_modules(self, *args: Any, **kwargs: Any) -> Iterator[tuple[str, nn.Module]]:
        while True:
            yield "again", self


class NoTraining(Odd):
    def train(self, mode: bool = True) -> NoReturn:
        raise RuntimeError("no training here")


class ExitsInEval(Odd):
    def eval(self) -> NoReturn:
        sys.exit(4)


class GivesNothing(Odd):
    def eval(self) -> Self:
        super().eval()
        return None  # type: ignore[return-value]  # what is wrong with it

    def to(self, *args: Any, **kwargs: Any) -> Self:
        super().to(*args, **kwargs)
        return None  # type: ignore[return-value]


class NoState(Odd):
    def state_dict(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError


class ExtraState(Odd):
    version = 3

    def get_extra_state(self) -> dict[str, int]:
        return {"version": self.version}


class Talks(Odd):
    def forward(self, x: Tensor) -> Any:
        for number in range(30):
            print("talking", number)
            warnings.warn(f"warning {number}", stacklevel=1)
        return self.inner(x)


class ChangesInPasses(Odd):
    def forward(self, x: Tensor) -> Any:
        os.chdir("/")
        torch.set_default_dtype(torch.float64)
        scores = self.inner(x)
        torch.set_grad_enabled(False)
        return scores


class ChangesWhenMade(Odd):
    def __init__(self) -> None:
        super().__init__()
        os.chdir("/")
        torch.set_default_dtype(torch.float64)
        torch.set_default_device("meta")
        torch.autograd.set_detect_anomaly(True)
        sys.stdout = sys.stderr
        sys.path.clear()


class RefusesOne(Odd):
    def forward(self, x: Tensor) -> Any:
        assert x.shape[-1] != 48, "48 columns are no good"
        return self.inner(x)


class RefusesGradients(Odd):
    def forward(self, x: Tensor) -> Any:
        features = self.inner.features(x)
        if features.requires_grad and len(x) == 1 and x.shape[-1] == 40:
            features.register_hook(self.refuse)
        return self.inner.fc(self.inner.pool(features).flatten(1))

    def refuse(self, gradient: Tensor) -> NoReturn:
        raise RuntimeError("no gradients here")


def ends() -> NoReturn:
    raise Ends("of it")


def __getattr__(name: str) -> NoReturn:
    if name == "leaves":
        sys.exit(3)
    raise AttributeError(name)
