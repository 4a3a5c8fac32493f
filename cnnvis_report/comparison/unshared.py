"""What some runs have and not all do: images, classes, methods, layers."""

from collections.abc import Collection, Sequence

from cnnvis_report.comparison.survey import Survey
from cnnvis_report.evidence import words
from cnnvis_report.records.comparison import ComparedMethod, Unshared
from cnnvis_report.store.run_folder import StoredRun

LISTED = 20  # names of each run


def unshared(
    runs: Sequence[StoredRun],
    surveys: Sequence[Survey],
    matched: Sequence[tuple[str, ...]],
    methods: Sequence[ComparedMethod],
) -> dict[str, tuple[Unshared, ...]]:
    """By "images", "classes", "methods" and "layers", what each run has beside what all have."""
    ids = [{image[index] for image in matched} for index in range(len(runs))]
    images = [
        [key.name for key in of.keys if key.id not in with_match] for of, with_match in zip(surveys, ids, strict=True)
    ]
    compared = {method.info.name for method in methods}
    of_methods = [
        [run.record.method(name).title for name in of.layers.by_method if name not in compared]
        for run, of in zip(runs, surveys, strict=True)
    ]
    layers = [
        sorted({layer for name in compared for layer in of.layers.by_method.get(name, ()) if layer}) for of in surveys
    ]
    parts = {
        "images": images,
        "classes": _beside_common([_classes(run, of) for run, of in zip(runs, surveys, strict=True)]),
        "methods": of_methods,
        "layers": _beside_common(layers),
    }
    return {kind: listed for kind, names in parts.items() if (listed := _listed(names))}


def _classes(run: StoredRun, of_run: Survey) -> list[str]:
    """The classes that a network is known to have: all of them where it names them, else those of labels."""
    return list(run.record.network.names) or [name for name, known in of_run.labels.items() if known]


def _beside_common(names: Sequence[Collection[str]]) -> list[list[str]]:
    common = set(names[0]).intersection(*names[1:])
    return [[name for name in of_run if name not in common] for of_run in names]


def _listed(names: Sequence[Sequence[str]]) -> tuple[Unshared, ...]:
    return tuple(Unshared(run, len(of_run), tuple(of_run[:LISTED])) for run, of_run in enumerate(names) if len(of_run))


def sentences(only: dict[str, tuple[Unshared, ...]], names: Sequence[str]) -> list[str]:
    """What isn't compared, a sentence for each run and kind."""
    nouns = {"images": ("image", "images"), "classes": ("class", "classes"), "methods": ("method", "methods")}
    texts = []
    for kind, (one, many) in nouns.items():
        for entry in only.get(kind, ()):
            shown = entry.names[:3]
            more = f" and {entry.count - len(shown):,} more" if entry.count > len(shown) else ""
            listed = f"{', '.join(shown)}{more}" if more else words.listed(shown)
            verb = "isn't" if entry.count == 1 else "aren't"
            noun = one if entry.count == 1 else many
            texts.append(f"{entry.count:,} {noun} of {names[entry.run]} {verb} in every run: {listed}.")
    return texts
