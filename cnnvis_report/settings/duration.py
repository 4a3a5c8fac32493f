"""Times as people write them."""

import re
from dataclasses import dataclass

from cnnvis_report.settings.kinds import Kind
from cnnvis_report.settings.numbers import number

UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0}
PARTS = re.compile(r"(?=.)(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,6})s)?")
LONGEST = 1e9  # seconds: 32 years


@dataclass(frozen=True)
class Duration(Kind):
    """Hours, minutes and seconds, such as 1h30m; a number alone is seconds."""

    def parse(self, value: object) -> float:
        """Such as "10m" to 600."""
        text = value.strip().lower() if isinstance(value, str) else ""
        match = PARTS.fullmatch(text)
        parts = zip(match.groups(), UNITS.values(), strict=True) if match else ()
        seconds = sum(float(part) * unit for part, unit in parts if part) if match else number(value)
        if seconds is None or not 0 < seconds <= LONGEST:
            raise self.refusal(value, "a time above 0, such as 90s, 10m or 1h30m")
        return float(seconds)
