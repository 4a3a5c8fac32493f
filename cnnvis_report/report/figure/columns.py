"""Which methods a figure shows, and in which role each of them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cnnvis_report.errors import BadRequest, UnknownName
from cnnvis_report.evidence import words
from cnnvis_report.evidence.families import well_known_first
from cnnvis_report.records.evidence import Evidence, MethodEvidence, Standing
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.methods import MethodInfo
from cnnvis_report.records.run import RunRecord
from cnnvis_report.report.views.methods.method_order import shown_first

MOST = 7  # methods beside the input

Row = tuple[str, str]  # method, layer


@dataclass(frozen=True)
class Column:
    """A method of a figure, at one layer.

    title: with the layer, where the run has the method at several. warning: why it isn't to be trusted here, the end of
    a sentence; empty where nothing speaks against it. best: whether it is there as the best of its family.
    ends: what the ends of its colors stand for, low and high, where that isn't what they say of every map.
    """

    method: MethodInfo
    layer: str
    title: str
    warning: str = ""
    best: bool = False
    ends: tuple[str, str] | None = None


@dataclass(frozen=True)
class Methods:
    """The methods of a run that have maps of the chosen images, and what the evidence says of them.

    rows: methods with their layers, the default layer of the network first.
    """

    run: RunRecord
    evidence: Evidence | None
    rows: tuple[Row, ...]

    def chosen(self) -> list[Column]:
        """The best of each family, the one that stands for the run, one that failed, and a random map."""
        columns = list(self._best())
        names = {column.method.name for column in columns}
        columns += [column for column in self._standing() if column.method.name not in names]
        columns += [column for column in self._failed() if column.method.name not in {c.method.name for c in columns}]
        columns += [self._column(row) for row in self.rows if self.run.method(row[0]).baseline][:1]
        return columns if len(columns) <= MOST else [*columns[: MOST - 2], *columns[-2:]]

    def named(self, names: Sequence[str]) -> list[Column]:
        """The methods that were asked for, each as NAME or NAME@LAYER.

        Raises:
            UnknownName: the run has no such method. BadRequest: there is no map of it, with the reason.
        """
        return [self._column(self._row(name)) for name in dict.fromkeys(names)]

    def _best(self) -> Iterator[Column]:
        """The best of each family, by the evidence; where that ranks none the first, most prominent first."""
        families = set()
        for row in self._ordered():
            info = self.run.method(row[0])
            if not info.baseline and info.family not in families:
                families.add(info.family)
                yield self._column(row, best=True)

    def _ordered(self) -> list[Row]:
        """All rows but those whose maps another one has: best first, where the evidence ranks them."""
        verdicts = self.evidence.methods if self.evidence else ()
        if self.evidence is not None and self.evidence.faithfulness:
            ranked = [(verdict.method, verdict.layer) for verdict in verdicts if not verdict.same_as]
            return [row for row in ranked if row in self.rows]
        twins = {(verdict.method, verdict.layer) for verdict in verdicts if verdict.same_as}
        position = {info.name: number for number, info in enumerate(well_known_first(self.run.methods))}
        return sorted((row for row in self.rows if row not in twins), key=lambda row: position[row[0]])

    def _standing(self) -> Iterator[Column]:
        """The method that stands for the run in the gallery, where the evidence recommends it."""
        name = shown_first(self.run)
        for verdict in self.evidence.methods if self.evidence else ():
            row = (verdict.method, verdict.layer)
            recommended = self.evidence is not None and words.label(verdict, self.evidence) in self.evidence.recommended
            if verdict.method == name and recommended and row in self.rows:
                yield self._column(row)
                return

    def _failed(self) -> list[Column]:
        """One method that failed a check; where none did, the last of those to be avoided."""
        warned = [row for row in self._ordered() if self._warning(row)]
        failed = [row for row in warned if (verdict := self._verdict(row)) and verdict.standing is Standing.FAILED]
        return [self._column(row) for row in failed[:1] or warned[-1:]]

    def _verdict(self, row: Row) -> MethodEvidence | None:
        verdicts = self.evidence.methods if self.evidence else ()
        return next((verdict for verdict in verdicts if (verdict.method, verdict.layer) == row), None)

    def _column(self, row: Row, *, best: bool = False) -> Column:
        method, layer = row
        several = sum(name == method for name, _ in self.rows) > 1
        info = self.run.method(method)
        title = f"{info.title} at {layer}" if several else info.title
        return Column(info, layer, title, self._warning(row), best)

    def _warning(self, row: Row) -> str:
        """Why a method is to be avoided: a check that it failed, or how it compares with random maps."""
        verdict = self._verdict(row)
        if verdict is None or self.evidence is None:
            return ""
        reasons = [check.reason for check in verdict.failures]
        avoided = words.label(verdict, self.evidence) in self.evidence.avoid
        return "; ".join(reasons).rstrip(".") or (verdict.standing.value if avoided else "")

    def _row(self, name: str) -> Row:
        method, _, layer = name.partition("@")
        known = {info.name for info in self.run.methods}
        if method not in known:
            raise UnknownName("method of this run", method, dict.fromkeys(name for name, _ in self.rows))
        rows = [row for row in self.rows if row[0] == method and layer in ("", row[1])]
        if rows:
            return rows[0]
        layers = [row[1] for row in self.rows if row[0] == method]
        if layers:
            raise UnknownName(f"layer of the maps of {method}", layer, layers)
        reasons = [gap.reason for gap in self.run.not_applicable if gap.method == method]
        raise BadRequest(f"{method} has no map of these images{': ' + reasons[0].rstrip('.') if reasons else ''}.")


def rows_of(images: Iterable[ImageRecord], default_layer: str) -> tuple[Row, ...]:
    """The methods and layers of which some image has a map, each method's default layer first."""
    rows = dict.fromkeys((record.method, record.layer) for image in images for record in image.maps)
    return tuple(sorted(rows, key=lambda row: row[1] != default_layer))
