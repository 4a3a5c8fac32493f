"""What the channels of the layers do over the image set, in numbers and sentences."""

from collections.abc import Mapping
from dataclasses import dataclass

from cnnvis_report.records.inspection import ChannelStatsRecord, InspectionRecord
from cnnvis_report.report.views import formatting as fmt


@dataclass(frozen=True)
class ChannelStats:
    """The channels of a layer: how many are dead, saturated and duplicates, and which these are."""

    record: ChannelStatsRecord
    address: str
    counts: list[tuple[int, str]]


def channel_stats(record: ChannelStatsRecord, addresses: Mapping[str, str]) -> ChannelStats:
    """The channels of a layer; addresses are of the layers' sections, by name."""
    counts = []
    for amount, channels in zip((record.dead, record.saturated, record.duplicates), record.examples, strict=True):
        more = " …" if amount > len(channels) else ""
        counts.append((amount, ", ".join(map(str, channels)) + more if amount else ""))
    return ChannelStats(record, addresses.get(record.layer, ""), counts)


def stats_chart(inspection: InspectionRecord) -> dict[str, list[str] | list[float]]:
    """Columns for the chart: layers, and shares of their channels or values."""
    stats = inspection.channel_stats
    return {
        "layers": [layer.layer for layer in stats],
        "dead": [round(layer.dead / layer.channels, 5) for layer in stats],
        "saturated": [round(layer.saturated / layer.channels, 5) for layer in stats],
        "duplicates": [round(layer.duplicates / layer.channels, 5) for layer in stats],
        "active": [layer.active_fraction for layer in stats],
    }


def findings(inspection: InspectionRecord) -> list[str]:
    """What the channel statistics say, in sentences: the layers with most of each kind first."""
    sentences = []
    for kind, text in (
        ("dead", "{} of {} channels are dead: never above zero on these images"),
        ("duplicates", "{} of {} channels duplicate an earlier one (r ≥ 0.99)"),
        ("saturated", "{} of {} channels are saturated: above zero nearly everywhere"),
    ):
        affected = [
            record
            for record in inspection.channel_stats
            if getattr(record, kind) and (kind != "saturated" or _has_zeros(record))
        ]
        for record in sorted(affected, key=lambda record: -getattr(record, kind) / record.channels)[:3]:
            amounts = fmt.number(getattr(record, kind)), fmt.number(record.channels)
            sentences.append(f"{record.layer}: {text.format(*amounts)}.")
    return sentences


def _has_zeros(stats: ChannelStatsRecord) -> bool:
    """Whether some of a layer's values are zero or below: only then a saturated channel says something."""
    return stats.active_fraction < 0.95
