"""Registries: entries announce themselves by name, in this package and, through entry points, in installed ones."""

import logging
from importlib import import_module
from importlib.metadata import EntryPoint
from pkgutil import iter_modules
from typing import Generic, TypeVar

from cnnvis_report.errors import BadRequest, told
from cnnvis_report.extensions.entry_points import installed

Entry = TypeVar("Entry")

OURS = __name__.partition(".")[0]
log = logging.getLogger(OURS)  # without a handler of anybody's, a warning is one line on stderr


class Registry(Generic[Entry]):
    """Entries of one kind by name; modules are imported when the entries are first asked for.

    An entry point names a module or a function; importing it has to call `add`, as decorators such as `@method` do.

    Args:
        kind: what messages call an entry, such as "method".
        group: of entry points, such as "cnnvis_report.methods"; empty where packages add none.
        package: whose modules, at its top, announce this program's own entries; empty where they are imported anyway.
    """

    def __init__(self, kind: str, group: str = "", package: str = "") -> None:
        self.kind, self.group, self._package = kind, group, package
        self._entries: dict[str, Entry] = {}
        self._modules: dict[str, str] = {}
        self._ours_wait, self._theirs_wait = bool(package), bool(group)

    def add(self, name: str, entry: Entry, module: str) -> None:
        """Announce an entry that is defined in `module`, which may announce it again, as a notebook's cell does.

        Raises:
            BadRequest: another module announced one of this name.
        """
        if module.partition(".")[0] != OURS:
            self._load_ours()  # so that a stranger's module, not one of ours, meets a name that is taken
        other = self._modules.get(name, module)
        if other != module:
            raise BadRequest(f"Two {self.kind}s are called {name!r}: one in {other}, one in {module}.")
        self._entries[name], self._modules[name] = entry, module

    def entries(self) -> dict[str, Entry]:
        """All entries by name; an installed package that can't be loaded is a warning, and the others are there."""
        self._load_ours()
        if self._theirs_wait:
            self._theirs_wait = False
            warnings = [self._load(distribution, point) for distribution, point in installed(self.group)]
            for line in dict.fromkeys(filter(None, warnings)):  # several entry points may name one module
                log.warning(line)
        return dict(self._entries)

    def _load_ours(self) -> None:
        if not self._ours_wait:
            return
        self._ours_wait = False  # modules that announce themselves don't ask for one another again
        try:
            for module in iter_modules(import_module(self._package).__path__):
                import_module(f"{self._package}.{module.name}")
        except BaseException:  # who asks next isn't told that there are no more than those before
            self._ours_wait = True
            raise

    def _load(self, distribution: str, point: EntryPoint) -> str:
        """Import what an entry point names; the warning where it can't be, and nothing it announced stays."""
        before = dict(self._entries), dict(self._modules)
        try:
            point.load()
        except (Exception, SystemExit) as error:  # whatever somebody's own module does
            self._entries, self._modules = before
            return f"Warning: {self.kind}s of package {distribution!r} are left out: {point.module}: {told(error)}."
        return ""
