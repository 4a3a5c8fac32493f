"""What every page of a report is made from."""

from collections.abc import Iterator
from functools import cached_property

from cnnvis_report.records.evidence import Evidence
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.network import NetworkRecord
from cnnvis_report.records.run import RunRecord
from cnnvis_report.report.pictures.encode import Quality
from cnnvis_report.report.views.summary import Summary, summarize
from cnnvis_report.store.run_folder import StoredRun


class Report:
    """A stored run, summed up over its images, and how finely its maps are kept on the pages."""

    def __init__(self, stored: StoredRun, quality: Quality) -> None:
        self.stored, self.quality = stored, quality
        self.summary: Summary = summarize(stored)

    @property
    def run(self) -> RunRecord:
        """The run, without its images."""
        return self.stored.record

    @property
    def network(self) -> NetworkRecord:
        """The network that is explained."""
        return self.run.network

    def images(self) -> Iterator[ImageRecord]:
        """The images in order, read one by one."""
        return self.stored.images()

    @cached_property
    def evidence(self) -> Evidence | None:
        """The verdict on every method; None where nothing was measured."""
        return self.stored.evidence

    @cached_property
    def names(self) -> dict[str, str]:
        """The images' names by their ids; after a repair, what is said of all of them may speak of others too."""
        return {image.id: image.name for image in self.images()}
