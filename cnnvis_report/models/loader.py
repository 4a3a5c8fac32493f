"""Loaders: each opens one kind of MODEL, such as a file, and announces itself with `@loader`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cnnvis_report.errors import BadRequest, UnusedOption, shown
from cnnvis_report.extensions.registry import Registry
from cnnvis_report.extensions.requirements import not_installed
from cnnvis_report.models.model import Model


@dataclass(frozen=True)
class ModelRequest:
    """What a user asks for.

    text: MODEL as it was typed, with ~ expanded. weights: a file of weights, or FILE#KEY; None for the model's own.
    untrained: whether random weights do, because only shapes are read. trusted: whether the user has said that code
    within the model's files may run. architecture: what a file without one is of: a name that MODEL could be.
    arguments: of the function that makes the network, by name, as they were typed.
    """

    text: str
    weights: Path | None = None
    untrained: bool = False
    trusted: bool = False
    architecture: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)

    def require_trust(self, what: str) -> None:
        """Stop before code from a file is run, unless the user trusts the file.

        Args:
            what: the code, as in "its Lambda layers".

        Raises:
            BadRequest: the user hasn't said so.
        """
        if not self.trusted:
            raise BadRequest(
                f"{self.text}: {what} would run as a program. Give --trust where you trust whoever made the file."
            )

    def options(self) -> dict[str, str]:
        """What is given of the options that only some loaders read; the first one of several."""
        argument = next((f"{name}={text}" for name, text in self.arguments.items()), "")
        return {"--arch": self.architecture, "--arg": argument}

    def refuse_weights(self, name: object) -> None:
        """Refuse a file of weights beside a file or folder that has its own.

        Args:
            name: of that file or folder.
        """
        if self.weights is not None:
            raise UnusedOption("--weights", self.weights.name, f"{name} has weights of its own.")


@dataclass(frozen=True)
class Way:
    """A row of the documentation's table.

    held_as: how people hold a network. command: MODEL and the options for it, as in "resnet18 --weights FILE".
    checked: what is compared before anything is explained.
    """

    held_as: str
    command: str
    checked: str


@dataclass(frozen=True)
class Loader:
    """One kind of MODEL.

    title: what it opens, as in "a classifier of torchvision". example: what a user may type. matches: of the text that
    a user typed: True where this loader opens it, False where it is of another kind, a sentence where it is of this
    kind and can't be opened. load: opens it. order: loaders are asked from low to high. requires: modules that it
    imports. install: what pip installs to have them. ways: rows of the documentation's table. reads: which of --arch
    and --arg it makes use of.
    """

    name: str
    title: str
    example: str
    matches: Callable[[str], bool | str]
    load: Callable[[ModelRequest], Model]
    order: int
    requires: tuple[str, ...] = ()
    install: str = ""
    ways: tuple[Way, ...] = ()
    reads: tuple[str, ...] = ()

    def check_options(self, request: ModelRequest) -> None:
        """Refuse options that it would pass over in silence."""
        for option, value in request.options().items():
            if value and option not in self.reads:
                raise UnusedOption(
                    option, shown(value), f"{request.text} is {self.title}, which has no use for {option}."
                )

    def check_installed(self, model: str) -> None:
        """Look for the modules that it needs, without importing them.

        Raises:
            BadRequest: one isn't installed; the message says how to install it.
        """
        if absent := not_installed(self.requires, self.install, "needed to load it and "):
            raise BadRequest(f"{model}: {absent}")


LOADERS = Registry[Loader]("loader", group="cnnvis_report.loaders", package="cnnvis_report.models.loaders")

LoadFunction = Callable[[ModelRequest], Model]


def loader(
    *,
    title: str,
    example: str,
    matches: Callable[[str], bool | str],
    order: int = 50,
    requires: tuple[str, ...] = (),
    install: str = "",
    ways: tuple[Way, ...] = (),
    reads: tuple[str, ...] = (),
) -> Callable[[LoadFunction], LoadFunction]:
    """Announce a function `(request: ModelRequest) -> Model` as what opens one kind of MODEL.

    The function's name is the loader's. Files are a stranger's: nothing in them may run before
    `request.require_trust`, and what goes wrong is a `BadRequest` of one line. The network is on the CPU, in any mode
    and of any type: `load_model` refuses values that aren't finite, and sets eval mode and float32.

    Args:
        title: what it opens, as messages say it, such as "a classifier of torchvision".
        example: what a user may type, such as "resnet50".
        matches: of the text that a user typed, without opening the network: True where this loader opens it, False
            where it is of another kind, a sentence where it is of this kind and can't be opened.
        order: loaders are asked from low to high, and the first one whose kind it is decides. Names of torchvision
            are asked for at 10, files at 20, names of functions at 90.
        requires: modules that are imported while loading; `load_model` looks for them first.
        install: what pip has to install to have them, such as "cnnvis-report[timm]".
        ways: rows of the table in docs/inputs.md.
        reads: which of "--arch" and "--arg" it makes use of; others are refused.

    Raises:
        BadRequest: another module has a loader of this name.
    """

    def announce(function: LoadFunction) -> LoadFunction:
        name = function.__name__
        entry = Loader(name, title, example, matches, function, order, requires, install, ways, reads)
        LOADERS.add(name, entry, function.__module__)
        return function

    return announce


def loaders() -> tuple[Loader, ...]:
    """All loaders in the order in which they are asked."""
    return tuple(sorted(LOADERS.entries().values(), key=lambda entry: (entry.order, entry.name)))
