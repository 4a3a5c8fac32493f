"""Damage to small text files: what editors, spreadsheets and strangers do to them."""

import os
import random
import re
from collections.abc import Callable
from pathlib import Path

from tests.robustness.damage import damaged

WORD = re.compile(rb"[\w.]+")
DEEP = 100_000
ODD = (
    b"9" * 5000, b"-" + b"9" * 400, b"1e999", b"NaN", b"-Infinity", "²".encode(), "٣".encode(), b"-1", b"0", b"1.5",
    b"", b"true", b"null", b"[]", b"{}", b"[{[]: 1}]", b"[0x" + b"f" * 5000 + b"]", b"..",
    b"../" * 2000 + b"etc/passwd", b"/etc/passwd", b"~/x.png",
    b"=1+cmd|' /C calc'!A0", b"@SUM(1)", b"a" * 1_000_000,
    b"\x1b[31mred\x1b]0;x\x07",
    "\u202egnp.a\u2066".encode(), b"a\0b", b"a\nb", b"a\r\nb", b'"', b"'", b"\\", b"\\ud800", b"\\u0000", b"\xff\xfe",
    b"\xed\xa0\x80", b"<img src=x onerror=alert(1)>", b"&lol;", b"{{7*7}}", b"%s%n", b"(" * 3000 + b"a+" + b")+" * 3000,
    b"'" * 5000, b"a " * 5000, b",|;\t" * 2000, b"CON", b"a" * 256 + b".png", b"__class__", b"$HOME", b"cross-1.png",
    b"cross", b"mine.txt", b"../secret.txt", b"1_000", b"0x10", b"1:2", b"a=b", b"=", b":", b"#", b"2020-01-01",
    b"top:" + b"9" * 5000,
)  # fmt: skip
WHOLE = (
    b"", b"\n" * 100_000, b" " * 1_000_000, b"\0" * 5000, b"\xef\xbb\xbf", b"\xff\xfe", b"[" * DEEP, b"{" * DEEP,
    b"(" * DEEP, b'{"a":' * DEEP, b"[" * DEEP + b"]" * DEEP, b"<a>" * DEEP, b"<a>" * DEEP + b"</a>" * DEEP,
    b"[" + b"-" * DEEP + b"1]", b"a = " + b"[" * DEEP, b"[a." + b"a." * DEEP + b"a]", b"file," + b"a," * 1_000_000,
    b"file," + b"a," * 100_000 + b"\n" + b"cross-1.png,b\n" * 1000, b"file,label\n" + b"cross-1.png,a\n" * 100_000,
    b"\n".join(b'{"k%d": 1}' % number for number in range(9_000)), b"null", b"true", b"NaN", b'"a"', b"3", b"[]", b"{}",
    b"[" + b",".join(b'{"k%d": 1}' % number for number in range(9_000)) + b"]", b"[null, 1, {}]", b"[[], {}]",
    b"\n".join(b"%d: a" % number for number in range(100_000)), b"0: " + b"9" * 5000, b"9" * 5000 + b": a\n1: b",
    b"file_name,label\n=cmd(),+1\n", b'"' + b"a\n" * 100_000, b"\x1b[2J\n" * 10, b"\xf0\x9f\x98\x80" * 10,
    b"{0: " + b"9" * 5000 + b"}", b"{" + b"9" * 5000 + b": 'a'}", b"{'a': {[]: 1}}", b"#\n" * 1000,
    b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><annotation>&b;</annotation>", b"PK\x03\x04" + b"\0" * 100,
)  # fmt: skip


def changed(content: bytes, dice: random.Random) -> bytes:
    """The content, damaged in one of many ways."""
    kind = dice.randrange(8)
    if kind == 0:
        return damaged(content, dice)
    if kind == 1:
        return dice.choice(WHOLE)
    if kind == 2:
        return dice.choice(ENCODED)(content)
    if kind == 3:
        lines = content.splitlines(keepends=True)
        at = dice.randrange(len(lines))
        return b"".join([*lines[:at], *lines[at : at + 1] * dice.choice((0, 2, 300)), *lines[at + 1 :]])
    words = list(WORD.finditer(content))
    for word in sorted(dice.sample(words, min(dice.choice((1, 1, 3)), len(words))), key=lambda word: -word.start()):
        content = content[: word.start()] + dice.choice(ODD) + content[word.end() :]
    return content


ENCODED: tuple[Callable[[bytes], bytes], ...] = (
    lambda content: b"\xef\xbb\xbf" + content,
    lambda content: b"\xef\xbb\xbf" * 2 + content,
    lambda content: content.decode().encode("utf-16"),
    lambda content: content.decode().encode("utf-16-be"),
    lambda content: content.decode().encode("utf-32"),
    lambda content: content.replace(b"\n", b"\r\n"),
    lambda content: content.replace(b"\n", b"\r"),
    lambda content: content.replace(b"\n", b"\x0b\x0c\x1c\xc2\x85"),
    lambda content: content.replace(b"e", b"\xe9"),
    lambda content: content + b"\x1a",
    lambda content: content * 2,
    lambda content: content * 3000,
)


def pipe(path: Path) -> None:
    """A pipe into which nobody writes."""
    os.mkfifo(path)


def folder(path: Path) -> None:
    """A folder, and something in it."""
    path.mkdir()
    (path / "a.txt").write_text("a")


def endless(path: Path) -> None:
    """A link to a device without an end."""
    path.symlink_to("/dev/zero")


def itself(path: Path) -> None:
    """A link to itself."""
    path.symlink_to(path.name)


def sparse(path: Path, size: int = 1 << 30) -> None:
    """A file of a gigabyte that takes no room."""
    with path.open("wb") as file:
        file.truncate(size)


def below(path: Path) -> None:
    """One of 120 MB, which is less than some files may have."""
    sparse(path, 120 << 20)


def nearly(path: Path) -> None:
    """One of 500 MB, which is less than a file of annotations may have."""
    sparse(path, 500 << 20)


IN_ITS_PLACE = (pipe, folder, endless, itself, sparse, below, nearly)
