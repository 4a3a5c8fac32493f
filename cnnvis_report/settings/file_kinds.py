"""Kinds of settings that may be a file, or something else that is typed in its place."""

from dataclasses import dataclass
from pathlib import Path

from cnnvis_report.errors import BadRequest, shown
from cnnvis_report.settings.kinds import FileName


@dataclass(frozen=True)
class FileOrAddress(FileName):
    """The path of a file or folder, or an address such as s3://bucket/photos.zip or torchvision:CIFAR10@data."""


@dataclass(frozen=True)
class ChoiceOrFile(FileName):
    """One of some words, or the path of a file with an ending; words are never taken for files."""

    words: tuple[str, ...]

    def parse(self, value: object) -> str:
        """The word, or the path; whether a file is there is for the command to say."""
        text = super().parse(value)
        if text not in self.words and not Path(text).suffix:
            raise BadRequest(f"{shown(value)} is not one of {', '.join(map(repr, self.words))}, nor a file.")
        return text
