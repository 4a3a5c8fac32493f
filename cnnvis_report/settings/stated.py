"""Settings as a report states them, and as part of what identifies a run."""

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from cnnvis_report.records.run import Setting
from cnnvis_report.settings.fields import Group, SettingInfo, Stated, does_nothing, settings_of, values_of
from cnnvis_report.settings.kinds import FileName, Numbers, Several
from cnnvis_report.settings.text_kinds import FileOrAddress


def settings_table(config: object, without: Collection[Group] = ()) -> dict[str, Setting]:
    """The settings of a dataclass as the report states them: of paths the last part alone.

    Args:
        without: groups that say nothing of the run.
    """
    values = values_of(config)
    known = {info.name: info for info in settings_of(type(config))}
    return {
        name: without_folders(info, values[name])
        for name, info in known.items()
        if info.group not in without and _is_stated(info, values[name]) and not does_nothing(info, known, values)
    }


def identity_part(config: object) -> dict[str, Setting]:
    """The settings that are part of a run's identity themselves; others are there as what they lead to."""
    values = values_of(config)
    return {
        info.name: without_folders(info, values[info.name])
        for info in settings_of(type(config))
        if info.decides and values[info.name] != info.default
    }


def _is_stated(info: SettingInfo, value: object) -> bool:
    return info.stated is Stated.ALWAYS or (info.stated is Stated.CHANGED and value != info.default)


def without_folders(info: SettingInfo, value: object) -> Setting:
    """A value as plain data, without the folders of this machine."""
    if value is None:
        return None
    if isinstance(value, Path):
        return value.name or "."
    kind = info.kind.of if isinstance(info.kind, Several) else info.kind
    if isinstance(kind, FileOrAddress) and isinstance(value, str):
        return _without_secrets(value)
    if isinstance(kind, FileName) and isinstance(value, str):
        return Path(value).name if _is_path(value) else value
    if isinstance(info.kind, Numbers):
        return [f"{entry:g}" for entry in value] if isinstance(value, tuple) else []
    if isinstance(value, Mapping):
        return {str(method): dict(options) for method, options in value.items()}
    if isinstance(value, tuple):
        return [without_folders(info, entry) for entry in value]
    assert value is None or isinstance(value, str | int | float | bool)
    return value


def _without_secrets(text: str) -> str:
    """Of a path the last part; of an address all but passwords, keys and folders of this machine."""
    scheme, mark, rest = text.partition("://")
    if mark:
        host, slash, path = re.split(r"[?#]", rest)[0].partition("/")
        return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"
    name, at, root = text.partition("@")
    if at and ":" in name and "/" not in name:
        return f"{name}@{Path(root).name or '.'}"
    return Path(text).name or "."


def _is_path(model: str) -> bool:
    return bool(Path(model).suffix) or Path(model).is_absolute() or model.startswith((".", "~"))
