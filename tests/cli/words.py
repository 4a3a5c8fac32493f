"""Words of a small run, and the one line of an error."""

from click.testing import Result

TINY = ("run", "tests.factories:tiny")
FEW = ("--methods", "grad_cam,saliency", "--device", "cpu")


def one_line(result: Result) -> str:
    """The only line on the standard error stream."""
    assert result.stderr.count("\n") == 1 and result.stderr.startswith("Error: "), result.stderr
    return result.stderr
