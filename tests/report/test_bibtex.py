"""BibTeX entries from what the registry says of methods."""

import re
from dataclasses import replace

import pytest

from cnnvis_report.methods.registry import methods
from cnnvis_report.records.methods import MethodInfo
from cnnvis_report.report.bibtex import bibliography, bibtex_entry, bibtex_key, works
from cnnvis_report.report.titles import TITLES

INFOS = {entry.info.name: entry.info for entry in methods()}


def of_source(source: str) -> MethodInfo:
    return replace(INFOS["grad_cam"], source=source)


def test_an_entry_has_author_title_year_and_address() -> None:
    assert bibtex_key(INFOS["grad_cam"]) == "selvaraju2017"
    assert bibtex_entry(INFOS["grad_cam"]) == (
        "@misc{selvaraju2017,\n"
        "  author = {Selvaraju and others},\n"
        "  title = {{Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization}},\n"
        "  year = {2017},\n"
        "  eprint = {1610.02391},\n"
        "  archivePrefix = {arXiv},\n"
        "  url = {https://arxiv.org/abs/1610.02391},\n"
        "}\n"
    )


@pytest.mark.parametrize(
    ("source", "key"),
    [
        pytest.param("Muhammad & Yeasin 2020, arXiv:2008.00299", "muhammad2020", id="two authors"),
        pytest.param("Bach et al. 2015, doi:10.1371/journal.pone.0130140, eq. 56", "bach2015", id="doi"),
        pytest.param("Müller-Ångström et al. 2001", "mullerangstrom2001", id="accents"),
        pytest.param("Laurens van der Maaten, 2008", "maaten2008", id="several words"),
        pytest.param("王 et al. 2020", "anonymous2020", id="no Latin letter"),
        pytest.param("no source: noise", "", id="no source"),
        pytest.param("", "", id="empty"),
    ],
)
def test_keys(source: str, key: str) -> None:
    assert bibtex_key(of_source(source)) == key
    assert bool(bibtex_entry(of_source(source))) == bool(key)


def test_two_authors_are_joined_as_bibtex_joins_them() -> None:
    assert "author = {Muhammad and Yeasin}" in bibtex_entry(INFOS["eigen_cam"])


def test_every_work_of_a_source_has_an_entry() -> None:
    assert [work.key for work in works(INFOS["smoothgrad"])] == ["smilkov2017", "hooker2018"]
    assert bibtex_entry(INFOS["smoothgrad"]).count("@misc") == 2


def test_a_hostile_source_closes_no_brace_and_starts_no_command() -> None:
    entry = bibtex_entry(of_source(r"Ev}il\input{x} & 50%#_$ 2020, doi:10.1/a}b"))
    assert entry.count("{") == entry.count("}")
    assert "\\input" not in entry and r"50\%\#\_\$" in entry


@pytest.mark.parametrize("name", [name for name, info in INFOS.items() if bibtex_key(info)])
def test_every_work_of_ours_has_a_title(name: str) -> None:
    assert all(TITLES.get(work.eprint or work.doi) for work in works(INFOS[name]))


def test_every_method_of_ours_with_a_source_has_a_work_and_every_title_a_method() -> None:
    assert {name for name, info in INFOS.items() if not bibtex_key(info)} == {"random"}
    used = {work.eprint or work.doi for info in INFOS.values() for work in works(info)}
    assert used == set(TITLES)


def test_a_bibliography_has_each_work_once_and_no_key_twice() -> None:
    text = bibliography(INFOS.values())
    keys = re.findall(r"@misc\{(\w+),", text)
    assert keys == sorted(keys) and len(keys) == len(set(keys)) == len(TITLES)
