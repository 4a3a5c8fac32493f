"""How the process gets memory from the system, where that decides how fast a CPU is."""

import ctypes
import os

# of mallopt, in malloc.h
TRIM_THRESHOLD, MMAP_MAX = -1, -4
NEVER = -1
CHOSEN_BY_OTHERS = ("MALLOC_", "GLIBC_TUNABLES")


def keep_memory() -> bool:
    """Keep memory that was freed for what is asked for next; whether it could be told so.

    glibc maps anew whatever is above 32 MB, and gives back the end of the heap whenever it is free. Activations of a
    batch are that large, so in every pass the system fills their pages with zeros once more: up to a third of the time
    of a network. What isn't given back costs memory: a twentieth to a tenth more at the peak. Nothing is done with
    another C library, nor where the environment says how to allocate.
    """
    if any(name.startswith(CHOSEN_BY_OTHERS) for name in os.environ):
        return False
    try:
        library = ctypes.CDLL(None)
        library.gnu_get_libc_version  # noqa: B018 - other libraries may give mallopt's numbers another meaning
        tune = library.mallopt
    except (AttributeError, OSError, TypeError):  # no glibc; no way to ask on Windows
        return False
    return bool(tune(MMAP_MAX, 0)) and bool(tune(TRIM_THRESHOLD, NEVER))
