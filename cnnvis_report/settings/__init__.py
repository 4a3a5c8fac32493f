"""Settings as fields of dataclasses: each says its help, kind, default and group once, and all else derives from it."""

from cnnvis_report.settings.fields import (
    Group,
    SettingInfo,
    Stated,
    build,
    does_nothing,
    required,
    setting,
    settings_of,
    values_of,
)
from cnnvis_report.settings.stated import identity_part, settings_table

__all__ = [
    "Group",
    "SettingInfo",
    "Stated",
    "build",
    "does_nothing",
    "identity_part",
    "required",
    "setting",
    "settings_of",
    "settings_table",
    "values_of",
]
