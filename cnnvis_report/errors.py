"""What a user can act on: one family, raised anywhere, caught once by the command line."""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

SHOWN_AT_MOST = 20
LISTED_AT_MOST = 200  # of more names not even the first are listed
LONGEST = 200  # letters of somebody else's message
LONGEST_VALUE = 80  # letters of somebody else's value
MOST_LETTERS = 200  # of a name that others are compared with
TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")  # explicit embeddings, overrides and isolates of direction


class CnnVisError(Exception):
    """Anything this program says in one line; `exit_code` is what the shell gets."""

    exit_code = 1


class BadRequest(CnnVisError):
    """The request can't be carried out as it was put."""

    exit_code = 2


class InputRefused(BadRequest):
    """The network doesn't take images like these; `option` is what would change that, as the command line calls it."""

    def __init__(self, message: str, option: str) -> None:
        super().__init__(message)
        self.option = option


class UnusedOption(BadRequest):
    """An option that this network, or these images, have no use for; one of a variable is left unapplied instead.

    Args:
        option: as the command line calls it. value: what was given. reason: why there is no use for it, a sentence.
        beside: the option that decides it, which is the one to leave out where only that is of a variable.
    """

    def __init__(self, option: str, value: object, reason: str, beside: str = "") -> None:
        super().__init__(f"{option} {value}: {reason}")
        self.option, self.reason, self.beside = option, reason, beside


class EndsProgram(BadRequest):
    """Somebody's own code wanted to end the program, as `sys.exit` does: no wrong request, a failed run."""

    exit_code = 1


class RunFailed(CnnVisError):
    """The request was sound, and the run still failed."""


class WentAway(RunFailed):
    """The folder that is written into was removed, or moved, by somebody else."""


class NotApplicable(CnnVisError):
    """A method isn't defined for this network; the message says why."""


class GapsFound(CnnVisError):
    """`--strict` was asked for and the run has gaps."""

    exit_code = 3


class RulesHold(CnnVisError):
    """Rules of `--fail-if` hold, or couldn't be judged; `lines` has a line for each of them."""

    exit_code = 4

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = tuple(lines)
        super().__init__(" ".join(lines))


class UnknownName(BadRequest):
    """A name that nothing answers to, with the nearest one that something does.

    Args:
        kind: what was looked for, as in "No {kind} is called …".
        name: what was asked for.
        known: the names that exist; a long list is cut, a very long one is counted.
        advice: what to do next, a sentence.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], advice: str = "") -> None:
        known = list(dict.fromkeys(known))
        near = nearest(name, known)
        parts = [f"No {kind} is called {shown(name)}."]
        if near:
            parts.append(f"Did you mean {near!r}?")
        if len(known) > LISTED_AT_MOST:  # the first of them by the alphabet tell nothing
            parts.append(f"There are {len(known):,} of them.")
        elif known:
            more = f" and {len(known) - SHOWN_AT_MOST} more" if len(known) > SHOWN_AT_MOST else ""
            parts.append(f"Known: {', '.join(known[:SHOWN_AT_MOST])}{more}.")
        if advice:
            parts.append(advice)
        super().__init__(" ".join(parts))


def brief(error: BaseException) -> str:
    """The first line of what an error says, cut where it goes on and on, or its type where it says nothing."""
    try:
        message = next(iter(str(error).splitlines()), "").rstrip(". ") or type(error).__name__
    except Exception:  # somebody's own error, which can't say what it is
        message = type(error).__name__
    return message if len(message) <= LONGEST else f"{message[:LONGEST].rstrip()}…"


def told(error: BaseException) -> str:
    """An error's type and the first line of what it says; ours say it all."""
    return brief(error) if isinstance(error, CnnVisError) else f"{type(error).__name__}: {brief(error)}"


def shown(value: object) -> str:
    """A stranger's value as a message has it: quoted, and cut where it is long."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # thousands of digits, or lists within lists
        return f"a {type(value).__name__} of many {'digits' if isinstance(value, int) else 'parts'}"
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 20]}… ({len(text)} characters)"


def printable(text: str, instead: str = "\N{REPLACEMENT CHARACTER}") -> str:
    """A stranger's text without the control characters that it may smuggle into a terminal or a file."""
    return "".join(letter if letter.isprintable() else instead for letter in text)


def one_way(text: str) -> str:
    """A stranger's text without the characters that turn what follows round, such as the right-to-left override.

    Letters that are written from right to left stay and stand as they should; what a name smuggles in would turn the
    sentences around it too, and make "exe.gpj" of a name that ends in "jpg.exe".
    """
    return TURNING.sub("\N{REPLACEMENT CHARACTER}", text)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` was probably meant to be, or None where nothing is close."""
    if len(name) > MOST_LETTERS:
        return None
    plain = {_plain(other): other for other in known}
    matches = get_close_matches(_plain(name), plain, n=1, cutoff=0.6)
    return plain[matches[0]] if matches else None


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "").replace(" ", "")
