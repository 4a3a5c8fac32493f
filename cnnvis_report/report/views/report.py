"""What every page of a report is made from, and its title."""

from collections.abc import Iterator
from functools import cached_property

from cnnvis_report.data.split_names import is_part, part_of
from cnnvis_report.records.evidence import Evidence, MethodEvidence
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.network import NetworkRecord
from cnnvis_report.records.run import RunRecord
from cnnvis_report.report.figure.config import FigureConfig
from cnnvis_report.report.figure.content import Figure, NoMaps, make_figure
from cnnvis_report.report.pictures.encode import Quality
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.methods.method_order import BestMethod, best_methods
from cnnvis_report.report.views.performance.error_maps import ErrorMaps, error_maps
from cnnvis_report.report.views.summary import Summary, summarize
from cnnvis_report.store.run_folder import StoredRun

OWN = "small"  # the architecture of our own, whose name alone reads as a word


class Report:
    """A stored run, summed up over its images, and how finely its maps are kept on the pages."""

    def __init__(self, stored: StoredRun, quality: Quality) -> None:
        self.stored, self.quality = stored, quality
        self.summary: Summary = summarize(stored)
        self.with_page: frozenset[str] | None = None  # ids; None where all images have one

    def __getstate__(self) -> dict[str, object]:
        """What other processes get of it, to write the pages of single images."""
        known = self.__dict__ | {"evidence": self.evidence}
        return {name: value for name, value in known.items() if name not in ("figure", "error_maps")}

    @property
    def run(self) -> RunRecord:
        """The run, without its images."""
        return self.stored.record

    @property
    def title(self) -> str:
        """The title that was asked for, or one that names the network and the images."""
        return title_of(self.run)

    @property
    def network(self) -> NetworkRecord:
        """The network that is explained."""
        return self.run.network

    def images(self) -> Iterator[ImageRecord]:
        """The images in order, read one by one."""
        return self.stored.images()

    def images_with_page(self) -> Iterator[ImageRecord]:
        """Those that have a page and a place in the gallery."""
        return self.stored.images(self.with_page)

    def choose_pages(self, ids: frozenset[str]) -> None:
        """Give these images alone a page."""
        self.with_page = ids
        self.__dict__.pop("names", None)

    @property
    def image_pages(self) -> int:
        """How many images have a page."""
        return self.summary.images if self.with_page is None else len(self.with_page)

    @cached_property
    def evidence(self) -> Evidence | None:
        """The verdict on every method; None where nothing was measured."""
        return self.stored.evidence

    @property
    def verdicts(self) -> tuple[MethodEvidence, ...]:
        """The evidence on each method, best first; none where nothing was measured."""
        return self.evidence.methods if self.evidence else ()

    @cached_property
    def best(self) -> list[BestMethod]:
        """The methods that stand for the run, best first; none without maps."""
        return best_methods(self.run, self.evidence)

    @cached_property
    def figure(self) -> Figure | None:
        """The headline figure, of the images and methods that say most; None where there are no maps."""
        try:
            return make_figure(self.stored, FigureConfig())
        except NoMaps:
            return None

    @cached_property
    def error_maps(self) -> dict[str, ErrorMaps]:
        """The maps of the explained images with errors, as many as a page can list; none where nothing is judged."""
        judged = self.summary.predictions or self.summary.label_predictions
        return error_maps(self.stored, self.evidence) if judged else {}

    @cached_property
    def names(self) -> dict[str, str]:
        """The names of images with a page by their ids; what is said of all images may speak of others too."""
        return {image.id: image.name for image in self.images_with_page()}


def title_of(run: RunRecord) -> str:
    """Such as "What resnet50 looks at in photos", or "Features of resnet50 in photos"."""
    title = run.settings.get("title")
    if title:
        return str(title)
    who, where = _who(run), _where(run)
    return f"What {who} looks at{where}" if run.methods else f"Features of {who}{where}"


def _who(run: RunRecord) -> str:
    """The network's name; of one that was trained here, which is that of its architecture, what it was trained on."""
    name, training = run.network.name, run.training
    if training is None or name != str(training.settings.get("arch", "")).partition(",")[0]:
        return name
    folder, _, part = training.data.rpartition("/")
    data = folder if is_part(part) else training.data
    return f"{f'the {name} network' if name == OWN else name}{f' trained on {data}' if data else ''}"


def _where(run: RunRecord) -> str:
    """Such as " in photos", or of a part of a set " in test images"; empty where images came from nothing with a name.

    Images of the folder that the network was trained on are named once.
    """
    sources = run.settings.get("images")
    names = [str(name) for name in sources if name != "."] if isinstance(sources, list | tuple) else []
    if not names or (run.training is not None and names == [run.training.data]):
        return ""
    names[0] = f"{part_of(names[0])} images" if is_part(names[0]) else names[0]
    return f" in {fmt.first_of(names, 1)}"
