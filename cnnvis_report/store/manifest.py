"""How a complete run is written down: `run.json`, read line by line.

It may be a stranger's, cut short, or mixed up of several runs. So each line is sealed for its run and its place, and
read with bounded memory.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cnnvis_report.errors import BadRequest
from cnnvis_report.records.codec import Malformed, from_json, parsed, to_json
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.run import RunRecord
from cnnvis_report.store.checks import check_image, check_run
from cnnvis_report.store.files.atomic import beside, open_regular
from cnnvis_report.store.files.digests import SEAL, holds, sealed
from cnnvis_report.store.files.names import MANIFEST
from cnnvis_report.store.files.os_errors import raise_unless_of_the_file

FORMAT = "cnnvis-report/2"
MARK = '{"format": "cnnvis-report/'  # what a manifest and a journal of any version begin with
FIRST_LINE = '"images": ['
LAST_LINE = "]}"
LARGEST = 4 << 30  # bytes of a file
LONGEST = 64 << 20  # bytes of a line
MOST_VALUES = 1 << 20  # in a line: a list in a list takes twenty times its three bytes when it is read
NAMED_ID = re.compile(r'"id": "([^"\\]*)"')  # as `to_json` writes it
HEAD = "run"  # the place of the first line; an image's is its number
CLOCKS = "provenance"  # which has a seal of its own: it is all that may differ between two runs of the same


def write_manifest(folder: Path, run: RunRecord, images: Iterable[ImageRecord]) -> None:
    """Write a complete run down."""
    provenance = sealed({name: value for name, value in run.provenance.items() if name != SEAL}, run.fingerprint)
    content = sealed(asdict(run) | {CLOCKS: {}}, HEAD) | {CLOCKS: provenance}
    with beside(folder / MANIFEST) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.write(f'{{"format": {to_json(FORMAT)},\n"run": {to_json(content)},\n{FIRST_LINE}')
        for number, image in enumerate(images):
            line = sealed(asdict(image), f"{run.fingerprint} {number}")
            file.write(f"{',' if number else ''}\n{to_json(line)}")
        file.write(f"\n{LAST_LINE}\n")


def read_head(path: Path) -> tuple[RunRecord, bool]:
    """Everything of a manifest but its images, and whether it is as it was written.

    Raises:
        BadRequest: it can't be read, or is of another version; the field that is wrong is named.
    """
    content = raw_head(path)
    if not content:
        raise BadRequest(f"{path} is cut short or no manifest of a run. Start the run again with its command.")
    if content.get("format") != FORMAT:
        file_format = str(content.get("format"))[:60]
        raise BadRequest(
            f"{path}: is of format {file_format!r}, and this version reads {FORMAT!r}. "
            "Start the run again with its command."
        )
    run = content.get("run")
    try:
        record = from_json(RunRecord, opened(run) if isinstance(run, dict) else run, "run")
        check_run(record)
    except Malformed as error:
        raise BadRequest(f"{path}: {error}. Start the run again with its command.") from error
    return record, is_true(run)


def images_in(path: Path, run: RunRecord) -> Iterator[ImageRecord]:
    """The images of a manifest, line by line, each looked at whether it is as it was written.

    Raises:
        BadRequest: one of them isn't as it was written, some are missing, or others are there.
    """
    number, ended = 0, False
    for line in _image_lines(path):
        if line == LAST_LINE:
            ended = True
            break
        where = f"images[{number}]"
        content = parsed(line)
        if not isinstance(content, dict):
            raise BadRequest(f"{path}: {where} is cut short or no JSON. {_repair(path)}")
        try:
            image = from_json(ImageRecord, opened(content), where)
            check_image(run, image, where)
        except Malformed as error:
            raise BadRequest(f"{path}: {error}. {_repair(path)}") from error
        if not holds(content, f"{run.fingerprint} {number}"):
            raise BadRequest(f"{path}: {where} ({image.name}) isn't as the run has written it there. {_repair(path)}")
        yield image
        number += 1
    if number != run.images or not ended:
        listing = (
            f"{number} images in the place of {run.images}" if number != run.images else "all images, and has no end"
        )
        raise BadRequest(f"{path}: lists {listing}. {_repair(path)}")


def known_images(path: Path, ids: Collection[str] | None) -> Iterator[ImageRecord]:
    """The images of a manifest of which `images_in` has given all, without another look at what they are.

    Args:
        ids: of the images that are wanted; all where None. Lines that name others alone aren't parsed, which is most of
            the time that a line takes.

    Raises:
        BadRequest: a line is no image any more.
    """
    for number, line in enumerate(_image_lines(path)):
        if line == LAST_LINE:
            return
        named = NAMED_ID.findall(line) if ids is not None else ()
        if ids is not None and named and not any(id in ids for id in named):
            continue
        content = parsed(line)
        try:
            image = from_json(ImageRecord, opened(content) if isinstance(content, dict) else content)
        except Malformed as error:
            raise BadRequest(f"{path}: images[{number}] was changed meanwhile: {error}.") from error
        if ids is None or image.id in ids:
            yield image


class ImagesLeft:
    """The images of a manifest that are as they were written, read one by one.

    all_there: whether these are all; known when they are read.
    """

    def __init__(self, folder: Path) -> None:
        self._path, self.all_there = folder / MANIFEST, False

    def __iter__(self) -> Iterator[ImageRecord]:
        try:
            run, _ = read_head(self._path)
        except OSError as error:
            raise_unless_of_the_file(error)
            return
        except BadRequest:
            return
        count, ended = 0, False
        for number, line in enumerate(_image_lines(self._path)):
            ended = line == LAST_LINE
            content = parsed(line)
            if isinstance(content, dict) and holds(content, f"{run.fingerprint} {number}"):
                try:
                    image = from_json(ImageRecord, opened(content))
                    check_image(run, image, "")
                except Malformed:
                    continue
                count += 1
                yield image
        self.all_there = ended and count == run.images


def list_lines(path: Path) -> Iterator[str]:
    """The lines of a file, as `lines_at` gives them."""
    return (line for _, line in lines_at(path))


def lines_at(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a file, each with the byte that it begins at.

    One that is too long to be ours, or holds too much, ends them.

    Raises:
        BadRequest: it is a link, or no regular file.
    """
    with open_regular(path, LARGEST) as file:
        start = 0
        while line := file.readline(LONGEST):
            if not fits(line):
                return
            yield start, line.decode("utf-8", "replace")
            start += len(line)


