"""What was found, as tables for a page of the documentation."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from cnnvis_report.evaluation.curve_measures import MEASURES, RANKING
from cnnvis_report.evaluation.metric import METRICS
from cnnvis_report.records.evidence import Interval
from tests.benchmarks.measures.comparison import ALL, TRUTH, Row, compare, tau_between_steps
from tests.benchmarks.measures.scoring import STEPS, TRUTHS, Scored

PAGE = Path(__file__).parents[3] / "docs" / "evidence-benchmark.md"
Sets = Mapping[str, Sequence[Scored]]


def write_tables(scored: Sets) -> None:
    """Put all tables into the page, each between its own marks."""
    text = PAGE.read_text(encoding="utf-8")
    for name, table in tables(scored).items():
        start, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        before, _, rest = text.partition(start)
        text = f"{before}{start}\n{table}\n{end}{rest.partition(end)[2]}"
    PAGE.write_text(text, encoding="utf-8")


def tables(scored: Sets) -> dict[str, str]:
    """Each table in Markdown, by the name of its marks."""
    rows = compare(scored)
    return {
        "networks": networks_table(scored),
        "agreement": agreement_table(rows, list(scored)),
        "details": details_table(rows),
        "steps": steps_table(scored),
    }


def networks_table(scored: Sets) -> str:
    """How the networks classify the images, and what parts of them."""
    names = list(next(iter(scored.values()))[0].accuracies)
    body = [
        [name, *(_percent(np.mean([part.accuracies[name] for part in parts])) for parts in scored.values())]
        for name in names
    ]
    return _table(["Images", *scored], body)


def agreement_table(rows: Sequence[Row], sets: Sequence[str]) -> str:
    """Each measure's agreement with the masks, the best first."""
    body = [
        [_title(row.name), *(_interval(row.agreement[name]) for name in (*sets, ALL)), _interval(row.behind, "–")]
        for row in rows
    ]
    return _table(["Measure", *sets, ALL, "behind the first"], body)


def details_table(rows: Sequence[Row]) -> str:
    """What else there is to know of each measure, in the same order."""
    head = ["Measure", *(METRICS.entries()[truth].infos[0].title for truth in TRUTHS[1:]), "means", "faded", "moved"]
    body = [
        [
            _title(row.name),
            *(_number(row.other_truths[truth]) for truth in TRUTHS[1:]),
            *map(_number, (row.of_means, row.faded, row.shifted, row.halves)),
            f"{row.images} of {row.total}",
            f"{row.passes:.0f}",
        ]
        for row in rows
    ]
    return _table([*head, "halves", "images", "passes"], body)


def steps_table(scored: Sets) -> str:
    """What more steps of a curve change."""
    most = STEPS[-1]
    by_steps = {steps: {row.name: row for row in compare(scored, steps)} for steps in STEPS}
    every = [part for parts in scored.values() for part in parts]
    order = [name for name in by_steps[most] if name in {measure.name for measure in MEASURES}]
    body = [
        [
            _title(name),
            *(_mean(by_steps[steps][name].agreement[ALL]) for steps in STEPS),
            *(_number(tau_between_steps(every, name, steps, most)) for steps in STEPS[:-1]),
        ]
        for name in order
    ]
    return _table(["Measure", *(f"{n} steps" for n in STEPS), *(f"{n} with {most}" for n in STEPS[:-1])], body)


def _title(name: str) -> str:
    infos = (info for entry in METRICS.entries().values() for info in entry.infos)
    title = next(info.title for info in infos if info.name == name)
    return f"**{title}**" if name == RANKING.name else title


def _interval(interval: Interval | None, missing: str = "") -> str:
    if interval is None:
        return missing
    if interval.low is None or interval.high is None:
        return _number(interval.mean)
    return f"{interval.mean:.2f} ({interval.low:.2f} to {interval.high:.2f})"


def _mean(interval: Interval | None) -> str:
    return "" if interval is None else _number(interval.mean)


def _number(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.2f}"


def _percent(value: float | np.floating) -> str:
    return f"{value:.1%}"


def _table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


__all__ = ["PAGE", "TRUTH", "tables", "write_tables"]
