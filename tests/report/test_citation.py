"""How a run is cited: what the repository's own citation says, and text that LaTeX and BibTeX take for no command."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from cnnvis_report import __version__
from cnnvis_report.records.images import NotApplicableRecord
from cnnvis_report.records.run import RunRecord
from cnnvis_report.report.citation import AUTHOR, LICENSE, TITLE, appendix, references, software_entry, used_methods
from cnnvis_report.store import load_run
from tests.conftest import command
from tests.fixtures.make_run import FOLDER


@pytest.fixture
def run() -> RunRecord:
    return load_run(FOLDER).record


def test_the_software_is_cited_as_the_repository_says() -> None:
    text = Path(__file__).parents[2].joinpath("CITATION.cff").read_text(encoding="utf-8")
    assert f'title: "{TITLE}"' in text and f"- name: {AUTHOR}" in text
    assert f"license: {LICENSE}" in text and f"version: {__version__}" in text


def test_the_paragraph_has_what_repeats_the_maps(run: RunRecord) -> None:
    text = appendix(run)
    for fact in ("for tiny (653 parameters", "2 images", "resized to 16×16", "Random seed: 0", run.fingerprint):
        assert fact in text
    assert "CAM (Zhou et al. 2016, arXiv:1512.04150)" in text and "the 2 classes of the highest scores" in text


def test_methods_without_maps_are_not_cited(run: RunRecord) -> None:
    without = replace(run, not_applicable=(NotApplicableRecord("cam", "no pooling"),))
    assert [method.name for method in used_methods(without)] == ["gradient", "random"]
    assert "zhou2016" not in references(without) and "CAM" not in appendix(without)


def test_each_citation_in_latex_has_an_entry(run: RunRecord) -> None:
    cited = set(re.findall(r"\\cite\{(\w+)\}", appendix(run, latex=True)))
    assert cited == set(re.findall(r"@\w+\{(\w+),", references(run))) == {"cnnvisreport", "zhou2016", "simonyan2013"}


def test_options_are_stated(run: RunRecord) -> None:
    cam, *others = run.methods
    with_options = replace(run, methods=(replace(cam, options={"n": 50, "noise_level": 0.1, "layer": ""}), *others))
    assert "CAM (n = 50, noise_level = 0.1, layer = " in appendix(with_options)
    assert r"noise\_level" in appendix(with_options, latex=True)


def test_a_hostile_run_starts_no_command(run: RunRecord) -> None:
    hostile = replace(
        run,
        network=replace(run.network, name=r"\input{/etc/passwd} 50% & #1 $x$ {"),
        provenance={"versions": {"cnnvis-report": r"1}\write18{rm} ,", "torch": "2_0"}},
    )
    text = appendix(hostile, latex=True)
    assert r"\input" not in text and r"50\% \& \#1 \$x\$ \{" in text
    entry = references(hostile).partition("\n\n")[0]
    assert entry.count("{") == entry.count("}") and "\\" not in entry
    assert software_entry("0.1.0").count("version = {0.1.0}") == 1


def test_the_command_writes_a_file_of_entries_alone(tmp_path: Path) -> None:
    command("cite", FOLDER, "--latex", "-o", tmp_path / "references.bib")
    text = (tmp_path / "references.bib").read_text(encoding="utf-8")
    outside = re.sub(r"(?ms)^@\w+\{.*?^\}$", "", text)
    assert [line for line in outside.splitlines() if line and not line.startswith("%")] == []
    assert command("cite", FOLDER).output.startswith("% Maps were computed with cnnvis-report")
    command("cite", FOLDER, "-o", tmp_path / "references.bib")  # over its own


def test_references_of_a_paper_are_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "references.bib").write_text("@article{ours2024,}")
    result = command("cite", FOLDER, "-o", tmp_path / "references.bib", code=2)
    assert "isn't a list of references that this program has written" in result.stderr
    assert (tmp_path / "references.bib").read_text() == "@article{ours2024,}"
