"""The methods page in Chromium: its table is sorted, its rows open, and its BibTeX can be copied."""

from pathlib import Path
from typing import Any

import pytest

from cnnvis_report.store import load_run
from tests.pages.browser import Visit, until

pytestmark = pytest.mark.browser

ORDER = "[...document.querySelectorAll('.method-table [data-rows]')].map((body) => body.id)"
KEYS = """(name) => { const head = document.querySelector(`[data-sort='${name}']`);
  const rows = [...document.querySelectorAll('.method-table [data-rows]')].map((body) => body.rows[0]);
  return rows.map((row) => row.cells[head.cellIndex].dataset.order) }"""


def passes(keys: list[str]) -> list[float]:
    return [float(key) for key in keys if key]


def test_a_column_is_sorted_up_and_down_and_the_address_keeps_it(visit: Visit, moved: Path) -> None:
    tab = visit.open(moved / "methods.html")
    first = tab.evaluate(ORDER)
    head = tab.locator("[data-sort='passes']")
    assert head.get_attribute("aria-sort") is None
    head.locator("button").focus()
    tab.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    up = passes(tab.evaluate(KEYS, "passes"))
    assert up == sorted(up) and tab.evaluate("location.hash") == "#sort=passes"
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    down = passes(tab.evaluate(KEYS, "passes"))
    assert down == up[::-1] and tab.evaluate("location.hash") == "#sort=-passes"
    assert sorted(tab.evaluate(ORDER)) == sorted(first), "no row is lost"
    again = visit.open(moved / "methods.html", "#sort=-passes")
    assert passes(again.evaluate(KEYS, "passes")) == down
    assert again.locator("th[aria-sort]").count() == 1
    visit.is_quiet()


def test_a_row_opens_by_its_button_and_by_the_address(visit: Visit, moved: Path) -> None:
    tab = visit.open(moved / "methods.html")
    about = tab.locator("#about-grad_cam")
    assert not about.is_visible()
    button = tab.locator("#grad_cam button[aria-controls='about-grad_cam']")
    assert button.get_attribute("aria-expanded") == "false"
    button.click()
    assert about.is_visible() and button.get_attribute("aria-expanded") == "true"
    assert about.locator("math").count() == 1
    assert about.locator("a[rel~='noopener']").get_attribute("href") == "https://arxiv.org/abs/1610.02391"
    button.click()
    assert not about.is_visible()
    tab.evaluate("location.hash = '#saliency'")
    until(tab, "!document.querySelector('#about-saliency').hidden")
    visit.is_quiet()


def test_bibtex_is_copied(chromium: Any, moved: Path, report: Path) -> None:
    visit = Visit(chromium, permissions=["clipboard-read", "clipboard-write"])
    tab = visit.open(moved / "methods.html")
    all_of_them = tab.locator("details.bibtex").last
    all_of_them.locator("summary").click()
    all_of_them.locator("[data-copy-text]").click()
    until(tab, "[...document.querySelectorAll('[data-copy-text]')].some((button) => button.textContent === 'Copied')")
    copied = tab.evaluate("navigator.clipboard.readText()")
    assert copied == all_of_them.locator("pre").text_content()
    assert copied.count("@") >= len({method.source for method in load_run(report).record.methods}) - 3
    visit.is_quiet()
    visit.close()


def test_without_scripts_everything_can_be_read_and_nothing_pretends(chromium: Any, moved: Path) -> None:
    visit = Visit(chromium, java_script_enabled=False)
    page = visit.tab.page
    page.goto((moved / "methods.html").as_uri())
    assert page.locator("#about-grad_cam").is_visible()
    assert page.locator("main button:visible").count() == 0
    visit.close()


def test_the_command_is_copied(chromium: Any, moved: Path) -> None:
    visit = Visit(chromium, permissions=["clipboard-read", "clipboard-write"])
    tab = visit.open(moved / "run.html")
    tab.locator(".command [data-copy-text]").first.click()
    until(tab, "document.querySelector('.command button').textContent === 'Copied'")
    assert tab.evaluate("navigator.clipboard.readText()").startswith("cnnvis-report run ")
    visit.is_quiet()
    visit.close()
