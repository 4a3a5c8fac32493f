"""A manifest that was cut or changed, and one that fits its types and is no run's."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cnnvis_report.records.codec import Malformed, from_json
from cnnvis_report.records.run import RunRecord, StoredFile
from cnnvis_report.store import RunWriter, load_run, manifest
from cnnvis_report.store.own_files import is_run_folder
from tests.conftest import rewritten
from tests.store.damaged.runs import refused
from tests.store.run_files import without_provenance


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda run: run | {"images": "four"}, "run.images is 'four' in the place of a whole number"),
        (lambda run: run | {"images": 10**30}, "run.images is a number of too many digits"),
        (lambda run: run | {"images": True}, "run.images is True"),
        (
            lambda run: run | {"passes_per_image": {"forward": float("nan")}},
            "run.passes_per_image.forward is nan in the place of a number",
        ),
        (lambda run: run | {"fingerprint": "\ud800"}, "run.fingerprint is"),
        (lambda run: run | {"evil": 1}, "run.evil is unknown"),
        (lambda run: {name: value for name, value in run.items() if name != "methods"}, "run.methods is missing"),
        (lambda run: run | {"settings": [1]}, "run.settings is a list of 1"),
        (lambda run: run | {"settings": {"a": [[[[[[[[[[1]]]]]]]]]]}}, "goes too deep"),
        (lambda run: run | {"network": run["network"] | {"kind": "guess"}}, "run.network.kind is 'guess' in the place"),
        (
            lambda run: run | {"methods": [{**run["methods"][0], "options": {"n": None}}]},
            "run.methods[0].options.n is None",
        ),
    ],
)
def test_the_field_that_is_wrong_is_named(change: Any, named: Any, original: Path) -> None:
    run = json.loads((original / "run.json").read_text())["run"]
    plain = {name: value for name, value in run.items() if name != "sha256"}
    assert isinstance(from_json(RunRecord, plain, "run"), RunRecord)
    with pytest.raises(Malformed) as error:
        from_json(RunRecord, change(plain), "run")
    assert named in str(error.value)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (
            lambda run, images: (replace(run, methods=(replace(run.methods[0], name="../../evil"),)), images),
            "methods[0].name",
        ),
        (lambda run, images: (replace(run, methods=run.methods * 2), images), "run.methods names a method twice"),
        (lambda run, images: (replace(run, files={"../x.npz": StoredFile(1, "0" * 64)}), images), "run.files"),
        (lambda run, images: (run, [replace(images[0], id="../evil"), *images[1:]]), "images[0].id is '../evil'"),
        (lambda run, images: (run, [replace(images[0], id="network"), *images[1:]]), "images[0].id is 'network'"),
        (lambda run, images: (run, [images[0], replace(images[1], top=()), *images[2:]]), "images[1].top is empty"),
        (lambda run, images: (run, [replace(images[0], size=(0, 4)), *images[1:]]), "images[0].size is [0, 4]"),
        (lambda run, images: (run, images[:-1]), "lists 3 images in the place of 4"),
        (lambda run, images: (run, [*images, images[0]]), "lists 5 images in the place of 4"),
    ],
)
def test_what_fits_its_type_and_no_run_is_named_too(change: Any, named: Any, report: Path) -> None:
    rewritten(report, change)
    assert named in refused(report)


def lines(folder: Path) -> list[str]:
    return (folder / "run.json").read_text(encoding="utf-8").splitlines(keepends=True)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda text: text[:-3], "lists 2 images in the place of 4"),
        (lambda text: text[:-1], "has no end"),
        (lambda text: [*text[:-1], "]"], "images[4] is cut short"),
        (lambda text: [*text[:4], text[4][:200]], "images[1] is cut short or no JSON"),
        (lambda text: [*text, "more\n"], "has no end"),
        (lambda text: [*text[:3], text[4], text[3], *text[5:]], "isn't as the run has written it there"),
        (lambda text: text[:1], "is cut short or no manifest"),
        (lambda text: [text[0], text[1][:1000]], "is cut short or no manifest"),
        (lambda text: [], "is cut short or no manifest"),
        (lambda text: [text[0], text[1].replace('"seed": 0', '"seed": 1'), *text[2:]], "was changed after the run"),
        (
            lambda text: [text[0], text[1].replace('"seconds": ', '"seconds": 1'), *text[2:]],
            "was changed after the run",
        ),
        (
            lambda text: [*text[:3], text[3].replace('"logit": ', '"logit": 1', 1), *text[4:]],
            "images[0] (0.png) isn't as",
        ),
    ],
)
def test_a_manifest_that_was_cut_or_changed_is_never_taken_for_whole(
    change: Any, named: Any, report: Path, again: Any, original: Path
) -> None:
    before = lines(report)
    after = change(before)
    assert after != before
    (report / "run.json").write_text("".join(after), encoding="utf-8")
    assert named in refused(report)
    again()
    assert without_provenance(report) == without_provenance(original)


def test_completeness_is_what_was_asked_for_and_not_what_is_listed(report: Path, again: Any, original: Path) -> None:
    """A manifest that fits its digests and lists fewer images is no complete run of this command."""
    fewer = lambda run, images: (replace(run, images=3), images[:3])  # noqa: E731
    rewritten(report, fewer)
    assert load_run(report).record.images == 3
    again()
    assert without_provenance(report) == without_provenance(original)


def test_a_line_that_holds_too_much_is_not_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of millions of empty lists takes twenty times its bytes in memory."""
    (tmp_path / "run.json").write_text("[" + "[]," * manifest.MOST_VALUES + "[]]\n")
    monkeypatch.setattr(json, "loads", lambda text: pytest.fail("was parsed") if text else None)
    assert list(manifest.list_lines(tmp_path / "run.json")) == []
    assert not is_run_folder(tmp_path)


def test_a_folder_of_ours_whose_manifest_was_lost_is_ours_still(report: Path, again: Any, original: Path) -> None:
    (report / "run.json").write_bytes(b"")
    again()
    assert without_provenance(report) == without_provenance(original)
    (report / "run.json").write_bytes(b"")
    (report / "thesis.txt").write_text("mine")
    assert "not of a report" in again(code=2).stderr and (report / "thesis.txt").read_text() == "mine"


def test_a_run_is_complete_only_with_every_image_that_was_asked_for(report: Path) -> None:
    """Whatever else was compared before: an image without results and without a reason isn't there."""
    run = load_run(report)
    names = {image.id: image.name for image in run.images()}
    assert RunWriter(report, run.record.identity, names, resume=True).complete
    one_more = names | {"one-more-0f": "one more.png"}
    assert not RunWriter(report, run.record.identity, one_more, resume=True).complete
