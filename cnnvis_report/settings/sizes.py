"""Sizes of files as people write them: "25MB" is 25,000,000 bytes."""

import re
from dataclasses import dataclass

from cnnvis_report.settings.kinds import Kind
from cnnvis_report.settings.numbers import LARGEST

UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
WRITTEN = re.compile(r"(\d{1,18}(?:\.\d{1,9})?) ?([a-z]{0,3})", re.ASCII)


@dataclass(frozen=True)
class Size(Kind):
    """A size in bytes: a whole number, or a number with its unit."""

    name = "size"

    def parse(self, value: object) -> int:
        """Such as "25MB" or "1.5 GiB" to bytes."""
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST:
            return value
        match = WRITTEN.fullmatch(value.strip().lower()) if isinstance(value, str) else None
        if match is not None and match[2] in UNITS:
            size = int(float(match[1]) * UNITS[match[2]])
            if 0 < size <= LARGEST:
                return size
        raise self.refusal(value, "a size such as 25MB, 800kB or 1.5GB")
