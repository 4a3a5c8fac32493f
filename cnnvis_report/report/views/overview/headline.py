"""The head of the overview: a line of facts, and the notices."""

from collections.abc import Sequence

from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.links import Links
from cnnvis_report.report.views.report import Report

OUTRIGHT = 2  # notices
BRIEF = 400  # characters of one


def notices(all_of_them: Sequence[str]) -> tuple[list[str], list[str]]:
    """Those that the overview shows at once, and those that it folds away: long ones, and all but the first few."""
    brief = [notice for notice in all_of_them if len(notice) <= BRIEF][:OUTRIGHT]
    return brief, [notice for notice in all_of_them if notice not in brief]


def facts(report: Report, links: Links) -> list[tuple[str, str]]:
    """What was explained, how, and what is missing, each with an address, or none."""
    run, network = report.run, report.network
    methods = len(run.methods) - len({gap.method for gap in run.not_applicable})
    parts = [(fmt.count(report.summary.images, "image"), "")] if report.summary.images else []
    if methods:
        parts.append((fmt.count(methods, "method"), links.page("methods")))
    shape = next((layer.shape for layer in network.layers if layer.name == network.default_layer), ())
    if shape and run.methods:
        parts.append((f"layer {network.default_layer} ({fmt.sides(shape)})", ""))
    if not run.methods:
        parts.append(("what its layers compute", links.page("features")))
    elif effort := run.settings.get("effort"):
        parts.append((f"effort: {effort}", links.page("run")))
    if report.summary.unknown:
        parts.append((fmt.unknown(report.summary.unknown), ""))
    if run.skipped:
        parts.append((f"{fmt.count(len(run.skipped), 'file')} skipped", links.page("run", "skipped")))
    if report.summary.missing:
        parts.append((f"{fmt.count(report.summary.missing, 'map')} missing", links.page("run", "skipped")))
    return parts
