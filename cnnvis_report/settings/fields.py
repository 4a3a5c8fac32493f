"""Fields of dataclasses that are settings, and the dataclasses built from values by name."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from enum import Enum
from typing import Any, TypeVar, cast, get_type_hints

from cnnvis_report.errors import BadRequest, UnknownName
from cnnvis_report.settings.kinds import Choice, Flag, Kind

Value = TypeVar("Value")
Config = TypeVar("Config")
KEY = "setting"  # in a field's metadata


class Group(Enum):
    """Headings under which help lists options, in this order."""

    MODEL = "Model"
    IMAGES = "Images"
    EXPLAIN = "What to explain"
    INSPECT = "What to inspect"
    TRAINING = "Training"
    REPORT = "Report"
    SHARE = "Sharing"
    MACHINE = "Machine"
    GENERAL = "General"


class Stated(Enum):
    """When the report's table of settings has a row for a setting."""

    ALWAYS = "always"
    CHANGED = "when it isn't the default"
    NEVER = "never"


@dataclass(frozen=True)
class SettingInfo:
    """A setting, as its field says it.

    group: by default that of the class, its attribute `group`. key: the option's name without the dashes, and the key
    in a settings file. short: a letter for the shell, with its dash. default_text: what help says of a default that
    is no constant. argument: whether the command line takes it by position. completes: what the shell offers, such as
    "methods" or "layers". stated: when the report states it. only_with: names of other settings; while all of them
    have their defaults, this one does nothing. idle_with: of the values of all settings, with which of them this one
    does nothing and what to do then, as in "with --inspect none: give one of the two"; empty where it does something.
    instead_of: the name of another setting, whose value this one chooses, so that only one of them can be
    given. decides: whether the setting itself is part of a run's identity; for others, what they lead to is.
    """

    name: str
    help: str
    kind: Kind
    group: Group
    default: object
    required: bool
    key: str
    short: str = ""
    metavar: str = ""
    default_text: str = ""
    argument: bool = False
    completes: str = ""
    stated: Stated = Stated.ALWAYS
    only_with: tuple[str, ...] = ()
    idle_with: Callable[[Mapping[str, object]], str] | None = None
    instead_of: str = ""
    decides: bool = True

    @property
    def variable(self) -> str:
        """The end of its environment variable's name."""
        return self.key.replace("-", "_").upper()


def setting(default: Value, help: str, kind: Kind, **more: Any) -> Value:
    """A dataclass field that is a setting.

    Args:
        help: a sentence that says by itself what the setting does.
        more: other fields of `SettingInfo`; key where the option isn't called like the field, group where it isn't
            that of its class.
    """
    if isinstance(default, dict):
        setting_field: Any = field(default_factory=dict, metadata=_metadata(help, kind, more))
    else:
        setting_field = field(default=default, metadata=_metadata(help, kind, more))
    return cast(Value, setting_field)


def required(help: str, kind: Kind, **more: Any) -> Any:
    """A dataclass field that is a setting without a default; arguments as of `setting`."""
    return field(metadata=_metadata(help, kind, more))


def _metadata(help: str, kind: Kind, more: Mapping[str, Any]) -> dict[str, Any]:
    return {KEY: {"help": help, "kind": kind, **more}}


def settings_of(config: type) -> tuple[SettingInfo, ...]:
    """The settings of a dataclass and of the dataclasses that are its fields, in their order."""
    infos: list[SettingInfo] = []
    for entry, part in _parts(config):
        if part is not None:
            infos += settings_of(part)
        elif KEY in entry.metadata:
            infos.append(_info(config, entry))
    return tuple(infos)


