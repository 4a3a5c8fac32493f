"""Files of class names as they lie around: told apart by what they hold, whatever they are called."""

import ast
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnvis_report.data.labels.class_table import (
    INDEX_COLUMNS,
    LONGEST_INDEX,
    NAME_COLUMNS,
    RefusedClasses,
    in_order,
    is_index,
    names_in_table,
)
from cnnvis_report.data.tables.text_tables import read_rows, read_text
from cnnvis_report.errors import BadRequest, shown

KINDS = (
    "a name a line, lines of index and name, a table with a column of names, or JSON or a Python dict or list: "
    "index to name, name to index, id2label, class_to_idx"
)
LARGEST_LITERAL = 1 << 22  # characters of Python text
QUOTED = re.compile(r"""(["'])(?:(?!\1)[^\\]|\\.)*\1""")
KEYED = re.compile(r"""(\d+\s*:\s*["'])|(["']).*\2\s*:\s*(\d|["'])""")
TO_NAMES = ("id2label", "idx_to_class", "index_to_name", "names", "class_names", "classes", "labels", "categories")
TO_INDICES = ("label2id", "class_to_idx", "class_to_index", "name_to_index", "class_indices")


@dataclass(frozen=True)
class ClassFile:
    """What a file says of classes: names in index order, and what else each of them is called."""

    names: tuple[str, ...]
    aliases: tuple[tuple[str, ...], ...]


def read_classes(path: Path) -> ClassFile:
    """Class names, whatever form of file they are in: KINDS lists them.

    A class may be a pair of an id and a name, as in ["n01440764", "tench"]; the id is an alias then.

    Raises:
        BadRequest: the file can't be read as any of these, or its indices aren't 0, 1, 2, … each once.
    """
    if "," in path.name and not path.exists():
        raise BadRequest(
            f"{path}: can't be read as a list of class names (there is no such file). Give the names in a file with a "
            "name a line, in index order."
        )
    text = read_text(path, "a list of class names")
    try:
        content = _structured(text, path.suffix.lower())
        entries = _of_lines(text, path) if content is None else _of_content(content)
        if not entries:
            raise RefusedClasses("holds no class name")
        pairs = [_entry(entry) for entry in entries]
    except RefusedClasses as error:
        raise BadRequest(f"{path}: {error}.") from error
    return ClassFile(tuple(name for name, _ in pairs), tuple(aliases for _, aliases in pairs))


class _Pairs(list[tuple[Any, Any]]):
    """An object's keys and values as they were written: a key that comes twice is there twice."""


def _structured(text: str, suffix: str) -> Any:
    """What JSON or Python text holds, objects as pairs; None where the text is neither."""
    plain = re.sub(r"\A\s*[A-Za-z_]\w*\s*=\s*(?=[\[{(])", "", text).strip()
    first = plain.partition("\n")[0].strip()
    # names may be in brackets of their own: then the first one closes on its line, and others follow
    listed = first != plain and first[-1:] in "]})" and plain[:1] in ("[", "{", "(")
    if suffix != ".json" and (listed or plain[:1] not in ("[", "{", "(") or (plain[0] == "(" and plain[-1] != ")")):
        return None
    try:
        return json.loads(plain, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError) as error:
        literal = _literal(plain)
        if literal is None:
            raise RefusedClasses(f"is neither JSON nor a Python dict or list ({str(error)[:100]})") from error
        return literal


def _literal(text: str) -> Any:
    """What the text of a Python dict or list holds; nothing in it is run. None where it is something else."""
    if len(text) > LARGEST_LITERAL:
        return None
    try:
        tree = ast.parse(text, mode="eval").body
        if isinstance(tree, ast.Dict):
            keys = [ast.literal_eval(key) if key is not None else None for key in tree.keys]
            return _Pairs(zip(keys, map(ast.literal_eval, tree.values), strict=True))
        return ast.literal_eval(tree) if isinstance(tree, ast.List | ast.Tuple) else None
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _of_content(content: Any) -> list[Any]:
    """The entries of JSON or a literal in index order."""
    if isinstance(content, Mapping):
        content = _Pairs(content.items())
    if not isinstance(content, _Pairs):
        if not isinstance(content, list | tuple):
            raise RefusedClasses(f"holds a {type(content).__name__}, no class names")
        return (
            _of_objects(content) if content and all(isinstance(entry, _Pairs) for entry in content) else list(content)
        )
    whole = dict(content) if all(isinstance(key, str) for key, _ in content) else {}
    for key in (*TO_NAMES, *TO_INDICES):
        if isinstance(whole.get(key), list | tuple | Mapping):
            inner = whole[key]
            if not (key in TO_NAMES and inner and isinstance(inner, _Pairs) and _numbers(k for k, _ in inner) is None):
                return _of_content(inner)
    keys = _numbers(key for key, _ in content)
    values = [value for _, value in content]
    turned = all(isinstance(value, int) and not isinstance(value, bool) for value in values)
    if keys is not None and not turned:
        return in_order(keys, values)
    if turned and all(isinstance(key, str) for key, _ in content):
        return in_order(values, [key for key, _ in content])
    keys_shown = ", ".join(shown(key) for key, _ in content[:4])
    raise RefusedClasses(f"is an object with {keys_shown or 'nothing'} in it; possible are {KINDS}")


