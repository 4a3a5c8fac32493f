"""BibTeX entries of the works in which methods were published, made from what the registry says of them."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from cnnvis_report.records.methods import MethodInfo
from cnnvis_report.report.titles import TITLES

# "Selvaraju et al. 2017, arXiv:1610.02391, eq. 1-2", several works with ";" between them
WORK = re.compile(r"(?:[\w -]+: )?(?P<authors>[^;:]*[^;:, ]),? (?P<year>(?:19|20)\d\d)\b(?P<rest>.*)")
IDENTIFIER = re.compile(r"(?:arXiv:(?P<eprint>[\w.-]+/?\d+)|doi:(?P<doi>10\.[^\s,;{}\\%]+))", re.IGNORECASE)


@dataclass(frozen=True)
class Work:
    """A publication: authors as the source names them, and one of eprint (arXiv) and doi, or neither."""

    authors: str
    year: str
    eprint: str
    doi: str

    @property
    def key(self) -> str:
        """The first author's name and the year in small ASCII letters, such as "selvaraju2017"."""
        first_author = re.split(r" et al\.?|,| & | and ", self.authors)[0].split()[-1]
        letters = unicodedata.normalize("NFKD", first_author).encode("ascii", "ignore").decode().lower()
        return (re.sub(r"[^a-z]", "", letters) or "anonymous") + self.year

    def entry(self) -> str:
        """The BibTeX entry; a work whose title isn't known goes without."""
        title = TITLES.get(self.eprint or self.doi, "")
        url = (
            f"https://arxiv.org/abs/{self.eprint}" if self.eprint else f"https://doi.org/{self.doi}" if self.doi else ""
        )
        fields = {
            "author": _escaped(re.sub(r" et al\.?", " and others", self.authors).replace(" & ", " and ")),
            "title": f"{{{_escaped(title)}}}" if title else "",  # braces keep the capitals
            "year": self.year,
            "eprint": self.eprint,
            "archivePrefix": "arXiv" if self.eprint else "",
            "doi": self.doi,
            "url": url,
        }
        lines = [f"  {name} = {{{value}}},\n" for name, value in fields.items() if value]
        return f"@misc{{{self.key},\n{''.join(lines)}}}\n"


def works(method: MethodInfo) -> list[Work]:
    """The works that a method's source names, the first one first; none where it names no year."""
    parsed = []
    for part in method.source.split(";"):
        if match := WORK.fullmatch(part.strip()):
            identifier = IDENTIFIER.search(match["rest"])
            eprint, doi = (identifier["eprint"], identifier["doi"]) if identifier else ("", "")
            parsed.append(Work(match["authors"], match["year"], eprint or "", doi or ""))
    return parsed


def bibtex_key(method: MethodInfo) -> str:
    r"""The key to \cite a method with: of the first work that its source names, empty where it names none."""
    return next((work.key for work in works(method)), "")


def bibtex_entry(method: MethodInfo) -> str:
    """The BibTeX entries of the works that a method's source names, the one of its key first."""
    return "\n".join(work.entry() for work in works(method))


def bibliography(methods: Iterable[MethodInfo]) -> str:
    """The BibTeX entries of several methods, each work once, by key."""
    unique = {work for method in methods for work in works(method)}
    return "\n".join(work.entry() for work in sorted(unique, key=lambda work: (work.key, work.eprint, work.doi)))


def _escaped(text: str) -> str:
    """Text that neither BibTeX nor LaTeX takes for a command."""
    return re.sub(r"([&%$#_])", r"\\\1", re.sub(r"[{}\\~^]", "", text))


def linked(source: str) -> list[tuple[str, str]]:
    """A source in pieces of text, each with the address that it names, or none."""
    pieces, end = [], 0
    for match in IDENTIFIER.finditer(source):
        address = f"https://arxiv.org/abs/{match['eprint']}" if match["eprint"] else f"https://doi.org/{match['doi']}"
        pieces += [(source[end : match.start()], ""), (match[0], address)]
        end = match.end()
    return [piece for piece in (*pieces, (source[end:], "")) if piece[0]]
