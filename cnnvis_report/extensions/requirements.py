"""What an extension says that it needs."""

import importlib.util
from collections.abc import Sequence


def not_installed(modules: Sequence[str], install: str, purpose: str = "") -> str:
    """Which modules are absent, none of them imported; empty where all are here.

    Args:
        install: what pip installs to have them; empty where it is called like them. purpose: as in "needed to read it
            and ", before "not installed".
    """
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if not missing:
        return ""
    be = "is" if len(missing) == 1 else "are"
    return f"{' and '.join(missing)} {be} {purpose}not installed: pip install '{install or ' '.join(missing)}'"
