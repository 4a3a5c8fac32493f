"""Do verdicts survive another draw of images? Two disjoint halves of a set, side by side.

    python -m tests.benchmarks.halves FOLDER [FOLDER ...] [--splits 20]
    python -m tests.benchmarks.halves --run IMAGES -o FOLDER [--masks MASKS] [--model squeezenet1_1] [--weights FILE]

Reads runs whose images were all measured, or makes one, with the metrics of `quick`. Every other image is one half, the
others are the other; what one recommends and the other warns of is a contradiction. More splits at random follow.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from cnnvis_report.evidence import evidence_of, words
from cnnvis_report.records.evidence import Evidence
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.run import RunRecord
from cnnvis_report.store import load_run

METHODS = "quick,lrp_composite,integrated_gradients,smoothgrad"
OPTIONS = ("-O", "integrated_gradients.steps=8", "-O", "smoothgrad.n=8")


def halves(run: RunRecord, images: Sequence[ImageRecord], chosen: Sequence[int]) -> tuple[Evidence, Evidence]:
    """The evidence of some images and that of all others; the tests of both are those of the whole run."""
    rest = sorted(set(range(len(images))) - set(chosen))
    one, other = (evidence_of(run, [images[index] for index in part]) for part in (chosen, rest))
    assert one is not None and other is not None, "each half needs images that were measured"
    return one, other


def contradictions(one: Evidence, other: Evidence) -> set[str]:
    """Methods that one recommends and the other warns of."""
    return (set(one.recommended) & set(other.avoid)) | (set(one.avoid) & set(other.recommended))


def table(run: RunRecord, one: Evidence, other: Evidence) -> str:
    """Both verdicts on each method, as Markdown."""
    lines = [
        f"| method | {one.images} images | | the other {other.images} | |",
        "|---|---|---|---|---|",
    ]
    second = {words.label(method, other): method for method in other.methods}
    for method in one.methods:
        label = words.label(method, one)
        cells = []
        for evidence, verdict in ((one, method), (other, second[label])):
            measured = verdict.measures.get(evidence.faithfulness)
            difference = measured.difference if measured else None
            mark = "use" if label in evidence.recommended else "avoid" if label in evidence.avoid else ""
            mark = f"as {words.title(run, verdict.same_as)}" if verdict.same_as else mark
            cells += [
                words.interval(difference) if difference else "",
                f"{verdict.standing}; **{mark}**" if mark else f"{verdict.standing}",
            ]
        lines.append(f"| {words.title(run, label)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def report(folder: Path, splits: int) -> None:
    """Print what the halves of a run say."""
    stored = load_run(folder)
    run = stored.record
    images = [image for image in stored.images() if image.metrics is not None]
    one, other = halves(run, images, range(0, len(images), 2))
    print(f"\n## {folder.name}: {words.metric(run, one.faithfulness or other.faithfulness).title}\n")
    print(table(run, one, other))
    against = contradictions(one, other)
    print(f"\nContradictions: {words.listed(sorted(against)) or 'none'}.")
    generator = np.random.default_rng(0)
    drawn = [generator.permutation(len(images))[: len(images) // 2].tolist() for _ in range(splits)]
    pairs = [halves(run, images, sorted(chosen)) for chosen in drawn]
    wrong = sum(bool(contradictions(*pair)) for pair in pairs)
    shared = sum(bool(set(pair[0].recommended) & set(pair[1].recommended)) for pair in pairs)
    silent = sum(not (pair[0].recommended and pair[1].recommended) for pair in pairs)
    print(
        f"Of {splits} random splits, {wrong} have a contradiction, {shared} recommend a method in both halves, and in "
        f"{silent} a half recommends nothing."
    )


def make(images: Path, folder: Path, model: str, weights: str, masks: Path | None) -> None:
    """A run of all images in which every one is measured as with `quick`."""
    from click.testing import CliRunner

    from cnnvis_report.cli.main import cli
    from cnnvis_report.pipeline.planning.metrics_budget import BUDGETS

    BUDGETS["quick"] = replace(BUDGETS["quick"], images=None)
    arguments = ["run", model, str(images), "-o", str(folder), "-m", METHODS, *OPTIONS, "--metrics", "quick", "-q"]
    arguments += ["--weights", weights] if weights else []
    arguments += ["--masks", str(masks)] if masks else []
    result = CliRunner().invoke(cli, [*arguments, "--device", "cpu", "--classes", "top:1"], catch_exceptions=False)
    print(result.output)


def main() -> None:
    """Parse, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--run", type=Path)
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--masks", type=Path)
    parser.add_argument("--model", default="squeezenet1_1")
    parser.add_argument("--weights", default="")
    parser.add_argument("--splits", type=int, default=20)
    given = parser.parse_args()
    if given.run:
        make(given.run, given.output, given.model, given.weights, given.masks)
    for folder in given.folders or [given.output]:
        report(folder, given.splits)


if __name__ == "__main__":
    main()
