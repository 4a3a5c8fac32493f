"""What the terminal says of a run, line by line: the plan before it, and where the time went after it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cnnvis_report.errors import printable
from cnnvis_report.records.run import RunRecord
from cnnvis_report.report.views import formatting as fmt

if TYPE_CHECKING:
    from cnnvis_report.data.image_set import ImageSet
    from cnnvis_report.pipeline.planning.efforts import PlannedRun
    from cnnvis_report.pipeline.planning.plan import Plan
    from cnnvis_report.pipeline.stages.predict import Selection
    from cnnvis_report.pipeline.stats import RunStats

NOTABLE = 0.05  # seconds: less reads as 0.0 s
SECOND = 1.0
IN_A_ROW = 4  # methods
WIDTH = 31  # of one of them


def plan_lines(planned: "PlannedRun") -> Iterator[str]:
    """What will run, how many passes, how long, how much."""
    setup, plan = planned.setup, planned.plan
    subject, dry_run = setup.network.subject, plan.dry_run
    kind = subject.meaning.kind
    parameters, outputs = fmt.short(subject.parameters), fmt.columns(len(subject.classes), kind)
    yield f"Plan      {subject.name}, {parameters} parameters, {outputs}, on {subject.device}"
    if setup.network.model.loader:
        yield f"          opened as {setup.network.model.loader}"
    if setup.network.checks.conversion is not None:
        yield f"          {printable(setup.network.checks.conversion.describe())}"
    upto = "up to " if setup.maps.choice.label and plan.classes > 1 else ""
    explained = f", {upto}{fmt.columns(plan.classes, kind)} each" if dry_run.tasks else ""
    if plan.images:
        yield f"          {fmt.count(plan.images, 'image')}, batch size {plan.batch}{explained}"
    if plan.images and kind.judged:
        yield f"          labels: {_labels(setup.images)}"
    yield f"          preprocessing: {subject.preprocessing.describe()}"
    yield f"          task: {kind.task}, {printable(subject.meaning.reason)}"
    if subject.scores != "logits":
        yield f"          explained: {subject.scores}"
    for notice in setup.notices:
        yield f"          note: {printable(notice)}"
    yield from _method_lines(setup.config.explain.precision, plan)
    if dry_run.tasks:
        backward = fmt.count(dry_run.backward, "backward pass", "backward passes")
        yield (
            f"          {fmt.number(dry_run.forward)} forward and {backward} per image; "
            f"{about(plan.seconds)}, {fmt.size(plan.bytes)} of arrays"
        )
    if setup.maps.metrics is not None and plan.measured:
        reduced = ", in bfloat16 where that keeps their values" if plan.reduced_metrics else ""
        yield (
            f"          metrics ({setup.maps.metrics.name}): {_evaluation(plan)}{reduced}; "
            f"{about(plan.evaluation)} of that time"
        )
    if setup.inspection is not None:
        seconds = plan.time.of(*plan.inspection)
        more = " more" if dry_run.tasks else ""
        yield f"          inspection ({setup.inspection.budget.name}): {about(seconds)}{more}"
    yield from _effort_lines(planned)


def too_short(planned: "PlannedRun") -> str:
    """That the time is too short for the lowest effort, what would take most of it, and what to do."""
    plan = planned.plan
    shares = _shares(plan)
    ways = [
        "--limit with fewer images" if plan.images > 1 else "",
        "--methods quick" if len(plan.dry_run.tasks) > 1 else "",
        "--metrics none" if plan.metrics else "",
        "--inspect none" if any(plan.inspection) else "",
    ]
    return (
        f"--time {fmt.duration(planned.time or 0)}: even {planned.effort} effort takes about {fmt.duration(plan.whole)}"
        f"{f' ({shares})' if shares else ''}. Give more time, or less to do: "
        f"{', '.join(filter(None, ways)) or 'a smaller network'}."
    )


def _shares(plan: "Plan") -> str:
    """Such as "smoothgrad 31%, metrics 20%"."""
    return ", ".join(f"{name} {fmt.percent(share)}" for name, share in plan.largest_shares.items())


def _effort_lines(planned: "PlannedRun") -> Iterator[str]:
    """How long the whole takes at its effort and at the others, and what takes most of it."""
    alike: dict[float, list[str]] = {}  # efforts that plan the same passes take the same time to the last digit
    for name, seconds in planned.seconds.items():
        alike.setdefault(seconds, []).append(name)
    same = [name for name in alike[planned.seconds[planned.effort]] if name != planned.effort]
    others = [f"{' and '.join(names)} {fmt.duration(s)}" for s, names in alike.items() if planned.effort not in names]
    if same:
        others.append(f"{' and '.join(same)} the same")
    chosen = f" fits into {fmt.duration(planned.time)}" if planned.time is not None else ""
    whole = f"{about(planned.plan.whole)} in all, pages included"
    if len(alike) == 1:
        yield f"          {whole}"
    else:
        yield f"          effort {planned.effort}{chosen}: {whole} ({', '.join(others)})"
        if "max" in alike[planned.seconds["high"]]:
            yield "          max is high here: as defined, these methods take no more passes"
    shares = _shares(planned.plan)
    if planned.plan.whole >= SECOND and shares:
        yield f"          most of it: {shares}"


def _evaluation(plan: "Plan") -> str:
    """Such as "324 forward passes for each of 16 images, and 410 forward and 96 backward to explain them again"."""
    again = "".join(
        f", and {fmt.number(forward)} forward and {fmt.number(backward)} backward to explain some of them again"
        for forward, backward in [plan.again]
        if forward or backward
    )
    return f"{fmt.number(plan.metrics)} forward passes for each of {fmt.count(len(plan.measured), 'image')}{again}"


def cost_lines(run: RunRecord, stats: "RunStats") -> Iterator[str]:
    """Where the time went, and what it would have taken at best."""
    if not stats.computed and not stats.inspection_seconds:
        skipped = f", except for {fmt.count(len(run.skipped), 'skipped file')}" if run.skipped else ""
        yield f"          all images were explained already{skipped}; only the pages are written again"
        return
    inspected = fmt.duration(stats.inspection_seconds)
    if run.inspection is not None:
        yield f"Inspect   {inspected} for layers and units{', snapshots included' if run.snapshots else ''}"
    elif run.snapshots:
        yield f"Snapshots {inspected} for images over the epochs"
    if not stats.computed:
        return
    minimum = ""
    if min(stats.seconds, stats.ideal_seconds) > SECOND:  # the ratio of a moment says nothing
        ratio = f"{stats.seconds / stats.ideal_seconds:.2f} × the theoretical minimum"
        minimum = f": {ratio}, {fmt.duration(stats.ideal_seconds)} for its passes alone"
    word = "Explain" if run.methods else "Predict"
    yield f"{word}   {fmt.duration(stats.seconds)} for {fmt.count(stats.computed, 'image')}{minimum}"
    if run.evaluation is not None and run.evaluation.images:
        yield f"          and {fmt.duration(stats.metrics_seconds)} for metrics"
    spent = run.provenance.get("seconds_by_method")
    costs = sorted(spent.items(), key=lambda cost: -cost[1]) if isinstance(spent, dict) else []
    notable = [f"{name} {fmt.duration(seconds)}" for name, seconds in costs if seconds >= NOTABLE]
    if notable and stats.computed < run.images:
        yield f"          all {fmt.number(run.images)} images, earlier starts included:"
    for start in range(0, len(notable), IN_A_ROW):
        yield "          " + "".join(f"{cost:<{WIDTH}}" for cost in notable[start : start + IN_A_ROW]).rstrip()


def prediction_line(selection: "Selection", images: int) -> str | None:
    """How many of all images are classified correctly, and how many of them will be explained."""
    predictions, labels = selection.predictions, selection.label_predictions
    if predictions is not None:
        correct, unknown = predictions.correct, predictions.unknown
        summary = f"{correct} of {predictions.images} labeled images classified correctly"
    elif labels is not None:
        unknown = labels.unknown
        summary = f"{labels.exact} of {labels.images} labeled images with exactly their labels"
    else:
        return None
    beside = f", {unknown} with a label that the network doesn't know" if unknown else ""
    return f"Predict   {fmt.count(images, 'image')}: {summary}{beside}; {len(selection.images)} to be explained"


def about(seconds: float) -> str:
    """An estimate, which is no better than a second."""
    return f"about {fmt.duration(seconds)}" if seconds >= SECOND else "less than a second"


def _method_lines(precision: str, plan: "Plan") -> Iterator[str]:
    dry_run = plan.dry_run
    names = list(dict.fromkeys(task.name for task in dry_run.tasks))
    if names:
        yield f"          {fmt.count(len(names), 'method')}: {', '.join(names)}"
    if dry_run.layers:
        yield f"          layers: {', '.join(dry_run.layers)}"
    reasons: dict[str, list[str]] = {}
    for task, reason in dry_run.not_applicable:
        reasons.setdefault(reason, []).append(task.name)
    for reason, refused in reasons.items():
        yield f"          not applicable: {', '.join(dict.fromkeys(refused))} ({reason})"
    if plan.reduced:
        reduced = ", ".join(dict.fromkeys(task.name for task in plan.reduced))
        condition = "" if precision == "bfloat16" else ", where that keeps the ranking of pixels"
        yield f"          in bfloat16{condition}: {reduced}"


def _labels(images: "ImageSet") -> str:
    """How many images have one that the network knows; where none has, how to give them."""
    known = sum(any(label.index is not None for label in item.labels) for item in images)
    if known:
        return f"known for {fmt.number(known)} of {fmt.count(len(images), 'image')}"
    if any(item.labels for item in images):
        return "none known: what they are called is no class; --class-names FILE names the classes, in index order"
    return "none known; sub-folders called like classes, --labels folders or --labels FILE give them"
