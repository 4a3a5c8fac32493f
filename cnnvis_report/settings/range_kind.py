"""The kind of the setting that says which values are black and white."""

from dataclasses import dataclass

from cnnvis_report.settings.kinds import Kind, Numbers, Text


@dataclass(frozen=True)
class RangeText(Kind):
    """A text such as "0,4095" or "p1,p99"; a pair of numbers, or of texts, may be given for it."""

    def parse(self, value: object) -> str:
        """The text; whether it is a range is for whoever reads it to say."""
        if isinstance(value, tuple | list) and value and not isinstance(value[0], str):
            return ",".join(f"{number:.17g}" for number in Numbers().parse(value))
        return Text(several=True).parse(value)
