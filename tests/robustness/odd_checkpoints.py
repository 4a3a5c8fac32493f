"""Checkpoints, damaged or made to cost: each is read or refused in one line, in bounded memory."""

import io
import json
import random
import struct
import zipfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import torch
from safetensors.torch import save

from cnnvis_report.errors import BadRequest
from cnnvis_report.models.checkpoints.read_checkpoint import read_candidates
from tests.robustness.attack import Attack
from tests.robustness.damage import damaged, peak

MORE = 400  # MB
MANY = 100_001
# memory that was taken before hides what is taken now, so that these have to be refused
COSTLY = {"ten million classes of one number", "inflated", "many tensors", "many entries", "a key of tuples in tuples"}


def text(word: str) -> bytes:
    """A text as pickles have it."""
    return b"X" + struct.pack("<I", len(word)) + word.encode()


def whole_number(value: int) -> bytes:
    """A number as pickles have it."""
    return b"\x8a\x09" + value.to_bytes(9, "little", signed=True)


def tensor(size: tuple[int, ...], stride: tuple[int, ...], *, numbers: int = 4, offset: int = 0) -> bytes:
    """The pickle of a tensor over the storage `0`."""
    sides, steps = (b"(" + b"".join(map(whole_number, each)) + b"t" for each in (size, stride))
    storage = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text("0") + text("cpu") + whole_number(numbers)
    made = b"ctorch._utils\n_rebuild_tensor_v2\n((" + storage[1:] + b"tQ" + whole_number(offset) + sides + steps
    return made + b"\x89ccollections\nOrderedDict\n)RtR"


def archive(content: bytes, values: bytes = b"\0" * 16, *, packed: bool = False) -> bytes:
    """A checkpoint with this pickle."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as file:
        for name, part in (("data.pkl", content), ("byteorder", b"little"), ("data/0", values), ("version", b"3\n")):
            file.writestr(f"a/{name}", part)
    return made.getvalue()


def state(**tensors: bytes) -> bytes:
    """The pickle of a dictionary."""
    return b"\x80\x02}(" + b"".join(text(key) + value for key, value in tensors.items()) + b"u."


def header(content: object, length: int | None = None) -> bytes:
    """A safetensors file with this header."""
    made = content if isinstance(content, bytes) else json.dumps(content).encode()
    return struct.pack("<Q", len(made) if length is None else length) + made + b"\0" * 16


def made_to_cost() -> Iterator[tuple[str, bytes]]:
    """Checkpoints that claim, nest, repeat and unfold; none of them larger than some MB."""
    good = tensor((2, 2), (2, 1))
    for name, odd in (
        ("ten million classes", tensor((10**7, 512), (512, 1))),
        ("ten million classes of one number", tensor((10**7, 512), (0, 0))),
        ("a negative stride", tensor((2, 2), (-1, 1))),
        ("a negative side", tensor((-2, 2), (2, 1))),
        ("a negative offset", tensor((2, 2), (2, 1), offset=-3)),
        ("a storage larger than its file", tensor((2, 2), (2, 1), numbers=10**10)),
        ("lists in lists", b"]" * 100_000 + b"a" * 99_999),
        ("dictionaries in dictionaries", (b"}" + text("a")) * 100_000 + b"N" + b"s" * 100_000),
        ("a key of tuples in tuples", b"})" + b"\x85" * 400_000 + b"Ns"),
        ("a huge array of bytes", b"cbuiltins\nbytearray\n" + whole_number(10**12) + b"\x85R"),
        ("many tensors", b"}(" + b"".join(text(f"w{at}") + good for at in range(MANY)) + b"u"),
    ):
        yield name, archive(state(odd=odd, w=good))
    yield "a dictionary in itself", archive(b"\x80\x02}q\0(" + text("a") + b"h\0" + text("w") + good + b"u.")
    levels = [b"}(" + text("w") + good + b"uq\0"]
    levels += [b"}(" + b"".join(text(f"k{at}") + b"h" + bytes([n]) for at in range(300)) + b"uq" + bytes([n + 1])
               for n in range(5)]  # fmt: skip
    yield "dictionaries that hold each other", archive(state(**{f"x{n}": each for n, each in enumerate(levels)}))
    yield "inflated", archive(state(w=tensor((2, 2), (2, 1), numbers=1 << 26)), b"\0" * (1 << 28), packed=True)
    entry = {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}
    yield "overlapping tensors", header({"a": entry, "b": entry})
    yield "a huge shape", header({"a": {**entry, "shape": [2**40, 2**40]}})
    yield "a header beyond the end", header(b"{}", 99_000_000)
    yield "a deep header", header(b'{"a":' * 50_000)
    yield "many entries", header({f"w{at}": entry for at in range(MANY)})
    for name, made in (
        ("sparse", torch.eye(3).to_sparse()),
        ("without data", torch.empty(3, 3, device="meta")),
        ("complex", torch.tensor([1j])),
    ):
        file = io.BytesIO()
        torch.save({"w": made, "n_averaged": made}, file)
        yield name, file.getvalue()


def whole() -> list[bytes]:
    """A checkpoint of each form that is read."""
    weights = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4)).state_dict()
    found = [save(weights)]
    for options in ({}, {"_use_new_zipfile_serialization": False}):
        file = io.BytesIO()
        torch.save({"state_dict": weights, "epoch": 3}, file, **options)
        found.append(file.getvalue())
    return found


def read(path: Path, costly: bool) -> str:
    """What was wrong with the reading; nothing where it was read or refused, and a costly one refused."""
    before = peak()
    try:
        read_candidates(path)
        wrong = "was read" if costly else ""
    except BadRequest as error:
        wrong = "more than a line" if "\n" in str(error) else ""
    except Exception as error:
        wrong = f"{type(error).__name__}: {error}"
    more = peak() - before
    return wrong or (f"{more} MB more" if more > MORE else "")


def trials(numbers: range, folder: Path) -> Iterator[str]:
    """Those that are made to cost first, then damage to whole ones."""
    costly, forms = islice(made_to_cost(), numbers.start, None), whole()
    for number in numbers:
        name, content = next(costly, (f"damaged {number}", b""))
        path = folder / ("weights.safetensors" if content[8:9] == b"{" else "weights.pt")
        path.write_bytes(content or damaged(forms[number % len(forms)], random.Random(number)))
        wrong = read(path, name in COSTLY)
        path.unlink()
        yield f"checkpoint {name}: {wrong}" if wrong else ""


ATTACK = Attack(
    "checkpoints",
    "a damaged or costly checkpoint is read or refused in a line, in at most 400 MB",
    trials,
    few=60,
    quick=100,
    full=500,
)
