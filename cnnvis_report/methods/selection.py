"""The methods that `--methods` asks for: by name, by preset, or of one's own."""

import importlib
from collections.abc import Iterable

from cnnvis_report.errors import BadRequest, UnknownName, brief, nearest, shown
from cnnvis_report.methods.registry import METHODS, Method, methods

PRESETS = ("quick", "standard", "all")


def select(names: Iterable[str]) -> tuple[Method, ...]:
    """The methods asked for, in the order of the asking and each once.

    Args:
        names: method names (hyphens are accepted), "quick", "standard" or "all", or `package.module:function`
            for a method of one's own.

    Raises:
        UnknownName: no method is called so.
        BadRequest: nothing was asked for, or a method of one's own can't be imported.
    """
    known = {entry.name: entry for entry in methods()}
    chosen: dict[str, Method] = {}
    for name in names:
        if name in PRESETS:
            upto = PRESETS[: PRESETS.index(name) + 1]
            selected = [entry for entry in known.values() if entry.info.preset in upto]
        elif ":" in name:
            selected = [_imported(name)]
        else:
            plain = name.replace("-", "_")
            if plain not in known:
                raise UnknownName("method", name, [*known, *PRESETS])
            selected = [known[plain]]
        chosen |= {entry.name: entry for entry in selected}
    if not chosen:
        raise BadRequest(f"No method was asked for. Give names, such as grad_cam, or one of {', '.join(PRESETS)}.")
    return tuple(chosen.values())


def _imported(path: str) -> Method:
    """The method that `package.module:function` announces."""
    module_name, _, name = path.partition(":")
    if not name.isidentifier() or not all(part.isidentifier() for part in module_name.split(".")):
        raise BadRequest(f"Method {shown(path)}: a method of your own is called package.module:function.")
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # whatever somebody's own module does
        raise BadRequest(f"Method {path!r}: can't import {module_name!r} ({brief(error)}).") from error
    if name not in vars(module):
        near = nearest(name, vars(module))
        hint = f" Did you mean {near!r}?" if near else ""
        raise BadRequest(f"Method {path!r}: {module_name} has no {name!r}.{hint}")
    entry = METHODS.entries().get(name)
    if entry is None or entry.function is not vars(module)[name]:
        raise BadRequest(f"Method {path!r}: {name!r} isn't announced with @method.")
    return entry
