"""Numbers in the place of names: of images, classes, layers and the network."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property
from itertools import count
from pathlib import PurePosixPath

from cnnvis_report.models.known_networks.network_names import network_lines
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.run import RunRecord
from cnnvis_report.records.scores import ScoreKind

MODEL = "the model"
SHORTEST = 3  # letters of a name that is looked for within sentences
NAMING = ("model", "architecture", "weights", "class_names", "masks", "target", "transform")  # settings of files
WORD = re.compile(r"\w[\w.-]*\w")

# what parts of layers' names are called in any network; all others may name a network or a project
GENERIC_PART = re.compile(
    r"(?:features?|classifier|layers?|blocks?|stages?|stem|head|body|trunk|backbone|encoder|decoder|embeddings?|neck"
    r"|conv(?:olution)?(?:[123]d)?|bn|(?:batch|layer|group)?_?norm(?:alization)?|ln|relu|gelu|silu|act(?:ivation)?|fc"
    r"|linear|dense|(?:global|avg|max)?_?pool(?:ing)?|drop(?:out)?|downsample|shortcut|proj(?:ection)?|attn|attention"
    r"|mlp|expand|squeeze|reduce|branch|residual|flatten|input|output|logits|denseblock|denselayer|transition)"
    r"(?:_?\d+){0,2}(?:x\d+)?(?:_(?:activation|conv|bn|norm|relu|pool)\d*)?|\d+(?:#\d+)?",
    re.IGNORECASE,
)
# the modules of torch.nn; all others are somebody's own, or name an architecture
GENERIC_TYPE = re.compile(
    r"(?:Lazy|Sync|Adaptive)?(?:Conv(?:Transpose)?|(?:Batch|Instance|Layer|Group|RMS)?Norm|(?:Max|Avg|LP)Pool|Dropout"
    r"|(?:Zero|Constant|Reflection|Replication)Pad|Linear|Bilinear|Identity|Flatten|Unflatten|Upsample|PixelShuffle"
    r"|Softmax|LogSoftmax|Sigmoid|Tanh|ReLU6?|LeakyReLU|PReLU|ELU|CELU|SELU|GELU|SiLU|Mish|Hardswish|Hardsigmoid"
    r"|Hardtanh|Softplus|MultiheadAttention|Sequential|ModuleList|ModuleDict|Embedding|Module)(?:[123]d)?"
)


class Aliases:
    """What stands for each name of a run; a name that turns up later gets the next number.

    Args:
        run: the run. images: all of its images. numbers: of images by their ids, where these are those of another run.
        contents: gets a number for the content of each file and mask, so that those of several runs can be matched.
    """

    def __init__(
        self,
        run: RunRecord,
        images: Iterable[ImageRecord],
        numbers: Mapping[str, int] | None = None,
        contents: dict[str, str] | None = None,
    ) -> None:
        numbers, self._contents = numbers or {}, contents
        others = count(max(numbers.values(), default=0) + 1)
        self._noun = "output" if run.network.kind is ScoreKind.VALUE else "class"
        self._classes = {name: self.class_of(name, index) for index, name in enumerate(run.network.names)}
        self._names: dict[str, str] = {}
        self._files: dict[str, str] = {}
        self._ids: dict[str, str] = {}
        for image in images:
            number = numbers[image.id] if image.id in numbers else next(others)
            self._ids[image.id] = f"image-{number}"
            self._names.setdefault(image.name, f"image {number}")
            for score in (*image.top, *image.targets, *image.predicted, *image.label_scores):
                self._classes.setdefault(score.name, self.class_of(score.name, score.index))
            for label in image.named:
                self._classes.setdefault(label.name, self.class_of(label.name, label.index))
        self._more_images = next(others) - 1
        layers = [layer.name for layer in run.network.layers]
        self.layers = _layer_aliases([*layers, run.network.default_layer, run.network.averaged_layer])
        self._settings = tuple(_names_in_settings(run))
        self._add_counted(run)

    def image(self, name: str) -> str:
        """Such as "image 12" for a file."""
        if name not in self._names:
            self._more_images += 1
            self._names[name] = f"image {self._more_images}"
        return self._names[name]

    def file(self, name: str) -> str:
        """Such as "file 3" for a file that isn't an image of the run."""
        return self._files.setdefault(name, f"file {len(self._files) + 1}")

    def image_id(self, image: str) -> str:
        """Such as "image-12"; of what isn't an image's id, such as that of the network, the id itself."""
        return self._ids.get(image, image)

    def content(self, content: str) -> str:
        """Numbers of a file and its mask where those of several runs are to be matched, else nothing."""
        if self._contents is None:
            return ""
        parts = [part and self._contents.setdefault(part, str(len(self._contents))) for part in content.split("+")]
        return "+".join(parts)

    def class_of(self, name: str, index: int | None = None) -> str:
        """Such as "class 281", counted from 0 as scores are; "label 1" and so on for labels that are no class."""
        if index is not None:
            return f"{self._noun} {index}"
        if name not in self._classes:
            labels = sum(alias.startswith("label ") for alias in self._classes.values())
            self._classes[name] = f"label {labels + 1}"
        return self._classes[name]

    def layer(self, name: str) -> str:
        """The name of a layer, with a number for each part that isn't called so in any network."""
        return self.layers.get(name, name)

    def type(self, name: str) -> str:
        """The type of a module, where it is one of PyTorch's."""
        return name if GENERIC_TYPE.fullmatch(name) else "Module"

    def method_at(self, name: str) -> str:
        """A method's name, with @ and its layer where it has one."""
        method, at, layer = name.partition("@")
        return f"{method}{at}{self.layer(layer)}" if at else name

    def text(self, sentence: str) -> str:
        """A sentence with aliases in the place of all names that are in it."""
        changed = self._pattern.sub(lambda match: self._secrets[match[0]], sentence) if self._secrets else sentence
        return WORD.sub(lambda match: MODEL if _is_network(match[0]) else match[0], changed)

    def _add_counted(self, run: RunRecord) -> None:
        """Number what only counts and lists of the run name."""
        for skipped in run.skipped:
            self.file(skipped.name)
        for label, predicted, _ in run.predictions.confusion if run.predictions else ():
            self.class_of(label), self.class_of(predicted)
        for counts in run.training.counts if run.training else ():
            self.class_of(counts.name)
        for errors in (run.predictions, run.label_predictions):
            for error in errors.misclassified if errors else ():
                self.image(error.name)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        names = "|".join(map(re.escape, sorted(self._secrets, key=len, reverse=True)))
        return re.compile(rf"(?<!\w)(?:{names})(?!\w)")

    @cached_property
    def _secrets(self) -> dict[str, str]:
        """All names that sentences may have, with what stands for each."""
        secrets = dict.fromkeys(self._settings, MODEL)
        for names in (self._names, self._files):
            for name, alias in names.items():
                path = PurePosixPath(name)
                secrets |= dict.fromkeys((*path.parts[:-1], path.stem), alias) | {path.name: alias, name: alias}
        secrets |= {name: alias for name, alias in self.layers.items() if name != alias}
        secrets |= self._classes
        return {name: alias for name, alias in secrets.items() if len(name) >= SHORTEST and not name.isdecimal()}


