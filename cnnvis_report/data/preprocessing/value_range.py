"""How the deep pictures of a set are read: all alike, so that they can be compared."""

from collections.abc import Sequence
from dataclasses import replace

from cnnvis_report.data.decoding.decode import COLOR, read_spread
from cnnvis_report.data.image_file import FoundImages
from cnnvis_report.data.limit import evenly
from cnnvis_report.data.pixels import UnusablePicture
from cnnvis_report.data.preprocessing.byte_scale import NOMINAL, Spread
from cnnvis_report.data.preprocessing.preprocessing import Levels
from cnnvis_report.records.bands import USUAL

FAR = 4  # bits, by which a picture that has fewer of them becomes nearly black
LOOKED_AT = 24  # pictures, spread over the set; to decode all of them would take as long as to explain some


def find_levels(
    images: FoundImages, known: Levels, option: str = "", channels: int = COLOR
) -> tuple[Levels, tuple[str, ...]]:
    """How pictures of more than 8 bits are read, and what a user has to know of it.

    Args:
        known: the user's range, or what the model was trained with; where it says nothing, the smallest number of bits
            that holds the values of some of the pictures.
        option: of the command, which reads them otherwise; empty where it has none. channels: that the network reads.
    """
    deep = [image for image in images if image.deep]
    many = "1 picture has" if len(deep) == 1 else f"{len(deep)} pictures have"
    if known.range is not None:
        ends = " to ".join(f"{end:g}" for end in known.range)
        return known, (
            (f"{many} more than 8 bits, read from {ends}.",)
            if deep
            else ("A range was given, and no file says that it has more than 8 bits.",)
        )
    if known.percentiles is not None and deep:
        low, high = known.percentiles
        return known, (f"{many} more than 8 bits, each read from its percentile {low:g} to its percentile {high:g}.",)
    if known.bits is not None or not deep:
        return known, ()
    sampled = evenly(deep, LOOKED_AT)
    spreads = []
    for image in sampled:
        try:
            spread = read_spread(image, channels)
        except (UnusablePicture, OSError):  # says so when its turn comes
            continue
        spreads += [] if spread is None else [spread]
    windows = _windows(spreads, option) if known.windows else ()
    spreads = [spread for spread in spreads if not (spread.windowed and known.windows)]
    whole = [spread.bits for spread in spreads if spread.bits is not None]
    unscaled = _unscaled(spreads, option) if channels not in USUAL else ()
    if not whole:
        return known, (*windows, *unscaled)
    looked = "" if len(sampled) == len(deep) else f" of the {len(sampled)} looked at"
    most = max(whole)
    notices = (*windows, *_dark(whole, looked or f" of {len(deep)}", option))
    if most == NOMINAL:
        return replace(known, bits=NOMINAL), (*notices, *unscaled)
    advice = f" {option} 0,{(1 << NOMINAL) - 1} reads them from 0 to {(1 << NOMINAL) - 1}." if option else ""
    return replace(known, bits=most), (
        f"{many} more than 8 bits, and none{looked} a value above {(1 << most) - 1}: read as {most} bits.{advice}",
        *notices,
        *unscaled,
    )


def _windows(spreads: Sequence[Spread], option: str) -> tuple[str, ...]:
    """That files bring the range in which they are read, each its own."""
    windowed = sum(spread.windowed for spread in spreads)
    if not windowed:
        return ()
    of = f"{windowed} of {len(spreads)} images of more than 8 bits" if windowed < len(spreads) else "Images"
    advice = f"; {option} LOW,HIGH, percentiles such as p1,p99, or full read them otherwise" if option else ""
    return (f"{of} are read each in the range that its file brings, as DICOM and NIfTI files do{advice}.",)


def _unscaled(spreads: Sequence[Spread], option: str) -> tuple[str, ...]:
    """That values which no number of bits holds are given to the network as they are."""
    others = [spread for spread in spreads if spread.bits is None]
    ends = min((spread.least for spread in others), default=0.0), max((spread.most for spread in others), default=0.0)
    if ends[0] >= 0 and ends[1] <= 1:
        return ()
    of = f"{len(others)} of {len(spreads)}" if len(others) < len(spreads) else f"the {len(others)}"
    return (
        f"Bands of {of} images looked at have values from {ends[0]:g} to {ends[1]:g}, which are read as they are; "
        f"{option} LOW,HIGH scales them to 0 to 1.",
    )


def _dark(bits: Sequence[int], of: str, option: str) -> tuple[str, ...]:
    """That some pictures have far smaller values than those by which all are read."""
    most = max(bits)
    dark = [depth for depth in bits if depth <= most - FAR]
    if not dark:
        return ()
    least = (1 << max(dark)) - 1
    have, are = ("has", "it is") if len(dark) == 1 else ("have", "they are")
    advice = f"; {option} 0,{least} reads all by theirs" if option else ""
    return (
        f"{len(dark)}{of} pictures of more than 8 bits {have} no value above {least}, and all are read up to "
        f"{(1 << most) - 1}: {are} nearly black{advice}.",
    )
