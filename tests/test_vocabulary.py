"""The field's words: what has been retired stays out of help, documentation, pages and messages."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from cnnvis_report.cli.main import cli

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "cnnvis_report").rglob("*.py"))
Texts = Callable[[], Iterator[tuple[str, str]]]  # with names

# what is retired, as a pattern -> what is said instead
RETIRED = {
    r"right first": "top-1 accuracy",
    r"seen as": "predicted",
    r"(how|least|less|more) sure|surest": "confidence, most confident",
    r"answer(s|ed)? (\w+ )?(right|wrong|most)\b": "classified correctly, misclassified",
    r"rightly so": "precision",
    r"taken? most for": "most often confused with",
    r"(?-i:What went wrong)": "misclassified images",
    r"remembers|forget(s|ting)?\b": "randomization test",
    r"points at it|(points|mass|(?<!relevance )rank) ↑": "pointing game, mass in mask, relevance rank",
    r"find best what|rests? on": "are faithful to this model",
    r"which of these should": "which methods are faithful to this model",
    r"what (the|its) maps took|takes for a map": "compute cost, passes per map",
    r"of the bound|the bound\b": "the theoretical minimum",
    r"\bminus (<\w+>)?nothing": "compare with: none",
    r"hide below|raw cells": "threshold, no interpolation",
    r"preferred inputs?|made from noise": "feature visualization, activation maximization",
    r"excited? most|excites? most": "highest mean activation",
    r"the way back": "backward rule",
    r"layers? as one picture": "layer summary",
    r"doubled channels?|channel health": "duplicate channels, channel statistics",
    r"(?-i:What was asked for|Where it ran|What is not (here|there))": "settings, environment, skipped and missing",
    r"drawn by chance|begun with|chose nothing|chooses nothing": "random initialization, initialized from, not used",
    r"\bfilms?\b": "snapshots",
    r"beside noise|what noise has": "random baseline",
    r"\bswitch(es)?\b": "option",
    r"`?--(inside|evaluate|only|prefer|form|start|balance|snapshots)\b(?!-)": "the new option",
    r"cnnvis-report (inside|draw)\b": "inspect, make-dataset",
    r"\b\w*colour\w*|\bgr(e)y(s|ish|scale)?\b": "color, gray",
    r"\b(centre|metre|fibre|behaviour|neighbour|favour|honour)\w*": "US spelling",
    r"\b\w+(alis|imis|omis|eris|aris|gnis|ganis|yris|icis)(e|es|ed|ing|ation)\b": "US spelling with z",
    r"\b(label|model|cancel|travel)l(ed|ing)\b": "one l",
    r"\b(licence|artefact|catalogue|analyse[ds]?|whilst|programme)\b": "US spelling",
}
NO_BRITISH_SPELLING = re.compile(  # words that only look like one
    r"\b(promis|compris|surpris|advis|rais|prais|premis|precis|exercis|merchandis|improvis)\w*", re.IGNORECASE
)
# words that say of a variable only that it is one; what it holds has a name
NAMELESS = frozenset(
    {"each", "found", "said", "told", "asked", "given", "got", "made", "taken", "kept", "held", "heard", "own", "gone"}
    | {"place", "places", "there", "here", "some", "film", "films"}
)
TAGS = re.compile(r"<[^>]*>")
SEEN = re.compile(r"""\b(?:title|aria-label|alt|placeholder|content)="([^"]*)\"""")
JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
CODE = re.compile(r"```.*?```", re.DOTALL)


def helps() -> Iterator[tuple[str, str]]:
    for words in ([], *([name] for name in cli.commands)):
        yield " ".join([*words, "--help"]), CliRunner().invoke(cli, [*words, "--help"]).output


def documents() -> Iterator[tuple[str, str]]:
    for path in [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", *docs())]:
        yield path.name, path.read_text(encoding="utf-8")
    newest = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").split("\n## ")[1]
    yield "CHANGELOG.md", newest


def docs() -> list[str]:
    return [str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").glob("*.md"))]


def templates() -> Iterator[tuple[str, str]]:
    """What a reader sees of them: text, titles and labels."""
    for path in sorted((ROOT / "templates").rglob("*.html")):
        text = JINJA.sub(" ", path.read_text(encoding="utf-8"))
        yield path.name, "\n".join([TAGS.sub(" ", text), *SEEN.findall(text)])


def scripts() -> Iterator[tuple[str, str]]:
    """Texts of scripts: literals of more than a word."""
    for path in sorted((ROOT / "static").rglob("*.js")):
        literals = re.findall(r""""([^"\n]* [^"\n]*)"|`([^`]* [^`]*)`""", path.read_text(encoding="utf-8"))
        yield path.name, "\n".join(text for pair in literals for text in pair)


def messages() -> Iterator[tuple[str, str]]:
    """What pages and terminal say: literals of more than a word that are no docstrings."""
    for folder in ("report/views", "cli"):
        for path in sorted((ROOT / "cnnvis_report" / folder).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            described = {
                id(node.body[0].value)
                for node in ast.walk(tree)
                if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
                and node.body
                and isinstance(node.body[0], ast.Expr)
            }
            texts = [
                node.value
                for node in ast.walk(tree)
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in described
            ]
            yield f"{folder}/{path.name}", "\n".join(text for text in texts if " " in text)


def retired(text: str) -> Iterator[str]:
    """What stands in a text and is said otherwise."""
    text = NO_BRITISH_SPELLING.sub(" ", text)
    for pattern, instead in RETIRED.items():
        for match in re.finditer(pattern, text, re.IGNORECASE):
            yield f"{match[0]!r}: say {instead}"


@pytest.mark.parametrize("texts", [helps, documents, templates, scripts, messages])
def test_retired_words_stay_out(texts: Texts) -> None:
    by_name = dict(texts())
    assert by_name
    assert {name: words for name, text in by_name.items() if (words := sorted(set(retired(text))))} == {}


def variables(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Names that a module binds: variables, parameters, fields, and what it imports or catches under a name."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield node.lineno, name
            case ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name.lstrip("_")
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.alias(asname=str(name)):
                yield node.lineno, name


def test_variables_are_called_what_they_hold() -> None:
    nameless = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in MODULES
        for line, name in variables(ast.parse(path.read_text(encoding="utf-8")))
        if name in NAMELESS
    ]
    assert nameless == []


def test_no_help_in_the_list_of_commands_is_cut() -> None:
    commands = dict(helps())["--help"].partition("Commands:")[2]
    assert not re.search(r"(\.\.\.|…)$", commands, re.MULTILINE), commands
