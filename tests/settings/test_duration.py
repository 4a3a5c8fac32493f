"""Times as people write them."""

import pytest

from cnnvis_report.errors import BadRequest
from cnnvis_report.settings.text_kinds import LONGEST_TIME, Duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("10m", 600), ("1h30m", 5400), (" 2H ", 7200), ("1h1m1s", 3661), ("45", 45), (0.5, 0.5), (600, 600)],
    ids=str,
)
def test_times_are_read(text: object, seconds: float) -> None:
    assert Duration().parse(text) == seconds
    assert Duration().parse(Duration().parse(text)) == seconds, "what was read already stays as it is"


@pytest.mark.parametrize(
    "text", ["", "0", "0m", "-5", "m", "10x", "5m10h", "1 h", "٣m", "inf", True, None, LONGEST_TIME * 2, [60]], ids=repr
)
def test_what_is_no_time_is_refused_with_an_example(text: object) -> None:
    with pytest.raises(BadRequest, match="isn't a time above 0, such as 90s, 10m or 1h30m"):
        Duration().parse(text)
