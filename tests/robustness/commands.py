"""Commands that write, made small: what each finds, what it is told, and what it leaves when nothing happens."""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from tests.robustness.faults import FAIL, Event, Fault
from tests.robustness.forking import server

NETWORK = '''"""A network for a few small pictures."""
import torch
from torch import nn


def tiny():
    torch.manual_seed(0)
    body = nn.Sequential(nn.Conv2d(3, 2, 3, padding=1), nn.ReLU())
    network = nn.Sequential(body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 3)).eval()
    network.size, network.mean, network.std = 16, (0.5,) * 3, (0.25,) * 3
    return network
'''
# what a clock, or the state of a file, is in: the same for the same work, but never in the same bytes
LEFT = re.compile(r"/\.(lock|pages-[0-9a-f]{8})$")  # by a program that was killed when its work was done
CLOCKED = {"provenance.js"}


@dataclass(frozen=True)
class Command:
    """A command and what it finds.

    before: commands that leave what it finds. output: what it writes, a file or a folder. damage: what happens to that
    before it is found. once: whether it is refused where its work is done, as it writes into an empty folder alone.
    """

    name: str
    output: str
    arguments: tuple[str, ...]
    before: tuple[tuple[str, ...], ...] = ()
    damage: Callable[[Path], None] = lambda _: None
    once: bool = False

    def prepared(self, folder: Path) -> Path:
        """A folder with what it finds."""
        folder.mkdir()
        (folder / "work").mkdir()
        for each in self.before:
            done = server().run(each, folder / "work", self.output)
            assert done.code == 0, done.said
        self.damage(folder / "work" / self.output)
        return folder / "work"


def lose_an_image(report: Path) -> None:
    """Cut an image's arrays short, and leave behind what a killed program has half written."""
    os.truncate(min((report / "arrays").iterdir()), 100)
    (report / ".run.json.00000000.new").write_text("{")
    (report / "arrays" / ".a.npz.00000000.new").write_bytes(b"PK")
    (report / ".pages-00000000" / "images").mkdir(parents=True)
    (report / ".pages-00000000" / "images" / "a.html").write_text("half")


RUN = ("run", "../../given/net.py:tiny", "../../given/pictures", "-m", "gradient", "-q", "-o", "report")
FULL = (*RUN, "--metrics", "quick", "--inspect", "standard", "--classes", "top:1")
PLAIN = (*RUN, "--metrics", "none", "--inspect", "none", "--classes", "top:2")
TRAIN = ("train", "../../given/set", "-o", "m.pt", "-q", "--device", "cpu", "--augment", "light", "--size", "16")
OLD = (*RUN[:-1], "old", "--metrics", "none", "--inspect", "none", "--classes", "top:1")
COMPARE = ("compare", "old", "report", "-o", "changes", "-q")
COPY = ("render", "report", "--anonymous", "--zip")
FIGURE = ("figure", "report", "-o", "a.svg")
DRAW = ("make-dataset", "shapes", "--size", "24", "-q", "-o", "set")

COMMANDS = {
    "run": (
        Command("a new run", "report", FULL),
        Command("a run over another", "report", FULL, (PLAIN,)),
        Command("a run in shards", "report", (*PLAIN, "--shard-size", "1"), (PLAIN,)),
        Command("a run that keeps no arrays", "report", (*PLAIN, "--keep", "none")),
    ),
    "train": (
        Command("a new training", "m.pt", (*TRAIN, "--epochs", "3", "--checkpoint-epochs", "1,3")),
        Command("a training over another", "m.pt", (*TRAIN, "--epochs", "2"), ((*TRAIN, "--epochs", "1"),)),
    ),
    "render": (
        Command("pages over pages", "report", ("render", "report"), (FULL,)),
        Command("one page over pages", "report", ("render", "report", "--single-file"), (PLAIN,)),
        Command("a repair", "report", ("render", "report", "--repair"), (FULL,), lose_an_image),
    ),
    "compare": (Command("a comparison over another", "changes", COMPARE, (OLD, PLAIN, (*COMPARE, "--pages", "1"))),),
    "share": (
        Command("a copy", "anonymous-report", COPY, (PLAIN,)),
        Command("a copy over another", "anonymous-report", COPY, (PLAIN, (*COPY, "--share", "minimal"))),
    ),
    "export": (
        Command("maps as files", "maps", ("export", "report", "--maps", "csv"), (PLAIN,), once=True),
        Command("a figure over another", "a.svg", (*FIGURE, "--rows", "2"), (PLAIN, (*FIGURE, "--rows", "1"))),
        Command("evidence as text", "evidence.md", ("evidence", "report", "-o", "evidence.md"), (FULL,)),
    ),
    "make-dataset": (
        Command("a new set", "set", (*DRAW, "-n", "6")),
        Command("a set over another", "set", (*DRAW, "-n", "5"), ((*DRAW, "-n", "11", "--seed", "1"),)),
    ),
}


