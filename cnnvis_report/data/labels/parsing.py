"""The labels that a list gives an image, in whatever form people write several of them."""

import ast
import re

from cnnvis_report.data.image_file import readable
from cnnvis_report.data.labels.class_names import Classes, Prediction
from cnnvis_report.records.images import Label


def labels_in(text: str, classes: Classes) -> list[Label]:
    """The labels in a text: a class's name or index, or several.

    Several have | between them, or are a Python list; what else may stand between them, a semicolon, a comma or a
    blank, may be in a name, too, and counts only where all parts are classes.
    """
    if text.strip() in classes.names:
        return _labels([text], classes)
    for parts in (_in_brackets(text), text.split("|")):
        if len(parts) > 1 or (parts and parts != [text]):
            return _labels(parts, classes)
    # the whole comes before its words, and after what commas part: a name with synonyms is one class either way
    ways = [parts for parts in (text.split(";"), text.split(",")) if len(parts) > 1]
    for parts in (*ways, [text], text.split()):
        if all(_found(part, classes).index is not None for part in parts if part.strip()):
            return _labels(parts, classes)
    return _labels([text], classes)


def _labels(parts: list[str], classes: Classes) -> list[Label]:
    labels = []
    for part in filter(None, (part.strip() for part in parts)):
        index = _found(part, classes).index
        labels.append(Label(readable(part) if index is None else classes.names[index], index))
    return list(dict.fromkeys(labels))


def _found(text: str, classes: Classes) -> Prediction:
    """Tables with gaps hold indices as 3.0."""
    match = classes.find(text)
    return match if match.indices else classes.find(re.sub(r"\A(\d+)\.0+\Z", r"\1", text.strip()))


def _in_brackets(text: str) -> list[str]:
    """The entries of a Python list; nothing in it is run."""
    if not (text.startswith("[") and text.endswith("]")):
        return []
    try:
        entries = ast.literal_eval(text)
        return [str(entry) for entry in entries if isinstance(entry, str | int)]
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):  # numbers of thousands of digits too
        return []