def fits(line: bytes) -> bool:
    """Whether a line may be parsed: it isn't longer than ours are, and holds no more values."""
    return len(line) < LONGEST and sum(map(line.count, (b",", b"[", b"{"))) <= MOST_VALUES


def _repair(path: Path) -> str:
    return (
        f"`cnnvis-report render --repair {path.parent}` makes the pages of the others; the command that made the run "
        "makes it again."
    )


def opened(content: Mapping[str, Any]) -> dict[str, Any]:
    """A sealed content without its seals."""
    plain = {name: value for name, value in content.items() if name != SEAL}
    if isinstance(plain.get(CLOCKS), dict):
        plain[CLOCKS] = {name: value for name, value in plain[CLOCKS].items() if name != SEAL}
    return plain


def is_true(content: Any, *, clocks: bool = True) -> bool:
    """Whether the head of a journal or of a manifest is as it was written, with or without its clocks."""
    if not isinstance(content, dict):
        return False
    if CLOCKS not in content:
        return holds(content, HEAD)
    timings = content[CLOCKS]
    same = not clocks or (isinstance(timings, dict) and holds(timings, str(content.get("fingerprint"))))
    return same and holds(content | {CLOCKS: {}}, HEAD)


def raw_head(path: Path) -> dict[str, Any]:
    """Everything of a manifest but its images, as JSON gives it."""
    lines: list[str] = []
    for line in list_lines(path):
        if line.rstrip("\n") == FIRST_LINE:
            content = parsed("".join(lines).rstrip().rstrip(",") + "}")
            return content if isinstance(content, dict) else {}
        lines.append(line)
        if len(lines) > 2:  # the format and the run
            break
    return {}


def _image_lines(path: Path) -> Iterator[str]:
    """The lines of a manifest that hold an image each, and the last one, where nothing comes after it."""
    lines = list_lines(path)
    for line in lines:
        if line.rstrip("\n") == FIRST_LINE:
            break
    for line in lines:
        text = line.rstrip()
        if text == LAST_LINE:
            if next(lines, None) is None:
                yield LAST_LINE
            return
        yield text.rstrip(",")
