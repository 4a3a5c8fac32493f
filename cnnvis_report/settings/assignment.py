"""A name and its value as one setting."""

from dataclasses import dataclass

from cnnvis_report.errors import BadRequest, shown
from cnnvis_report.settings.kinds import Kind, Text


@dataclass(frozen=True)
class Assignment(Kind):
    """NAME=VALUE, kept as text."""

    def parse(self, value: object) -> str:
        """The text; the name has to be one that a function's argument can have."""
        text = Text().parse(value)
        name, equals, _ = text.partition("=")
        if not (equals and name.strip().isidentifier()):
            raise BadRequest(f"{shown(text)}: give NAME=VALUE, such as classes=10.")
        return text
