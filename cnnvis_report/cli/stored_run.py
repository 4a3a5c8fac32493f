"""What commands on stored runs share: their argument, and what a folder of somebody else's may do to them."""

from collections.abc import Iterator
from contextlib import contextmanager

from cnnvis_report.cli.options.options import argument
from cnnvis_report.errors import BadRequest, CnnVisError, brief
from cnnvis_report.settings.kinds import File

RUN = argument("run", kind=File(), metavar="RUN", description="The folder of a report.")


@contextmanager
def refused_as(problem: str) -> Iterator[None]:
    """Work on what a stored run says: every field fits its type, but a stranger may have put anything into them.

    Args:
        problem: names the folder, and says what can't be done with it.

    Raises:
        BadRequest: in the place of what no command foresees.
    """
    try:
        yield
    except (CnnVisError, OSError):
        raise
    except Exception as error:
        raise BadRequest(f"{problem} ({type(error).__name__}: {brief(error)}).") from error
