"""Descriptions of methods as readers of a report get them: nothing of a call in Python is left."""

import re
from dataclasses import replace

import pytest

from cnnvis_report.methods.catalog import catalog
from cnnvis_report.report.site.renderer import code
from cnnvis_report.report.views.methods.definition import Definition, definition

BUILT_IN = {method.info.name: method.info for method in catalog()}
PYTHON = re.compile(r"Args:|Arguments:|Returns:|Raises:|NotApplicable|UnknownName|BadRequest|\[N|targets:")


@pytest.mark.parametrize("name", BUILT_IN)
def test_nothing_of_a_call_in_python_is_left(name: str) -> None:
    info = BUILT_IN[name]
    defined = definition(info)
    words = [*defined.paragraphs, *defined.options.values(), defined.maps, defined.not_applicable]
    assert not any(PYTHON.search(text) for text in words)
    assert defined.paragraphs and defined.maps and set(defined.options) == set(info.options)
    assert " ".join(defined.paragraphs) in " ".join(info.text.split())  # word for word


def test_a_description_is_read_in_its_parts() -> None:
    text = """What it shows.

First paragraph,
in two lines.

Args:
    targets: [N] class indices.
    layer: the layer; empty means
        the last.
    *more (int): of no option.

Returns:
    [N, h, w] at the layer's own size,
    in logits.

Raises:
    UnknownName: the network has no such layer.
    NotApplicable: the network ends in
        something else.

Last paragraph, with `code`."""
    assert definition(replace(BUILT_IN["grad_cam"], text=text)) == Definition(
        paragraphs=("First paragraph, in two lines.", "Last paragraph, with `code`."),
        options={"layer": "the layer; empty means the last"},
        maps="at the layer's own size, in logits",
        not_applicable="the network ends in something else",
    )


@pytest.mark.parametrize("text", ["", "One line.", "One line.\n\nArgs:", "One line.\n\nRaises:\n\n  \n"])
def test_a_description_of_somebody_else_may_say_nothing(text: str) -> None:
    assert definition(replace(BUILT_IN["grad_cam"], text=text)) == Definition((), {}, "", "")


def test_another_form_of_docstring_stays_text() -> None:
    text = "Shows it.\n\nParameters\n----------\nlayer : str"
    assert definition(replace(BUILT_IN["grad_cam"], text=text)).paragraphs == ("Parameters ---------- layer : str",)


def test_code_is_marked_and_nothing_else_is_markup() -> None:
    assert code("as `grid <b>` says <i>") == "as <code>grid &lt;b&gt;</code> says &lt;i&gt;"
