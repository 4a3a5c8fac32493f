"""What was fitted to the image set, as a file says it of itself: whose it is, and what it has to hold."""

from pathlib import Path
from typing import Any

from cnnvis_report.errors import BadRequest
from cnnvis_report.records.codec import parsed
from cnnvis_report.store.files.atomic import open_regular
from cnnvis_report.store.files.os_errors import raise_unless_of_the_file

LARGEST = 4 << 30  # bytes of a file
LONGEST = 1 << 20  # bytes of what stands before its tensors
WHOSE = "cnnvis_report.run"  # of which run, and under which key
SEAL = "cnnvis_report.sha256"  # of the tensors, and whose they are


def fitted_head(path: Path) -> dict[str, Any] | None:
    """What a file of fitted tensors says of itself; None where no run has made it."""
    try:
        with open_regular(path, LARGEST) as file:
            length = int.from_bytes(file.read(8), "little")
            head = parsed(file.read(length).decode("utf-8", "replace")) if length <= LONGEST else None
    except OSError as error:
        raise_unless_of_the_file(error)
        return None
    except BadRequest:
        return None
    metadata = head.get("__metadata__") if isinstance(head, dict) else None
    return metadata if isinstance(metadata, dict) and WHOSE in metadata else None
