"""One pass over a run's images: everything that the overview says of them as a whole."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from cnnvis_report.records import ImageRecord, Label, MapRecord
from cnnvis_report.records_answers import Answer, Answers, Counting
from cnnvis_report.records_worth import Measures, Worth
from cnnvis_report.store import StoredRun


@dataclass
class MethodSummary:
    """What a method did over the run: maps and gaps, passes, its checks."""

    maps: int = 0
    gaps: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    peaks: int = 0
    peaks_inside: int = 0
    residuals: list[float] = field(default_factory=list)
    conserved: list[float] = field(default_factory=list)
    measured: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    curves: dict[str, list[tuple[float, ...]]] = field(default_factory=lambda: defaultdict(list))
    example: MapRecord | None = None

    def add(self, found: MapRecord) -> None:
        """Count one map in."""
        self.maps += 1
        self.example = self.example or found
        inside = found.evidence.notes.get("peak_inside")
        if inside is not None:
            self.peaks += 1
            self.peaks_inside += bool(inside)
        residual = found.evidence.notes.get("residual")
        if isinstance(residual, float):
            self.residuals.append(residual)
        kept = found.evidence.notes.get("conservation")
        if isinstance(kept, float):
            self.conserved.append(kept)

    def measure(self, found: Measures) -> None:
        """Count what one map was worth in."""
        for name, value in found.values.items():
            self.measured[name].append(value)
        for name, curve in found.curves.items():
            self.curves[name].append(curve)


@dataclass
class Summary:
    """Counts over all images of the run; `answers` over all labelled ones that the network was asked about.

    certain: the sum of the first probabilities. answers: None where no image has a label.
    """

    images: int = 0
    labelled: int = 0
    right: int = 0
    masked: int = 0
    mask_share: float = 0.0
    maps: int = 0
    gaps: int = 0
    classes: int = 0
    certain: float = 0.0
    predicted: Counter[tuple[int, str]] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    answers: Answers | None = None
    agreement: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    methods: dict[str, MethodSummary] = field(default_factory=lambda: defaultdict(MethodSummary))

    def add(self, image: ImageRecord) -> None:
        """Count one image in."""
        first = image.top[0]
        self.images += 1
        self.masked += image.mask_share is not None
        self.mask_share += image.mask_share or 0.0
        self.maps += len(image.maps)
        self.gaps += len(image.gaps)
        self.classes = max(self.classes, len(image.targets))
        self.predicted[first.index, first.name] += 1
        self.certain += first.probability
        if image.label is not None:
            self.labelled += 1
            self.right += bool(image.right)
            self.labels[image.label.name] += 1
        for found in image.maps:
            self.methods[found.method].add(found)
        if image.worth is not None:
            self._measure(image.worth)
        for gap in image.gaps:
            self.methods[gap.method].gaps += 1
            self.methods[gap.method].reasons[gap.reason] += 1

    def _measure(self, worth: Worth) -> None:
        for row, found in zip(worth.agreement, worth.measures, strict=True):
            self.methods[found.method].measure(found)
            for value, other in zip(row, worth.measures, strict=True):
                if value is not None:
                    self.agreement[found.method, other.method].append(value)


def summarise(run: StoredRun) -> Summary:
    """The summary of a run, read image by image."""
    summary, counting = Summary(), Counting()
    for image in run.images():
        summary.add(image)
        if image.label is not None:
            counting.add(_answer(image, image.label))
    summary.answers = run.record.answers or (counting.result() if summary.labelled else None)
    return summary


def _answer(image: ImageRecord, label: Label) -> Answer:
    first = image.top[0]
    own = next((each.probability for each in (*image.top, *image.targets) if each.index == label.index), None)
    return Answer(
        image=image.id,
        name=image.name,
        label=label.name,
        seen=first.name,
        right=bool(image.right),
        probability=first.probability,
        own=own,
        rank=image.rank,
    )
