"""What makes scores of a network's output, where a user's own function does."""

from cnnvis_report.engine.outputs.functions import FunctionScores, name_of
from cnnvis_report.engine.outputs.readers import OutputReader, TargetFunction
from cnnvis_report.models.own_code.functions import function_at


def target_reader(target: TargetFunction | str | None) -> OutputReader | None:
    """What makes scores by a function, or by the one that --target names; None where there is none.

    Raises:
        BadRequest: there is no such function.
    """
    if target is None:
        return None
    if isinstance(target, str):
        return FunctionScores(function_at(target), target.rpartition(":")[2])
    return FunctionScores(target, name_of(target))
