"""What was found inside the network, as plain data; the arrays lie beside it in the run folder."""

from dataclasses import dataclass

Box = tuple[int, int, int, int]
PICTURE_SIDE = 96  # pixels that pictures of units have at most
FRAME_SIDE = 72  # and the steps of an optimization


def longer_side(box: Box) -> int:
    """The longer side of the pixels (top, left, bottom, right) that a position sees."""
    return max(box[2] - box[0], box[3] - box[1])


@dataclass(frozen=True)
class KernelRecord:
    """The kernels of a convolution, in the arrays as "kernels/LAYER", float [M, S, kh, kw].

    layer: the name of the layer.
    shape: of all its weights: (output channels, input channels, height, width).
    stride: (rows, columns).
    first: whether it reads the picture itself.
    channels: the M output channels whose kernels are kept.
    """

    layer: str
    shape: tuple[int, ...]
    stride: tuple[int, int]
    first: bool
    channels: tuple[int, ...]


@dataclass(frozen=True)
class ReceptiveFieldRecord:
    """The receptive field of a layer.

    layer: the name of the layer.
    size: (height, width) in pixels that one position sees at most.
    """

    layer: str
    size: tuple[int, int]


@dataclass(frozen=True)
class ChannelStatsRecord:
    """The channels of a layer over the image set, in the arrays as "channel_stats/LAYER", float [4, K].

    The rows of the array: the largest activation, the mean, the fraction of positions above 0, and the earlier channel
    that a channel duplicates, or -1.

    layer: the name of the layer.
    channels: how many there are (K).
    dead: how many were never above 0.
    saturated: how many were above 0 at 99.9% of the positions or more.
    duplicates: how many have a correlation of 0.99 or more with an earlier channel.
    active_fraction: the fraction of values above 0.
    examples: the first dead, saturated and duplicate channels.
    """

    layer: str
    channels: int
    dead: int
    saturated: int
    duplicates: int
    active_fraction: float
    examples: tuple[tuple[int, ...], ...] = ((), (), ())


@dataclass(frozen=True)
class UnitRecord:
    """Where a channel is strongest in an image.

    image: the image's id.
    channel: from 0.
    value: its activation there.
    row: of the position in the layer, from 0.
    column: of the position in the layer, from 0.
    box: the pixels that the position sees: top, left, bottom, right.
    """

    image: str
    channel: int
    value: float
    row: int
    column: int
    box: Box


@dataclass(frozen=True)
class TopImagesRecord:
    """The images that a channel is strongest in.

    In the arrays, "top_images/LAYER/CHANNEL/N/crop" is what the channel sees of the Nth image, and ".../RULE" its
    projection, both uint8, averaged down to 96 pixels a side unless the budget is "full".

    layer: the name of the layer.
    channel: from 0.
    units: one per image, strongest first.
    classes: the classes of the highest mean of the largest activation, highest first.
    """

    layer: str
    channel: int
    units: tuple[UnitRecord, ...]
    classes: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class MaximizedRecord:
    """Feature visualization: an image that was optimized to maximize a unit's activation.

    In the arrays it is "maximized/N", uint8, and the steps on the way to it are "frames/N", at most 72 pixels a side.

    title: what is maximized, in words: a class, or a channel of a layer.
    layer: the name of the layer; empty for the score of a class.
    channel: of the layer, or the class, from 0.
    size: (height, width) in pixels.
    frames: how many steps are kept.
    activation: what the optimized image excites the unit to.
    top_activation: of the strongest image of the set; None without images.
    top_image: that image's id; empty without images.
    curve: the activation over the optimization, at most 64 values.
    init: what the optimization started from: "noise", or "image" for the strongest image of the set.
    converged: whether it excites the unit more than every image of the set does.
    """

    title: str
    layer: str
    channel: int
    size: tuple[int, int]
    frames: int
    activation: float
    top_activation: float | None
    top_image: str
    curve: tuple[float, ...]
    init: str = "noise"
    converged: bool = True


@dataclass(frozen=True)
class InvertedRecord:
    """A picture optimized to have an image's features at a layer, in the image's arrays as "inverted/LAYER", uint8.

    layer: the name of the layer.
    error: the distance of the features as a fraction of the image's own.
    """

    layer: str
    error: float


@dataclass(frozen=True)
class ClassMapRecord:
    """A class activation map, in the image's arrays as "classes/INDEX", float [h, w].

    index: of the class, from 0.
    name: of the class.
    logit: its score.
    probability: from 0 to 1; None where scores are values.
    """

    index: int
    name: str
    logit: float
    probability: float | None


@dataclass(frozen=True)
class ImageInspection:
    """What the layers compute for one image.

    image: its id.
    layers: those that were inspected, in the order in which they run, blocks alone unless the budget is "full"; in its
        arrays as "summary/LAYER", float [h, w].
    side: the longest side of the feature maps that are kept, "maps/LAYER" and "channels/LAYER"; 0 where none are.
    target: the name of the class that the relevance of channels is for.
    units: by layer, the strongest channels; in its arrays as "units/LAYER/N/crop" and "units/LAYER/N/RULE", uint8.
    classes: class activation maps.
    inverted: pictures with the image's features.
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
    """What the layers of the network compute.

    budget: how much was inspected, by its name in the options, or by the effort that said so.
    image_count: how many images the set had.
    kernels: of the convolutions.
    receptive_fields: layer by layer.
    channel_stats: layer by layer, over the image set.
    top_images: the images that channels are strongest in.
    maximized: images optimized to maximize a class's score or a channel.
    images: what the layers compute for some images.
    projection_rules: the backward rules of projections that apply to this network, the first shown first.
    not_applicable: views that there aren't, with the reason.
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

    @property
    def picture_side(self) -> int:
        """The longest side that pictures of units can have, in pixels."""
        return 10**6 if self.budget == "full" else PICTURE_SIDE

    def of(self, image: str) -> ImageInspection | None:
        """What there is of one image; None where it wasn't looked at."""
        return next((inspected for inspected in self.images if inspected.image == image), None)
