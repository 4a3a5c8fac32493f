"""What every sheet of paper says: of which report it is, whatever that is called."""

import re

import pytest

from cnnvis_report.report.site.renderer import css_string


def read(text: str) -> str:
    """What a browser makes of the inside of a string of a style sheet."""
    return re.sub(r"\\([0-9a-f]{6})", lambda code: chr(int(code[1], 16)), text)


@pytest.mark.parametrize(
    "title",
    ["What tiny looks at", '"; } </style><script>alert(1)</script>', "back\\slash", "Фото 🐕 é", "a\nb", ""],
    ids=["plain", "hostile", "backslash", "letters of others", "line", "empty"],
)
def test_a_title_is_a_string_of_a_style_sheet_and_nothing_else(title: str) -> None:
    written = css_string(title)
    assert re.fullmatch(r"(?:[a-zA-Z0-9]|\\[0-9a-f]{6})*", written)
    assert read(written) == title
