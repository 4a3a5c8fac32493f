"""Methods whose maps are the same on this network."""

from collections.abc import Sequence
from math import floor

from cnnvis_report.evidence.measurements import EQUAL, Agreement, Measurements
from cnnvis_report.records.methods import Where
from cnnvis_report.records.network import NetworkRecord
from cnnvis_report.records.run import RunRecord

MOST = 0.9  # of the images, on which two maps agree by EQUAL or more
NEVER_BELOW = 0.99  # rank correlation on every other one: there, rounding may have put equal values in an order
FEWEST = 2  # images, for a statement


def groups(agreement: Agreement, preferred: Sequence[int]) -> list[list[int]]:
    """Rows whose maps are the same, the first of each group the one that stands for it.

    Two rows are the same where they agree by EQUAL or more on MOST images, by NEVER_BELOW on all, and where neither
    has a single value on an image on which the other varies. Each member is the same as the first, so that no chain
    of small differences joins what is far apart.

    Args:
        preferred: all rows, those first that stand for others rather than the other way about.
    """
    groups_of_rows: list[list[int]] = []
    for row in preferred:
        group = next((group for group in groups_of_rows if same(agreement, group[0], row)), None)
        if group is None:
            groups_of_rows.append([row])
        else:
            group.append(row)
    return groups_of_rows


def same(agreement: Agreement, one: int, other: int) -> bool:
    """Whether the maps of two rows are the same."""
    images = int(agreement.images[one, other])
    return (
        images >= FEWEST
        and not agreement.apart[one, other]
        and bool(agreement.equal[one, other] >= MOST * images)
        and bool(agreement.lowest[one, other] >= NEVER_BELOW)
    )


def reason(numbers: Measurements, run: RunRecord, one: int, other: int) -> str:
    """Why the maps of two rows are the same: what was measured, and what theory says of such a network."""
    measured = measured_reason(numbers.agreement, one, other)
    for row, twin in ((one, other), (other, one)):
        (method, layer), (name, twin_layer) = numbers.rows[row], numbers.rows[twin]
        for equality in run.method(method).equals:
            if equality.method == name and _holds(equality.where, run.network, {layer, twin_layer}):
                return f"{equality.because} {equality.where} ({measured})"
    return measured


def _holds(where: Where, network: NetworkRecord, layers: set[str]) -> bool:
    """Whether a network, and what is read of it, is of the kind that an equality asks for."""
    if where is Where.PIECEWISE_LINEAR:
        return network.piecewise_linear
    return bool(network.averaged_layer) and layers <= {"", network.averaged_layer}


def measured_reason(agreement: Agreement, one: int, other: int) -> str:
    """What was measured of two maps that are the same, such as "rank correlation 1.000 on all 16 images"."""
    images, equal = int(agreement.images[one, other]), int(agreement.equal[one, other])
    lowest = floor(float(agreement.lowest[one, other]) * 1000) / 1000
    if equal == images:
        return f"rank correlation {lowest:.3f}{' or more' if lowest < 1 else ''} on all {images} images"
    return f"rank correlation {EQUAL} or more on {equal} of {images} images and {lowest:.3f} or more on the others"