def _is_network(word: str) -> bool:
    """Whether it is a name as torchvision and timm have it, such as "resnet50" and "resnet50.a1_in1k"."""
    return word.lower().partition(".")[0] in known_networks()


@cache
def known_networks() -> frozenset[str]:
    """The names of the networks of torchvision and timm, small."""
    return frozenset(name.rpartition("/")[2].lower() for _, _, names in network_lines() for name in names)


def _layer_aliases(names: Iterable[str]) -> Mapping[str, str]:
    """Layers' names with each of their parts, where it isn't a general word, numbered in the order of the network."""
    numbers: dict[str, str] = {}
    aliases: dict[str, str] = {}
    for name in names:
        parts = [
            part if GENERIC_PART.fullmatch(part) else numbers.setdefault(part, f"module{len(numbers) + 1}")
            for part in name.split(".")
        ]
        aliases[name] = ".".join(parts) if name else ""
    return aliases


def _names_in_settings(run: RunRecord) -> Iterator[str]:
    """Names that settings give: of the model, of files and folders, each whole and without its suffix."""
    title, labels, images = (run.settings.get(key) for key in ("title", "labels", "images"))
    if isinstance(title, str):
        yield title
    values = [run.network.name, *(run.settings.get(key) for key in NAMING)]
    values += [labels] if isinstance(labels, str) and "." in labels else []  # a file; else one of a few words
    values += list(images) if isinstance(images, list | tuple) else []
    for value in values:
        if isinstance(value, str) and value.strip(". "):
            yield value
            yield from filter(None, re.split(r"[/\\:@#]", value))
            yield PurePosixPath(value).stem
