"""The record of a comparison in its folder, sealed as a run's is."""

from dataclasses import asdict
from pathlib import Path

from cnnvis_report.errors import BadRequest
from cnnvis_report.records.codec import Malformed, from_json, parsed, to_json
from cnnvis_report.records.comparison import Comparison
from cnnvis_report.store.atomic import beside, read_regular
from cnnvis_report.store.digests import SEAL, holds, sealed

COMPARISON = "comparison.json"
FORMAT = "cnnvis-report-comparison/1"
LARGEST = 512 << 20  # bytes of the file


def write_comparison_file(folder: Path, comparison: Comparison) -> Path:
    """Write the record of a comparison down, with a digest of it."""
    path = folder / COMPARISON
    content = sealed(asdict(comparison), FORMAT)
    with beside(path) as temporary:
        text = f'{{"format": {to_json(FORMAT)},\n"comparison": {to_json(content)}}}\n'
        temporary.write_text(text, encoding="utf-8", newline="\n")
    return path


def load_comparison(folder: Path) -> Comparison:
    """Read the record of a comparison; nothing in its folder is executed.

    Raises:
        BadRequest: there is none, one of another version, or one that was changed.
    """
    path = folder / COMPARISON
    if not path.is_file():
        raise BadRequest(f"{folder}: holds no comparison.")
    content = parsed(read_regular(path, LARGEST).decode("utf-8", "replace"))
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise BadRequest(f"{path}: isn't of format {FORMAT!r}, which this version reads. Compare the runs again.")
    record = content.get("comparison")
    if not isinstance(record, dict) or not holds(record, FORMAT):
        raise BadRequest(f"{path}: something in it was changed after it was written. Compare the runs again.")
    try:
        return from_json(Comparison, {name: value for name, value in record.items() if name != SEAL}, "comparison")
    except Malformed as error:
        raise BadRequest(f"{path}: {error}. Compare the runs again.") from error
