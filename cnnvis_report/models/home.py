"""Paths that begin with a home folder, as a shell leaves them where they are quoted."""

from pathlib import Path


def from_home(text: str) -> str:
    """A path with the home folder in the place of its ~; as it is where the system knows no such user."""
    try:
        return str(Path(text).expanduser()) if text.startswith("~") else text
    except RuntimeError:
        return text
