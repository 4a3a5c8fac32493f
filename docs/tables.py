"""The tables in these pages that repeat what the code says: `python docs/tables.py` writes them again.

Each stands between `<!-- NAME: begin -->` and `<!-- NAME: end -->`; tests/test_docs.py compares them with the code.
"""

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from cnnvis_report import errors
from cnnvis_report.methods.registry import methods
from cnnvis_report.report.views.images import in_families

DOCS = Path(__file__).parent


def rows(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *([cell.replace("|", r"\|") for cell in line] for line in body)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def methods_table() -> str:
    """Every method of the registry, by family and year."""
    entries = in_families([entry.card for entry in methods()])
    body = [
        [f"`{info.name}`", info.summary, str(info.kind), str(info.sign), info.preset, info.source] for info in entries
    ]
    return rows(["name", "what it shows", "kind", "sign", "from set", "source"], body)


def exit_codes_table() -> str:
    """What a shell gets, from the errors themselves."""
    return rows(
        ["code", "when"],
        [
            ["0", "The result is there."],
            [
                str(errors.RunFailed.exit_code),
                "The request was sound and the run still failed: a full disk, an error in "
                "your own network. Nothing that was there is lost, and the same command goes on.",
            ],
            [
                str(errors.BadRequest.exit_code),
                "The request can't be carried out: an unknown name, a value out of range, "
                "a file that can't be read. Nothing was computed or written.",
            ],
            [
                str(errors.GapsFound.exit_code),
                "`--strict` was given, and a file was skipped or a map is missing. The report is there and says which.",
            ],
            ["130", "Stopped by Ctrl-C. The same command goes on from what is done."],
        ],
    )


TABLES: dict[str, Callable[[], str]] = {
    "methods": methods_table,
    "exit-codes": exit_codes_table,
}


def filled(text: str) -> str:
    """A page with its tables as the code has them now."""
    for name, table in TABLES.items():
        marked = re.compile(rf"(<!-- {name}: begin -->\n).*?(<!-- {name}: end -->)", re.DOTALL)
        text = marked.sub(lambda found, table=table: f"{found[1]}{table()}\n{found[2]}", text)
    return text


if __name__ == "__main__":
    for page in sorted(DOCS.glob("*.md")):
        before = page.read_text(encoding="utf-8")
        after = filled(before)
        if after != before:
            page.write_text(after, encoding="utf-8")
            print(f"Wrote {page.name}", file=sys.stderr)