def build(config: type[Config], values: Mapping[str, object]) -> Config:
    """The dataclass with these values, by the names of its settings; the others keep their defaults.

    Raises:
        UnknownName: there is no such setting.
        BadRequest: a value isn't of its setting's kind, one that is needed is missing, one does nothing without
            another that isn't given, or two are given of which one chooses the other.
    """
    known = {info.name: info for info in settings_of(config)}
    for name in values:
        if name not in known:
            raise UnknownName("setting", name, known)
    missing = [name for name, info in known.items() if info.required and name not in values]
    if missing:
        raise BadRequest(f"{', '.join(missing)}: not given.")
    parsed = {name: _parsed(known[name], value) for name, value in values.items()}
    _check_alternatives(known, parsed)
    _check_dependent(known, parsed)
    return _built(config, parsed)


def values_of(config: object) -> dict[str, Any]:
    """The values of all settings by name."""
    values: dict[str, Any] = {}
    for entry, part in _parts(type(config)):
        value = getattr(config, entry.name)
        values |= values_of(value) if part is not None else {entry.name: value} if KEY in entry.metadata else {}
    return values


def _check_alternatives(known: Mapping[str, SettingInfo], values: Mapping[str, object]) -> None:
    for info in known.values():
        other = known.get(info.instead_of)
        if other is not None and values.get(info.name) is not None and other.name in values:
            raise BadRequest(
                f"--{info.key} chooses the {other.name}, and --{other.key} {values[other.name]} names one: give either."
            )


def does_nothing(info: SettingInfo, known: Mapping[str, SettingInfo], values: Mapping[str, object]) -> bool:
    """Whether all that a setting goes with have their defaults, or others the values that leave it idle.

    Args:
        known: settings by name. values: of settings by name; their defaults where there are none.
    """
    return bool(_idle(info, known, values))


def _check_dependent(known: Mapping[str, SettingInfo], values: Mapping[str, object]) -> None:
    for info in known.values():
        reason = "" if values.get(info.name, info.default) == info.default else _idle(info, known, values)
        if reason:
            raise BadRequest(f"--{info.key} does nothing {reason}.")


def _idle(info: SettingInfo, known: Mapping[str, SettingInfo], values: Mapping[str, object]) -> str:
    """With which values of others a setting does nothing, and what to do; empty where it does something."""
    values = {name: values.get(name, other.default) for name, other in known.items()}
    if info.idle_with is not None:
        return info.idle_with(values)
    others = [known[name] for name in info.only_with if name in known]
    if not others or any(values[other.name] != other.default for other in others):
        return ""
    ways = list(map(_turned_on, others))
    advice = f"give {ways[0]}, too" if len(ways) == 1 else "give one of them, too"
    return f"without {' or '.join(ways)}: {advice}"


def _turned_on(info: SettingInfo) -> str:
    """The option with what it takes; of two choices the one that isn't the default."""
    others = [choice for choice in info.kind.words if choice != info.default] if isinstance(info.kind, Choice) else []
    value = others[0] if len(others) == 1 else "" if isinstance(info.kind, Flag) else info.metavar
    return f"--{info.key} {value}".strip()


def _built(config: type[Config], parsed: Mapping[str, object]) -> Config:
    values: dict[str, object] = {}
    for entry, part in _parts(config):
        if part is not None:
            values[entry.name] = _built(part, parsed)
        elif entry.name in parsed:
            values[entry.name] = parsed[entry.name]
    return config(**values)


def _parsed(info: SettingInfo, value: object) -> object:
    if value is None and info.default is None:
        return None
    try:
        return info.kind.parse(value)
    except BadRequest as error:
        raise BadRequest(f"{info.name}: {error}") from error


def _parts(config: type) -> list[tuple[Field[Any], type | None]]:
    """Each field, and the dataclass that it is, where it is one."""
    hints = get_type_hints(config)
    entries = fields(config)
    return [(entry, hints[entry.name] if is_dataclass(hints[entry.name]) else None) for entry in entries]


def _info(config: Any, entry: Field[Any]) -> SettingInfo:
    needed = entry.default is MISSING and entry.default_factory is MISSING
    default = {} if entry.default_factory is not MISSING else None if needed else entry.default
    described = {"group": getattr(config, "group", None), "key": entry.name.replace("_", "-"), **entry.metadata[KEY]}
    return SettingInfo(name=entry.name, default=default, required=needed, **described)
