"""What a reader has to know before trusting a comparison, in sentences; what some runs have and not all do."""

from collections.abc import Collection, Iterator, Sequence

from cnnvis_report.comparison.align import Survey
from cnnvis_report.evidence import words
from cnnvis_report.records.comparison import ComparedMethod, Unshared
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.store.run_folder import StoredRun

LISTED = 20  # names of each run


def notices(
    runs: Sequence[StoredRun],
    names: Sequence[str],
    own_targets: int,
    methods: Sequence[ComparedMethod],
    only: dict[str, tuple[Unshared, ...]],
) -> Iterator[str]:
    """The sentences, what differs by intent last."""
    yield from sentences(only, names)
    fingerprints = [run.record.fingerprint for run in runs]
    for index, name in enumerate(names[1:], start=1):
        if fingerprints[index] in fingerprints[:index]:
            other = names[fingerprints.index(fingerprints[index])]
            yield f"{name} and {other} are the same run: network, images and settings are equal, so nothing differs."
    if own_targets and methods:
        yield (
            f"On {words.counted(own_targets, 'image')} no class is explained in every run: maps of different classes "
            "are compared; --classes label or top:5 explains more."
        )
    for name, run in zip(names, runs, strict=True):
        if run.record.settings.get("select", "all") != "all":
            yield f"{name} explains a selection of its images, so figures here are of that selection."
        if run.record.in_training_set:
            seen = words.counted(run.record.in_training_set, "image")
            yield f"The network of {name} was trained on {seen} of its run, so its accuracy there is too good."
    yield from _differences(runs, names, methods)


def _differences(runs: Sequence[StoredRun], names: Sequence[str], methods: Sequence[ComparedMethod]) -> Iterator[str]:
    """Settings that move maps whatever the networks look at."""
    for name, run in zip(names[1:], runs[1:], strict=True):
        first, network = runs[0].record.network, run.record.network
        if network.preprocessing != first.preprocessing:
            yield f"{name} preprocesses images differently from {names[0]}: {network.preprocessing}."
        if network.quantity is not first.quantity:
            yield f"Maps of {name} explain a {network.quantity}, those of {names[0]} a {first.quantity}."
    for method in methods:
        if len(set(method.layers)) > 1:
            parts = [f"{layer} in {name}" for layer, name in zip(method.layers, names, strict=True)]
            yield f"{method.info.title} is read at {words.listed(parts)}: the only layer, or the default one, of each."
        yield from _options(method, runs, names)


def _options(method: ComparedMethod, runs: Sequence[StoredRun], names: Sequence[str]) -> Iterator[str]:
    """Options of a method that aren't the same in all runs."""
    of_runs = [run.record.method(method.info.name).options for run in runs]
    for option in method.info.options:
        values = [options.get(option) for options in of_runs]
        if len(set(map(str, values))) > 1:
            parts = [f"{value} in {name}" for value, name in zip(values, names, strict=True)]
            yield f"{method.info.title} has {option} = {words.listed(parts)}, which moves its maps too."


def file_notices(by_name: int, other_masks: int) -> Iterator[str]:
    """Images that aren't the same in every run.

    Args:
        by_name: images whose files differ. other_masks: images whose masks do.
    """
    if by_name:
        verb, have = ("is", "has") if by_name == 1 else ("are", "have")
        yield f"{words.counted(by_name, 'image')} {verb} matched by name alone and {have} other pixels in other runs."
    if other_masks:
        have = "has" if other_masks == 1 else "have"
        yield f"{words.counted(other_masks, 'image')} {have} another mask in other runs."


def differs(records: Sequence[ImageRecord]) -> tuple[bool, bool]:
    """Whether the files of matched images differ, and whether their masks do."""
    parts = [record.content.partition("+") for record in records]
    return len({part[0] for part in parts}) > 1, len({part[2] for part in parts}) > 1


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
        [run.record.method(name).title for name in of.layers if name not in compared]
        for run, of in zip(runs, surveys, strict=True)
    ]
    layers = [sorted({layer for name in compared for layer in of.layers.get(name, ()) if layer}) for of in surveys]
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
