"""Where methods were published: their sources with links, and their BibTeX entries."""

from cnnvis_report.report.bibtex import IDENTIFIER


def linked(source: str) -> list[tuple[str, str]]:
    """A source in pieces of text, each with the address that it names, or none."""
    pieces, end = [], 0
    for match in IDENTIFIER.finditer(source):
        address = f"https://arxiv.org/abs/{match['eprint']}" if match["eprint"] else f"https://doi.org/{match['doi']}"
        pieces += [(source[end : match.start()], ""), (match[0], address)]
        end = match.end()
    return [piece for piece in (*pieces, (source[end:], "")) if piece[0]]