@dataclass(frozen=True)
class Undisturbed:
    """A command, what it finds, its file events, looks among them, and the files that are there before and after it."""

    command: Command
    found: Path
    events: tuple[Event, ...]
    old: dict[str, str]
    new: dict[str, str]

    def again(self, folder: Path) -> Path:
        """Another folder with what it finds."""
        given(folder)
        place = folder / "trial"
        shutil.rmtree(place, ignore_errors=True)
        return Path(shutil.copytree(self.found, place / "work", symlinks=True))


def given(folder: Path) -> None:
    """What the commands read: a network, pictures, and class folders."""
    if (folder / "given").exists():
        return
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(0)
    for place, count in (("pictures", 2), ("set/dark", 6), ("set/light", 6)):
        (folder / "given" / place).mkdir(parents=True)
        for number in range(count):
            pixels = random.integers(0, 200, (16, 16, 3), dtype=np.uint8) + np.uint8(40 * place.endswith("light"))
            Image.fromarray(pixels).save(folder / "given" / place / f"{number}.png")
    (folder / "given" / "net.py").write_text(NETWORK)


@cache
def undisturbed(command: Command) -> Undisturbed:
    """The command as it is when nothing happens to it."""
    folder = Path(_home().name)
    given(folder)
    found = command.prepared(folder / command.name.replace(" ", "-"))
    trial = Undisturbed(command, found, (), {}, {})
    work = trial.again(folder)
    old = files_in(work)
    ended = server().run(command.arguments, work, command.output, Fault(FAIL))  # which never comes
    assert ended.code == 0, ended.said
    return Undisturbed(command, found, ended.events, old, files_in(work))


@cache
def _home() -> "tempfile.TemporaryDirectory[str]":
    """A folder for as long as this process lives."""
    return tempfile.TemporaryDirectory(prefix="robustness-")


def files_in(folder: Path) -> dict[str, str]:
    """A digest of each file, folders too, and of a run all but what the clock tells."""
    return {path.relative_to(folder).as_posix(): _digest(path) for path in sorted(folder.rglob("*"))}


def _digest(path: Path) -> str:
    if path.is_dir():
        return "a folder"
    if path.name in CLOCKED:
        return "told by the clock"
    content = path.read_bytes()
    if path.name == "run.json":
        try:
            run = json.loads(content)
            run["run"]["provenance"] = sorted(run["run"]["provenance"])
            content = json.dumps(run).encode()
        except (ValueError, KeyError, TypeError):
            return "no run"
    return sha256(content).hexdigest()


def differences(found: dict[str, str], right: dict[str, str]) -> str:
    """What isn't as it should be, in a few words; empty where everything is."""
    more = sorted(found.keys() - right.keys())
    less = sorted(right.keys() - found.keys())
    other = sorted(name for name in found.keys() & right.keys() if found[name] != right[name])
    parts = [("left over", more), ("missing", less), ("other bytes", other)]
    return "; ".join(f"{what}: {', '.join(names[:3])} ({len(names)})" for what, names in parts if names)


def goes_on(trial: Undisturbed, work: Path) -> str:
    """What is wrong with the same command, started once more: it ends well, in the same bytes, and leaves no more."""
    again = server().run(trial.command.arguments, work, trial.command.output)
    if again.code and trial.command.once and "isn't empty, and nothing is overwritten" in again.said:
        done = {name: digest for name, digest in files_in(work).items() if not LEFT.search(name)}
        found = differences(done, trial.new)
        return f"refused, and it isn't done: {found}" if found else ""
    if again.code:
        return f"the same command ended with {again.code}: {again.said.strip()[-300:]}"
    found = differences(files_in(work), trial.new)
    return f"the same command: {found}" if found else ""
