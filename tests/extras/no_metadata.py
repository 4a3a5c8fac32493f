"""Whether a report tells what a file says of itself besides its pixels."""

from pathlib import Path

from tests.conftest import command
from tests.pictures_with_metadata import SECRET, TEXT
from tests.report_bytes import said_in

RUN = ("run", "tests.factories:bright", "-m", "gradient", "--device", "cpu", "--metrics", "none")


def secrets_told(content: bytes, name: str, folder: Path) -> list[str]:
    """The files of a report on an image that tell its secret, which has to be in it."""
    wide = [TEXT.decode().encode(code) for code in ("utf-16-le", "utf-16-be")]
    assert any(form in content for form in (TEXT, *wide))
    (folder / "set" / "class 1").mkdir(parents=True)
    (folder / "set" / "class 1" / name).write_bytes(content)
    command(*RUN, folder / "set", "-o", folder / "report")
    return said_in(folder / "report", SECRET)
