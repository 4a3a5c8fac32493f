"""How a report tells that it goes on."""

from collections.abc import Callable

Advance = Callable[[str], None]
