"""A report handed on, as its options ask for."""

from pathlib import Path
from typing import TYPE_CHECKING

from cnnvis_report.errors import BadRequest
from cnnvis_report.pipeline.config import JobConfig, ReportConfig, ShareConfig

if TYPE_CHECKING:
    from cnnvis_report.sharing.share import Share


def checked(
    config: ShareConfig,
    job: JobConfig,
    report: ReportConfig,
    folder: Path,
    title: str | None = None,
    *,
    comparison: bool = False,
) -> "Share":
    """What is handed on of the report in a folder, after a look at whether that can be written.

    Args:
        report: how its pages are written. title: of an anonymous copy. comparison: whether the folder is to hold one.

    Raises:
        BadRequest: something else is where it would be, no page is as small, or names would be written beside a copy
        without names.
    """
    from cnnvis_report.report.single_file.single_file_writer import smallest_size
    from cnnvis_report.report.site.site_writer import SiteOptions
    from cnnvis_report.report.views.formatting import size
    from cnnvis_report.sharing.share import ANONYMOUS, ANONYMOUS_COMPARISON, Share

    if config.anonymous and (job.summary or job.json):
        raise BadRequest("--anonymous: --summary and --json have the names of this report; render the copy with them.")
    share = Share(
        config.zip,
        config.anonymous,
        config.share,
        config.copy,
        SiteOptions(report.pages, report.processes, report.single_file, config.max_size),
        title,
        ANONYMOUS_COMPARISON if comparison else ANONYMOUS,
    )
    share.check(folder)
    if config.max_size is not None and config.max_size < smallest_size():
        raise BadRequest(
            f"--max-size {size(config.max_size)}: the scripts of every page have {size(smallest_size())}. Give a "
            "larger size."
        )
    return share
