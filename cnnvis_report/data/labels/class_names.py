"""Classes by what people call them: names, synonyms, ids, indices."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from cnnvis_report.data.labels.class_table import WORDNET_ID
from cnnvis_report.data.plain_names import plain
from cnnvis_report.errors import BadRequest, UnknownName

IMAGENET = 1000
LONGEST_INDEX = 20  # digits
YES_OR_NO = (("neg", "no", "false"), ("pos", "yes", "true"))  # of a binary network whose classes nobody has named
ALIKE = 0.9  # of the names, from which on 1000 classes are taken for ImageNet's


@dataclass(frozen=True)
class Prediction:
    """What a word stands for: the classes that may be meant, one where it is plain, and whether an index was read."""

    indices: tuple[int, ...] = ()
    by_index: bool = False

    @property
    def index(self) -> int | None:
        """The one class that is meant; None where there is none, or more than one."""
        return self.indices[0] if len(self.indices) == 1 else None


class Classes:
    """The classes of a network, found by what people call them.

    By the name itself; else whatever its case, blanks, underscores and hyphens; else by one of several names with
    commas between them, of either; else by an id such as n01440764; else by an index.

    Args:
        names: in index order.
        aliases: what else each class is called, class by class; nothing where nothing is known.
    """

    def __init__(self, names: Sequence[str], aliases: Sequence[Sequence[str]] = ()) -> None:
        self.names = tuple(names)
        self._aliases = aliases

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """ImageNet's ids in index order, where the classes are ImageNet's."""
        return _ids(self.names, self._aliases)

    @cached_property
    def _tables(self) -> "tuple[_Table, _Table, _Table, _Table]":
        """By the name itself, by what is alike, by what else it is called, and by a part; made when first asked for."""
        exact, alike, other, part = (_Table() for _ in range(4))
        for index, name in enumerate(self.names):
            bare = name.removesuffix(f" ({index})")  # of two classes of one name
            for called in {name, bare, f"{bare} ({index})"}:
                exact.add(called, index)
                alike.add(plain(called), index)
                for word in _parts(called):
                    part.add(word, index)
            for words in (*self._aliases[index : index + 1], self.ids[index : index + 1]):
                for word in words:
                    other.add(plain(word), index)
        for index, answers in enumerate(YES_OR_NO if self.names == ("negative", "positive") else ()):
            for word in answers:
                other.add(plain(word), index)
        for index, known in enumerate(_imagenet_names() if self.names == imagenet_ids() else ()):
            for word in known:
                part.add(word, index)
        return exact, alike, other, part

    def find(self, word: str, *, indices: bool = True) -> Prediction:
        """The classes that a word may stand for; `indices`: a number that is no class's name is an index."""
        word = word.strip()
        exact, alike, other, part_table = self._tables
        for classes in (exact.get(word), alike.get(plain(word)), other.get(plain(word))):
            if classes:
                return Prediction(tuple(classes))
        parts = {index for part in _parts(word) for index in part_table.get(part)}
        if parts:
            return Prediction(tuple(sorted(parts)))
        if indices and self.is_index(word):
            return Prediction((int(word),), by_index=True)
        return Prediction()

    def is_index(self, word: str) -> bool:
        """Whether a word is a number that a class has."""
        return word.isascii() and word.isdigit() and len(word) < 10 and int(word) < len(self.names)


class _Table:
    def __init__(self) -> None:
        self._indices: defaultdict[str, list[int]] = defaultdict(list)

    def add(self, word: str, index: int) -> None:
        if word and index not in self._indices[word]:
            self._indices[word].append(index)

    def get(self, word: str) -> list[int]:
        return self._indices.get(word, [])


def find_class(wanted: str, names: Sequence[str], aliases: Sequence[Sequence[str]] = ()) -> int:
    """The index of a class by what it is called, or by its index.

    Raises:
        UnknownName: there is no such class.
        BadRequest: the index is out of range, or the name belongs to several classes.
    """
    prediction = Classes(names, aliases).find(wanted)
    if prediction.index is not None:
        return prediction.index
    if prediction.indices:
        raise BadRequest(
            f"{len(prediction.indices)} classes are called {wanted!r}: {', '.join(map(str, prediction.indices))}. "
            "Give an index."
        )
    if wanted.strip().isdigit() and len(wanted) < LONGEST_INDEX:
        raise BadRequest(f"There is no class {wanted.strip()}: the network has {len(names)}, 0 to {len(names) - 1}.")
    raise UnknownName("class", wanted, names)


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """The names, those that several classes share with the index behind them: "crane (134)" and "crane (517)"."""
    counts: defaultdict[str, int] = defaultdict(int)
    for name in names:
        counts[name] += 1
    texts = [f"{name} ({index})" if counts[name] > 1 else name for index, name in enumerate(names)]
    return tuple(texts) if len(set(texts)) == len(texts) else tuple(f"{name} ({at})" for at, name in enumerate(names))


def _parts(name: str) -> set[str]:
    """The names in one with commas between them."""
    return {word for part in name.split(",") if (word := plain(part))}


def _ids(names: Sequence[str], aliases: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """ImageNet's ids, class by class, where these are ImageNet's classes or nobody has named a thousand."""
    if len(names) != IMAGENET or any(WORDNET_ID.fullmatch(alias) for called in aliases for alias in called):
        return ()
    unnamed = all(name == f"class {index}" for index, name in enumerate(names))
    alike = sum(bool(_parts(name) & known) for name, known in zip(names, _imagenet_names(), strict=True))
    return imagenet_ids() if unnamed or alike >= ALIKE * IMAGENET else ()


@lru_cache(maxsize=1)
def imagenet_ids() -> tuple[str, ...]:
    """The WordNet ids of ImageNet's 1000 classes in index order, which is the order of their folders."""
    return tuple(Path(__file__).with_name("imagenet_ids.txt").read_text(encoding="ascii").split())


@lru_cache(maxsize=1)
def _imagenet_names() -> tuple[set[str], ...]:
    from torchvision.models import ResNet18_Weights  # later, so that commands without a network need no torch

    return tuple(_parts(name) | {plain(name)} for name in ResNet18_Weights.IMAGENET1K_V1.meta["categories"])
