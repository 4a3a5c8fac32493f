"""What the channels of the layers do over the image set, in numbers and sentences."""

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from cnnvis_report.records.inspection import ChannelStatsRecord, InspectionRecord
from cnnvis_report.report.charts.axes import Axis, shares_axis
from cnnvis_report.report.charts.lines import Line, lines
from cnnvis_report.report.charts.svg import Words
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


def stats_chart(inspection: InspectionRecord) -> Markup:
    """Shares of the channels, or of the values, of each layer, in the order in which the layers run."""
    stats = inspection.channel_stats
    series = [
        Line("dead", "dead channels", [layer.dead / layer.channels for layer in stats]),
        Line("saturated", "saturated channels", [layer.saturated / layer.channels for layer in stats]),
        Line("duplicates", "duplicate channels", [layer.duplicates / layer.channels for layer in stats]),
        Line("active", "values above zero", [layer.active_fraction for layer in stats]),
    ]
    words = Words("Channels layer by layer", "Shares of channels and of values; the table below has the figures.")
    names = [layer.layer for layer in stats]
    x_axis = Axis("layers, in the order in which they run", -0.5, len(stats) - 0.5, (), lambda at: names[round(at)])
    return lines(words, series, list(range(len(stats))), (x_axis, shares_axis("share")))


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
