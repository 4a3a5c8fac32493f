"""Formulas of methods as MathML: well-formed, and built as they are written."""

from xml.etree import ElementTree

import pytest

from cnnvis_report.methods.registry import Method, methods
from cnnvis_report.report.views.methods.mathml import mathml


def inside(formula: str) -> str:
    """The MathML of a formula without the element around it."""
    text = mathml(formula)
    return text.partition(">")[2].removesuffix("</math>")


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("x", "<mi>x</mi>"),
        ("x_i^2", "<msubsup><mi>x</mi><mi>i</mi><mn>2</mn></msubsup>"),
        ("x^2_i", "<msubsup><mi>x</mi><mi>i</mi><mn>2</mn></msubsup>"),
        ("w_{kc}", "<msub><mi>w</mi><mrow><mi>k</mi><mi>c</mi></mrow></msub>"),
        (r"\frac{1}{2}", "<mfrac><mn>1</mn><mn>2</mn></mfrac>"),
        (r"\binom{n}{k}", '<mrow><mo>(</mo><mfrac linethickness="0"><mi>n</mi><mi>k</mi></mfrac><mo>)</mo></mrow>'),
        (r"\sqrt{x}", "<msqrt><mi>x</mi></msqrt>"),
        (r"\sum_k A", "<mrow><munder><mo>∑</mo><mi>k</mi></munder><mi>A</mi></mrow>"),
        (r"\int_0^1", "<msubsup><mo>∫</mo><mn>0</mn><mn>1</mn></msubsup>"),
        (r"\alpha \to \omega", "<mrow><mi>α</mi><mo>→</mo><mi>ω</mi></mrow>"),
        (r"\operatorname{ReLU}", '<mi mathvariant="normal">ReLU</mi>'),
        (r"\text{the rule}", "<mtext>the rule</mtext>"),
        ("a - 0.25", "<mrow><mi>a</mi><mo>−</mo><mn>0.25</mn></mrow>"),
        ("(x)", '<mrow><mo fence="true">(</mo><mi>x</mi><mo fence="true">)</mo></mrow>'),
        (r"\lvert x \rvert", '<mrow><mo fence="true">|</mo><mi>x</mi><mo fence="true">|</mo></mrow>'),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_written_is_set(formula: str, expected: str) -> None:
    assert inside(formula) == expected


@pytest.mark.parametrize(
    "formula", ["<b>", r"\text{<script>}", "a &amp; b", '"', r"\unknown{x}", "((", "}", "x_", "^", r"\frac"]
)
def test_anything_gives_well_formed_xml(formula: str) -> None:
    tree = ElementTree.fromstring(mathml(formula))
    assert tree.attrib["alttext"] == formula
    assert {element.tag for element in tree.iter()} <= {
        *("math", "mrow", "mi", "mo", "mn", "mtext", "msub", "msup", "msubsup", "mfrac")
    }


@pytest.mark.parametrize("method", methods(), ids=lambda method: method.name)
def test_every_method_says_what_it_computes(method: Method) -> None:
    tree = ElementTree.fromstring(mathml(method.info.formula))
    assert method.info.formula and len(list(tree.iter())) > 3
    written = [element.text or "" for element in tree.iter("mtext")]
    assert not [text for text in written if text.startswith("\\")], "a command that isn't known"
