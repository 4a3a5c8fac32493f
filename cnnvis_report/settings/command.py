"""Settings as the words of a command."""

from collections.abc import Iterator, Mapping

from cnnvis_report.settings.fields import SettingInfo, Stated, settings_of, values_of
from cnnvis_report.settings.kinds import Flag, Several
from cnnvis_report.settings.stated import without_folders


def command_words(config: object, defaults: Mapping[str, object] | None = None) -> list[str]:
    """The arguments and options that differ from their defaults, of paths the last part alone.

    What only says where a report is written, or what is printed, is left out.

    Args:
        defaults: those of a command, by name, where it has others.
    """
    defaults = defaults or {}
    values = values_of(config)
    infos = [info for info in settings_of(type(config)) if info.argument or info.stated is not Stated.NEVER]
    arguments = [word for info in infos if info.argument for word in _written(info, values[info.name])]
    options = [
        word
        for info in infos
        if not info.argument and values[info.name] != defaults.get(info.name, info.default)
        for word in _option(info, values[info.name])
    ]
    return arguments + options


def _option(info: SettingInfo, value: object) -> Iterator[str]:
    if isinstance(info.kind, Flag):
        yield f"--{info.key}" if value else f"--no-{info.key}"
        return
    for word in _written(info, value):
        yield f"--{info.key}"
        yield word


def _written(info: SettingInfo, value: object) -> list[str]:
    """A value as the shell gives it: what can be repeated as several words, other lists with commas."""
    if isinstance(value, Mapping):
        return [f"{method}.{name}={option}" for method, options in value.items() for name, option in options.items()]
    plain = without_folders(info, value)
    if not isinstance(plain, list):
        return [str(plain)]
    words = [str(entry) for entry in plain]
    return words if isinstance(info.kind, Several) else [",".join(words)]
