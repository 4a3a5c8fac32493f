"""One thread at a time: what is changed for a while is the network's, and the process's, not a thread's own."""

from contextlib import AbstractContextManager, nullcontext
from threading import RLock

LOCK = RLock()


def exclusive() -> AbstractContextManager[object]:
    """Nobody else runs a network under study while it is open; the thread that has it open may open it again.

    One lock serves all networks: they may share modules, and switches of PyTorch are set for all at once. It is not
    taken again by its holder, so that nothing stays locked where an interruption has left an inner one open.
    """
    return nullcontext() if LOCK._is_owned() else LOCK  # type: ignore[attr-defined] # as threading.Condition asks it
