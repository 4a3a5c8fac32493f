"""Digests: of a file's bytes, and of a line of JSON together with its place, so that nothing changes unseen.

They guard against accidents, cut files and mixed-up folders. They don't say who wrote a file: whoever changes one with
care can give it another digest.
"""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from cnnvis_report.records.codec import to_json
from cnnvis_report.records.run import StoredFile

SEAL = "sha256"
PART = 1 << 20  # bytes that are read at a time


def digest_of(path: Path) -> StoredFile:
    """The size and the digest of a file, a part at a time.

    Raises:
        OSError: it can't be read.
    """
    with path.open("rb") as file:
        return digest_in(file)


def digest_in(file: BinaryIO) -> StoredFile:
    """The same of a file that is open, from where it is on."""
    digest, size = sha256(), 0
    while part := file.read(PART):
        digest.update(part)
        size += len(part)
    return StoredFile(size, digest.hexdigest())


def sealed(content: Mapping[str, Any], context: str) -> dict[str, Any]:
    """The content with a digest of itself and of its place, which is what it belongs to and where it stands there."""
    return {**content, SEAL: _seal(content, context)}


def holds(content: Mapping[str, Any], context: str) -> bool:
    """Whether the content is as it was when it was sealed for this place."""
    plain = {name: value for name, value in content.items() if name != SEAL}
    try:
        return bool(content.get(SEAL) == _seal(plain, context))
    except (ValueError, RecursionError):  # numbers that aren't finite
        return False


def _seal(content: Mapping[str, Any], context: str) -> str:
    return sha256(f"{context}\n{to_json(content)}".encode()).hexdigest()[:32]
