"""What the operating system refuses, told from what goes wrong in the program, however it reaches us."""

import errno
import os
import re

# a read that is refused so says nothing of what a file holds, so that nobody may take the file for damaged or missing
OF_THE_SYSTEM = frozenset(
    {
        *(errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EACCES, errno.EPERM, errno.EFBIG, errno.ENOSPC),
        errno.ESTALE,  # as `atomic.raise_if_there` raises it
    }
)
OF_RUST = re.compile(r"\(os error (\d+)\)")  # how safetensors says it


def refusal(error: BaseException) -> OSError | None:
    """The error of the operating system that an error is, or was made from; None where it is another."""
    at: BaseException | None = error
    while at is not None:
        if isinstance(at, OSError) and at.errno is not None and at.strerror:
            return None if at.errno == errno.EPIPE else at  # nobody reads on, which is no failure
        number = OF_RUST.search(str(at))
        if number is not None:
            return OSError(int(number[1]), os.strerror(int(number[1])))
        at = at.__cause__
    return None


def raise_unless_of_the_file(error: OSError) -> None:
    """Raise an error again that says nothing of the file; what does, such as a bad sector, is left to the caller."""
    if error.errno in OF_THE_SYSTEM:
        raise error


def in_words(error: OSError) -> str:
    """Such as "No space left on device (report/run.json)"."""
    path = error.filename if isinstance(error.filename, str | bytes | os.PathLike) else ""
    return f"{error.strerror} ({os.fsdecode(path)})" if path else str(error.strerror)
