"""One line of `--log-format json`."""

import json

JSON = "json"  # in a command's meta: whether errors are written so


def json_line(event: str, **fields: object) -> str:
    """An object with what happened and what is known of it, as one line of ASCII."""
    return json.dumps({"event": event, **fields})
