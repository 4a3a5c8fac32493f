"""What was found inside the network, as plain data; the arrays lie beside it in the run folder."""

from dataclasses import dataclass

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class KernelRecord:
    """Kernels of a convolution, in the arrays as "kernels/LAYER", [M, S, kh, kw].

    shape: of all the weights. channels: the M kernels that are there. first: whether they read the picture itself.
    """

    layer: str
    shape: tuple[int, ...]
    stride: tuple[int, int]
    first: bool
    channels: tuple[int, ...]


@dataclass(frozen=True)
class ReceptiveFieldRecord:
    """How many rows and columns of the picture one position of a layer sees at most."""

    layer: str
    size: tuple[int, int]


@dataclass(frozen=True)
class ChannelStatsRecord:
    """The channels of a layer over the image set, in the arrays as "health/LAYER": highest, mean, active, twin.

    dead, saturated, twins: how many were never above 0, nearly always above 0, or go with another one.
    active: the share of values above 0. which: the first channels of each of these three kinds.
    """

    layer: str
    channels: int
    dead: int
    saturated: int
    twins: int
    active: float
    which: tuple[tuple[int, ...], ...] = ((), (), ())


@dataclass(frozen=True)
class UnitRecord:
    """A channel where it was strong in an image: its value, where in the layer, and what it sees of the picture.

    box: top, left, bottom, right in pixels.
    """

    image: str
    channel: int
    value: float
    row: int
    column: int
    box: Box


@dataclass(frozen=True)
class TopImagesRecord:
    """A channel's strongest images; pictures of what it sees and of its projections are in the arrays.

    classes: how strongly it is excited at most, in the mean over the images of a class, strongest first.
    """

    layer: str
    channel: int
    units: tuple[UnitRecord, ...]
    classes: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class MaximizedRecord:
    """An input made to excite a unit, in the arrays as "preferred/NUMBER" and its film as "film/NUMBER".

    size: (height, width) in pixels. frames: of the film. reached: what it excites the unit to. best: what the best
    image of the set does, called `best_image`; None where there is none. converged: whether it reached more than that.
    """

    title: str
    layer: str
    channel: int
    size: tuple[int, int]
    frames: int
    reached: float
    best: float | None
    best_image: str
    converged: bool
    curve: tuple[float, ...]


@dataclass(frozen=True)
class InvertedRecord:
    """A picture made to have an image's features at a layer, in the image's arrays as "inverted/LAYER".

    error: the distance of the features as a share of the image's own.
    """

    layer: str
    error: float


@dataclass(frozen=True)
class ClassMapRecord:
    """A class's map, in the image's arrays as "classes/INDEX"; the probability is None where scores are values."""

    index: int
    name: str
    logit: float
    probability: float | None


@dataclass(frozen=True)
class ImageInspection:
    """What the layers hold of one image.

    layers: those that were looked at, in order of running. side: of the feature maps that are kept, larger ones are
    averaged down to so many positions; 0 where none are kept.
    target: the class that relevance is for. units: strongest channels with their projections.
    """

    image: str
    layers: tuple[str, ...]
    side: int
    target: str
    units: tuple[tuple[str, tuple[UnitRecord, ...]], ...]
    classes: tuple[ClassMapRecord, ...]
    inverted: tuple[InvertedRecord, ...] = ()


@dataclass(frozen=True)
class InspectionRecord:
    """The network from within.

    budget: "standard" or "all". image_count: how many the set had. projection_rules: rules of projections that are defined for the
    network, the first shown first. not_applicable: views that aren't there, with the reason.
    """

    budget: str
    image_count: int
    kernels: tuple[KernelRecord, ...]
    receptive_fields: tuple[ReceptiveFieldRecord, ...]
    channel_stats: tuple[ChannelStatsRecord, ...]
    top_images: tuple[TopImagesRecord, ...]
    maximized: tuple[MaximizedRecord, ...]
    images: tuple[ImageInspection, ...]
    projection_rules: tuple[str, ...] = ()
    not_applicable: tuple[tuple[str, str], ...] = ()

    def of(self, image: str) -> ImageInspection | None:
        """What there is of one image; None where it wasn't looked at."""
        return next((each for each in self.images if each.image == image), None)