def _of_objects(objects: Sequence[_Pairs]) -> list[Any]:
    """The names of objects such as {"id": 0, "name": "cat"}."""
    tables = [{str(key).lower(): value for key, value in pairs} for pairs in objects]
    name = next((key for key in NAME_COLUMNS if all(isinstance(table.get(key), str) for table in tables)), None)
    if name is None:
        raise RefusedClasses("is a list of objects without a name in each")
    index = next((key for key in INDEX_COLUMNS if all(key in table for table in tables)), None)
    numbers = _numbers(table[index] for table in tables) if index is not None else None
    names = [table[name] for table in tables]
    return names if numbers is None else in_order(numbers, names)


def _of_lines(text: str, path: Path) -> list[Any]:
    """The entries of a text file."""
    # of \n alone: other marks that Python takes for the end of a line may stand in a name
    lines = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n").split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    while lines and not lines[0].strip():
        lines.pop(0)
    if path.suffix.lower() in (".yaml", ".yml"):
        raise RefusedClasses(f"is YAML, which isn't read; possible are {KINDS}")
    if path.suffix.lower() in (".csv", ".tsv") or (lines and all("\t" in line for line in lines if line.strip())):
        return names_in_table(read_rows(lines, path.suffix.lower()))
    lines, entries = _unquoted(lines)
    if entries is not None:
        return entries
    blank = next((number for number, line in enumerate(lines, start=1) if not line.strip()), None)
    if blank is not None:
        raise RefusedClasses(f"line {blank} is empty, and classes are counted by lines; delete it, or name the class")
    if all(re.match(r"n\d{8}[\s,]+\S", line.strip()) for line in lines):
        parts = [line.strip().replace(",", " ", 1) if line.strip()[9] == "," else line.strip() for line in lines]
        return [part.split(None, 1) for part in parts]
    matches = [re.match(rf"(\d{{1,{LONGEST_INDEX}}})(\s*[:;,=]\s*|\s+)(\S.*)", line.strip()) for line in lines]
    if lines and all(matches):
        numbers = [int(match[1]) for match in matches if match]
        names = _without_quotes([match[3].strip() for match in matches if match])
        marked = all(match[2].strip() for match in matches if match)
        counted = sorted(numbers) in (list(range(len(numbers))), list(range(1, len(numbers) + 1)))
        if marked or counted or (numbers[0] == 0 and len(numbers) > 1):
            return in_order(numbers, names)
    return [line.strip() for line in lines]


def _unquoted(lines: list[str]) -> tuple[list[str], list[Any] | None]:
    """The lines of a list or dict without its brackets, as plain lines, or as entries where they have indices too.

    Such lines end in commas, all but perhaps the last, or have each name in quotes.
    """
    entries = [line.strip() for line in lines if line.strip()]
    if len(entries) > 1 and all(re.match(r"[-*]\s+\S", line) for line in entries):  # as YAML and Markdown write lists
        entries = [line[1:].strip() for line in entries]
    commas = len(entries) > 1 and any(all(line.endswith(mark) for line in entries[:-1]) for mark in ",;")
    plain = [line.rstrip(",;").rstrip() for line in entries] if commas else entries
    if all(map(QUOTED.fullmatch, plain)):
        return _without_quotes(plain), None
    joined = ",".join(plain)
    if len(entries) == 1 and entries[0][:1] in ("'", '"'):  # all names on one line
        names = _literal(f"[{joined}]")
        return lines, names if names and all(isinstance(name, str) for name in names) else None
    if all(KEYED.match(line) for line in plain):
        content = _literal("{" + joined + "}")
        return lines, _of_content(content) if content else None
    return (lines if plain == [line.strip() for line in lines if line.strip()] else plain), None


def _without_quotes(names: list[str]) -> list[str]:
    """The names, where all are in quotes without these."""
    matches = [QUOTED.fullmatch(name) for name in names]
    if not all(matches):
        return names
    return [match[0][1:-1].replace(f"\\{match[1]}", match[1]) for match in matches if match]


def _numbers(keys: Any) -> list[int] | None:
    """Indices, as numbers or in digits; None where one is neither."""
    numbers = []
    for key in keys:
        if isinstance(key, bool) or not (isinstance(key, int) or (isinstance(key, str) and is_index(key))):
            return None
        numbers.append(int(key))
    return numbers


def _entry(entry: Any) -> tuple[str, tuple[str, ...]]:
    """A class's name, and what else it is called."""
    if isinstance(entry, str) and entry.strip():
        return entry.strip(), ()
    if isinstance(entry, list | tuple) and entry and not isinstance(entry, _Pairs):
        texts = [part for part in entry if isinstance(part, str) and part.strip()]
        if len(texts) == len(entry):
            return texts[-1].strip(), tuple(part.strip() for part in texts[:-1])
    what = "an empty name" if isinstance(entry, str) else f"a {type(entry).__name__} where a name should be"
    raise RefusedClasses(f"holds {what}; class names are text")
