"""Does marking the relevant area change what the network looks at?

    python examples/does_marking_help/study.py OUT

The same scenes are drawn in five variants, a network is trained on each, and a report says what it looks at. Then
it is measured where the maps lie, and OUT/index.html sets the five side by side. What was done already is skipped when
the script is started again.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import click
from findings import findings
from measure import Network, learned_in, look, report_of, scored
from page import write_page
from results import Results, figures
from scenes import write_conflict

from cnnvis_report.cli.main import cli
from cnnvis_report.data.discovery.dataset_json import read_description
from cnnvis_report.errors import BadRequest
from cnnvis_report.records.codec import from_json, to_json
from cnnvis_report.store.files.atomic import beside
from cnnvis_report.store.run_folder import load_run
from cnnvis_report.synthetic.layers import VARIANTS

METHODS = "quick,lrp_composite"
TRAINED_ON, TESTED_ON = "0", "1"  # seeds: other scenes
# networks and the scenes they are explained on; the last two see scenes without the marks that they were trained with
LOOKS = (*((variant, variant) for variant in VARIANTS), ("marked", "gray"), ("misleading", "gray"))


@dataclass(frozen=True)
class Settings:
    """What decides the results; `size` is of the drawn pictures, `seed` of the training."""

    images: int
    test: int
    size: int
    epochs: int
    explained: int
    seed: int


@click.command()
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
@click.option("--images", type=click.IntRange(10), default=1000, show_default=True, help="Scenes to train on.")
@click.option("--test", type=click.IntRange(4), default=200, show_default=True, help="Scenes to test with.")
@click.option("--size", default=213, show_default=True, metavar="SIDE", help="Pixels a side of the drawn pictures.")
@click.option("--epochs", type=click.IntRange(1), default=8, show_default=True, help="Rounds through the scenes.")
@click.option("--explained", type=click.IntRange(2), default=60, show_default=True, help="Test scenes to explain.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the training.")
def main(out: Path, **given: int) -> None:
    """Draw, train, explain, measure; the page is OUT/index.html."""
    settings = Settings(**given)
    claim(out, settings)
    for variant in VARIANTS:
        draw(out / "train" / variant, variant, settings.images, settings.size, TRAINED_ON)
        draw(out / "test" / variant, variant, settings.test, settings.size, TESTED_ON)
        # the first of the test scenes: a picture depends on its number and the seed alone
        draw(out / "explained" / variant, variant, min(settings.explained, settings.test), settings.size, TESTED_ON)
    if not (out / "test" / "conflict").is_dir():
        write_conflict(out / "test" / "gray", out / "test" / "misleading", out / "test" / "conflict")
    for variant in VARIANTS:
        train(out, variant, settings)
    for network, scenes in LOOKS:
        report(out, network, scenes)
    results = measured(out, settings)
    write_page(results, out)
    click.echo("\n".join(["", *figures(results), "", *findings(results), "", f"Wrote {out / 'index.html'}"]))


def claim(out: Path, settings: Settings) -> None:
    """Note the settings, so that a later start with others doesn't mix its results with these."""
    path = out / "settings.json"
    if path.is_file():
        if json.loads(path.read_text(encoding="utf-8")) != asdict(settings):
            raise click.UsageError(f"{out} holds a study with other settings ({path.name}). Give another folder.")
        return
    if out.is_dir() and any(out.iterdir()):
        raise click.UsageError(f"{out} holds something else. Give another folder.")
    with beside(path) as temporary:
        temporary.write_text(to_json(asdict(settings)) + "\n", encoding="utf-8")


def draw(folder: Path, variant: str, count: int, size: int, seed: str) -> None:
    """Draw a set, unless it is there."""
    if not (read_description(folder) or {}).get("complete"):
        words = ("-n", count, "-o", folder, "--variant", variant, "--size", size, "--seed", seed)
        call("make-dataset", "layers", *words, "--quiet")


def train(out: Path, variant: str, settings: Settings) -> None:
    """Train a network on a variant, unless it is there."""
    model = out / f"{variant}.pt"
    if not model.is_file():
        click.echo(f"Training on {variant}", err=True)
        try:
            words = ("-o", model, "--test", out / "test" / variant, "--epochs", settings.epochs)
            call("train", out / "train" / variant, *words, "--seed", settings.seed)
        except SystemExit:
            model.unlink(missing_ok=True)  # stopped half-way: not the training that the study is about
            raise


def report(out: Path, network: str, scenes: str) -> None:
    """Explain a network on the first test scenes of a variant, unless that was done."""
    folder = out / report_of(network, scenes)
    try:
        done = load_run(folder) and (folder / "index.html").is_file()
    except BadRequest:
        done = False
    if not done:
        words = ("--methods", METHODS, "--classes", "label", "--inspect", "none", "--quiet")
        call("run", out / f"{network}.pt", out / "explained" / scenes, "-o", folder, *words)


def measured(out: Path, settings: Settings) -> Results:
    """All that the study measures, kept in results.json."""
    path = out / "results.json"
    if path.is_file():
        return from_json(Results, json.loads(path.read_text(encoding="utf-8")))
    networks = []
    for variant in VARIANTS:
        model = out / f"{variant}.pt"
        scores = [scored(model, out / "test" / scenes) for scenes in dict.fromkeys((variant, "gray", "conflict"))]
        networks.append(Network(variant, tuple(scores), learned_in(model)))
    looks = [look(out / report_of(*each), out / "explained", *each) for each in LOOKS]
    results = Results(asdict(settings), tuple(networks), tuple(looks))
    with beside(path) as temporary:
        temporary.write_text(to_json(asdict(results)) + "\n", encoding="utf-8")
    return results


def call(*words: object) -> None:
    """A command of cnnvis-report, in this process."""
    code = cli.main([str(word) for word in words], standalone_mode=False)
    if code:
        raise SystemExit(code)


if __name__ == "__main__":
    main()
