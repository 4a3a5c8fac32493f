"""What an extension says that it needs."""

import importlib.util
from collections.abc import Sequence


def not_installed(modules: Sequence[str], install: str, purpose: str = "") -> str:
    """Which modules are absent, as in "pydicom is not installed: pip install …"; empty where all are here.

    None is imported.

    Args:
        install: what pip installs to have them; empty where it is called like the modules.
        purpose: as in "needed to read it and ", which the message goes on from.
    """
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if not missing:
        return ""
    be = "is" if len(missing) == 1 else "are"
    return f"{' and '.join(missing)} {be} {purpose}not installed: pip install '{install or ' '.join(missing)}'"
