"""A figure's caption in words, and the same for LaTeX."""

from collections.abc import Iterator

from cnnvis_report.errors import printable
from cnnvis_report.evidence import words
from cnnvis_report.records.methods import Kind, Sign
from cnnvis_report.records.scores import ScoreKind
from cnnvis_report.report.figure.config import LABEL
from cnnvis_report.report.figure.content import Figure
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.store.files.names import FIGURE_SOFTWARE

LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "$": r"\$",
        "&": r"\&",
        "#": r"\#",
        "%": r"\%",
        "_": r"\_",
        "^": r"\textasciicircum{}",
        "~": r"\textasciitilde{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "×": r"$\times$",
        "−": r"$-$",
        "≥": r"$\geq$",
        "⚠": r"$\triangle$",
        "✓": r"$\surd$",
        "✗": r"$\times$",
        "–": "--",
    }
)


def caption(figure: Figure) -> str:
    """What a reader has to know of a figure, in sentences."""
    return printable(" ".join(_sentences(figure)), " ")


def latex(text: str, width_mm: float, file: str = "figure.pdf") -> str:
    """A figure with this caption in LaTeX, as wide as it was drawn."""
    kind = "figure*" if width_mm > 100 else "figure"
    return (
        f"% {FIGURE_SOFTWARE}\n\\begin{{{kind}}}\n  \\centering\n  \\includegraphics[width={width_mm:g}mm]{{{file}}}\n"
        f"  \\caption{{{text.translate(LATEX)}}}\n\\end{{{kind}}}\n"
    )


def _sentences(figure: Figure) -> Iterator[str]:
    yield f"Attribution maps of {figure.run.network.name} for {_target(figure)}."
    yield _rows(figure)
    yield _columns(figure)
    yield from (f"{one} and {other} give the same maps." for one, other in figure.same)
    yield _scales(figure)
    if any(row.mask is not None for row in figure.rows):
        yield "Outlines: ground-truth masks."
    if any(any(row.boxes) for row in figure.rows):
        yield "Yellow: the box whose score is explained."
    if any(row.image.correct is not None for row in figure.rows):
        yield f"✓ correct, ✗ error, with the probability of the predicted {_noun(figure)}."


def _noun(figure: Figure) -> str:
    return fmt.column(figure.run.network.kind)


def _target(figure: Figure) -> str:
    """The class whose maps are shown, in words."""
    noun, kind = _noun(figure), figure.run.network.kind
    if figure.target == LABEL:
        return f"the {noun} of the label"
    if kind.has_classes and all(row.target in row.image.top[:1] for row in figure.rows):
        if kind is ScoreKind.SEGMENTATION:
            return f"the {noun} of the largest region"
        if kind is ScoreKind.DETECTION:
            return f"the {noun} of the best box"
        return f"the predicted {noun}" if kind.exclusive else f"the {noun} of the highest probability"
    return words.listed(list(dict.fromkeys(row.target.name for row in figure.rows if row.target)))


def _rows(figure: Figure) -> str:
    total = fmt.count(figure.total, "image")
    if figure.rule:
        return f"Rows, of {total}: {figure.rule}."
    if len(figure.rows) == figure.total > 1:
        return "Rows: both images." if figure.total == 2 else f"Rows: all {total}."
    names = words.listed([row.name for row in figure.rows])
    return f"Row: {names}." if len(figure.rows) == 1 else f"Rows: {names}, of {total}."


def _columns(figure: Figure) -> str:
    """The methods, and why they are there."""
    evidence, columns = figure.evidence, figure.columns
    best = [column.title for column in columns if column.best and not column.warning]
    named = [column.title for column in columns if not (column.best or column.warning or column.method.baseline)]
    parts = ["the input", *named]
    if best and evidence is not None and evidence.faithfulness:
        measure = words.metric(figure.run, evidence.faithfulness).title
        images = next(counted.images for counted in evidence.measures if counted.name == evidence.faithfulness)
        which = "the best methods of their families" if len(best) > 1 else "the best method of its family"
        parts.insert(1, f"{', '.join(best)} ({which} by {words.within_sentence(measure)}, n = {images})")
    else:
        parts[1:1] = best
    parts += [f"⚠ {column.title} ({column.warning})" for column in columns if column.warning]
    parts += ["a random map for comparison" for column in columns if column.method.baseline]
    return f"Columns: {'; '.join(parts)}."


def _scales(figure: Figure) -> str:
    """How colors are to be read."""
    kinds = {(column.method.kind is Kind.PIXEL, column.method.shown_sign) for column in figure.columns}
    ends = []
    if any(not alone for alone, _ in kinds):
        ends.append(f"its largest absolute value (over the input, {fmt.level(figure.look.opacity)} opacity)")
    if any(alone for alone, _ in kinds):
        ends.append("the 99th percentile of its absolute values (pixels alone)")
    sentence = f"Each map is scaled to {' or '.join(ends)}"
    if any(sign is Sign.SIGNED for _, sign in kinds):
        warm, cold = ("orange", "purple") if figure.look.signed == "PuOr" else ("red", "blue")
        sentence += f"; where values are signed, {warm} speaks for the {_noun(figure)} and {cold} against it"
    return f"{sentence}."
