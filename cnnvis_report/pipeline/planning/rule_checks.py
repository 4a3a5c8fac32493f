"""Rules of `--fail-if` that a run won't be able to judge, refused before it starts."""

from collections.abc import Sequence

from cnnvis_report.evaluation.metric import measured_metrics, metrics
from cnnvis_report.methods.selection import select
from cnnvis_report.pipeline.config import RunConfig
from cnnvis_report.pipeline.planning.metrics_budget import MetricsBudget, choose_budget
from cnnvis_report.pipeline.stages import data_randomization, max_sensitivity, random_logit, randomization
from cnnvis_report.records.metrics import MetricInfo
from cnnvis_report.rules.early import check_classes, check_names

TESTS = (*random_logit.TESTS, *data_randomization.TESTS, *max_sensitivity.TESTS)


def check_rules(config: RunConfig, classes: Sequence[str] | None = None, *, masks: bool = True) -> None:
    """Refuse rules that name nothing, by what is known so far.

    Args:
        classes: of the network; None as long as it isn't loaded. masks: whether images have ground-truth masks, or may
            have.

    Raises:
        BadRequest: naming the rule, and the nearest name or what would give the value.
    """
    rules = config.job.fail_if
    if not rules:
        return
    chosen = select(config.explain.methods) if config.explain.methods else ()
    budget = choose_budget(config.evaluate.metrics, config.explain.methods, config.explain.effort, masks=masks)
    check_names(
        rules,
        measured=_measures(budget, masks=masks),
        measures=[info.name for info in (*(info for entry in metrics() for info in entry.infos), *_tests(full=True))],
        methods=[method.info.name for method in chosen if not method.info.baseline],
        pair=config.job.against is not None,
    )
    if classes is not None:
        check_classes(rules, classes)


def _measures(budget: MetricsBudget | None, *, masks: bool) -> list[str]:
    if budget is None:
        return []
    infos = (*measured_metrics(budget.effort), *(_tests(full=budget.tested > 0) if budget.randomized else ()))
    return [info.name for info in infos if masks or not info.needs_mask]


def _tests(*, full: bool) -> tuple[MetricInfo, ...]:
    return (randomization.TEST, *(TESTS if full else ()))
